//! Plain scalars: words, numbers and timestamps of goyaml v2 (`resolve.go`), with numbers as Go's `strconv` reads them.

use serde_json::Value;

use super::yaml::Node;

const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];

/// A plain scalar.
pub(super) fn resolved(text: &str) -> Node {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Value(Value::Null),
        ".nan" | ".NaN" | ".NAN" => return Node::Float(f64::NAN),
        _ if TRUE.contains(&text) => return Node::Value(Value::Bool(true)),
        _ if FALSE.contains(&text) => return Node::Value(Value::Bool(false)),
        _ if [".inf", ".Inf", ".INF"].contains(&unsigned) => {
            return Node::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        _ => {}
    }
    if text.starts_with('.') {
        return fraction(text).map_or_else(|| Node::text(text), Node::Float);
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first)) {
        return Node::text(text);
    }
    number(&text.replace('_', "")).unwrap_or_else(|| Node::text(text))
}

/// What starts with a digit or a sign.
fn number(text: &str) -> Option<Node> {
    let (negative, digits) = match text.split_at_checked(1)? {
        ("-", rest) => (true, rest),
        ("+", rest) => (false, rest),
        _ => (false, text),
    };
    let signed = |magnitude: u64| {
        let magnitude = i128::from(magnitude);
        i64::try_from(if negative { -magnitude } else { magnitude }).ok()
    };
    if let Some(magnitude) = magnitude(digits) {
        if let Some(integer) = signed(magnitude) {
            return Some(Node::Value(integer.into()));
        }
        if !text.starts_with(['+', '-']) {
            return Some(Node::Large(magnitude));
        }
    }
    if let Some(float) = float(text) {
        return Some(Node::Float(float));
    }
    // goyaml accepts a sign after the prefix of binary numbers.
    let (sign, bits) = text.strip_prefix("0b")?.split_at_checked(1)?;
    let integer = match sign {
        "+" => i64::try_from(in_base(bits, 2)?).ok()?,
        "-" => i64::try_from(-i128::from(in_base(bits, 2)?)).ok()?,
        _ => return None,
    };
    Some(Node::Value(integer.into()))
}

fn magnitude(digits: &str) -> Option<u64> {
    let prefixed = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
    let Some(rest) = prefixed else { return in_base(digits, 10) };
    match rest.split_at_checked(1) {
        Some(("x" | "X", digits)) if !digits.is_empty() => in_base(digits, 16),
        Some(("o" | "O", digits)) if !digits.is_empty() => in_base(digits, 8),
        Some(("b" | "B", digits)) if !digits.is_empty() => in_base(digits, 2),
        _ => in_base(rest, 8),
    }
}

fn in_base(digits: &str, base: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_u64, |sum, digit| sum.checked_mul(base.into())?.checked_add(digit.to_digit(base)?.into()))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, if a float can hold it.
fn float(text: &str) -> Option<f64> {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if let Some(after) = rest.strip_prefix('.') {
        let part = digits(after);
        if whole + part == 0 {
            return None;
        }
        rest = &after[part..];
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite())
}

/// What starts with a point: an underscore has a digit on each side.
fn fraction(text: &str) -> Option<f64> {
    let mut parts = text.split('_').peekable();
    while let Some(part) = parts.next() {
        if let Some(after) = parts.peek()
            && !(part.ends_with(|end: char| end.is_ascii_digit())
                && after.starts_with(|start: char| start.is_ascii_digit()))
        {
            return None;
        }
    }
    float(&text.replace('_', ""))
}

/// A date, or a date and a time; where a `T` is between them with a zone, and where a space is without.
pub(super) fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let Some(time) = time else { return is_date(date) };
    let (separator, time) = time.split_at(1);
    let zone = time.find(['Z', '+', '-']).map(|at| time.split_at(at));
    is_date(date)
        && match (separator, zone) {
            (" ", None) => is_time(time),
            ("T" | "t", Some((time, zone))) => is_time(time) && is_zone(zone),
            _ => false,
        }
}

fn is_number(text: &str, digits: std::ops::RangeInclusive<usize>, values: std::ops::RangeInclusive<u32>) -> bool {
    digits.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse().is_ok_and(|value| values.contains(&value))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    if !(is_number(year, 4..=4, 0..=9999) && is_number(month, 1..=2, 1..=12)) {
        return false;
    }
    let leap = year
        .parse()
        .is_ok_and(|year: u32| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)));
    let days = match month.trim_start_matches('0') {
        "2" => 28 + u32::from(leap),
        "4" | "6" | "9" | "11" => 30,
        _ => 31,
    };
    is_number(day, 1..=2, 1..=days)
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    let has_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_number(hour, 1..=2, 0..=23) && is_number(minute, 1..=2, 0..=59) && is_number(second, 1..=2, 0..=59) && has_digits
}

fn is_zone(text: &str) -> bool {
    let offset = text.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':'));
    text == "Z"
        || offset.is_some_and(|(hours, minutes)| is_number(hours, 2..=2, 0..=24) && is_number(minutes, 2..=2, 0..=59))
}
