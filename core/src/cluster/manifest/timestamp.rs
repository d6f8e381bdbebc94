//! Timestamps. They are text, with and without the tag `!!timestamp`; text that is not a timestamp does not fit the tag.

/// Whether goyaml reads a scalar as a timestamp: a date alone, or with a time after `T` or `t` and with a zone, or after a space
/// and without.
pub(super) fn is_timestamp(text: &str) -> bool {
    date(text).is_some_and(|rest| {
        rest.is_empty()
            || rest.strip_prefix(['T', 't']).and_then(time).is_some_and(is_zone)
            || rest.strip_prefix(' ').and_then(time).is_some_and(str::is_empty)
    })
}

/// Reads up to two digits, and returns what is after them.
fn short(text: &str) -> Option<(u32, &str)> {
    let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, rest))
}

fn date(text: &str) -> Option<&str> {
    let (year, rest) = text.split_at_checked(4)?;
    if !year.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (month, rest) = short(rest.strip_prefix('-')?)?;
    let (day, rest) = short(rest.strip_prefix('-')?)?;
    (1..=days(year.parse().ok()?, month)?).contains(&day).then_some(rest)
}

fn days(year: u32, month: u32) -> Option<u32> {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => Some(if is_leap { 29 } else { 28 }),
        4 | 6 | 9 | 11 => Some(30),
        1..=12 => Some(31),
        _ => None,
    }
}

fn time(text: &str) -> Option<&str> {
    let (hour, rest) = short(text)?;
    let (minute, rest) = short(rest.strip_prefix(':')?)?;
    let (second, rest) = short(rest.strip_prefix(':')?)?;
    let rest = match rest.strip_prefix(['.', ',']) {
        Some(fraction) if fraction.starts_with(|letter: char| letter.is_ascii_digit()) => {
            fraction.trim_start_matches(|letter: char| letter.is_ascii_digit())
        }
        _ => rest,
    };
    (hour < 24 && minute < 60 && second < 60).then_some(rest)
}

fn is_zone(text: &str) -> bool {
    let offset = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str| {
            (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse::<u32>().ok())?
        };
        Some(number(hours)? <= 24 && number(minutes)? < 60)
    };
    text == "Z" || text.strip_prefix(['+', '-']).and_then(offset).unwrap_or_default()
}
