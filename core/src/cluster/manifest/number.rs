//! Numbers as Go reads and writes them (`strconv`, `encoding/json`).

use serde_json::{Number, Value};

/// `ParseInt` with base 0, of digits without underscores.
pub(super) fn signed(text: &str) -> Option<i64> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    with_sign(is_negative, unsigned(digits)?)
}

fn with_sign(is_negative: bool, magnitude: u64) -> Option<i64> {
    if is_negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// `ParseUint` with base 0: decimal, or with `0x`, `0o`, `0b` or a leading zero.
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let (base, digits) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', _, ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', _, ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    of_base(digits, base)
}

/// Rust's own parser takes a sign, which Go's does not.
fn of_base(digits: &str, base: u32) -> Option<u64> {
    if digits.starts_with(['+', '-']) { None } else { u64::from_str_radix(digits, base).ok() }
}

/// What goyaml reads after `0b` where [`signed`] reads nothing: a sign between prefix and digits.
pub(super) fn binary(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0b")?;
    match digits.as_bytes().first()? {
        b'-' => with_sign(true, of_base(&digits[1..], 2)?),
        b'+' => with_sign(false, of_base(&digits[1..], 2)?),
        _ => None,
    }
}

/// A decimal float, of digits without underscores. What is too large for a float is text.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) =
        number.split_once(['e', 'E']).map_or((number, None), |(left, right)| (left, Some(right)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(left, right)| (left, Some(right)));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_digits = !whole.is_empty() || fraction.is_some_and(|fraction| !fraction.is_empty());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    if !(has_digits && all_digits(whole) && all_digits(fraction.unwrap_or_default()) && exponent_fits) {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A float that starts with its point. Here an underscore has to be between digits.
pub(super) fn after_point(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let is_digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let is_separator = |at: usize| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1));
    let fits = bytes.iter().enumerate().all(|(at, byte)| *byte != b'_' || is_separator(at));
    if fits { decimal(&text.replace('_', "")) } else { None }
}

/// A float as kubectl sends it: without a fraction it is an integer, if it fits one. Infinity and not-a-number are not valid in
/// JSON.
pub(super) fn float_value(number: f64) -> Option<Value> {
    // Rust prints the shortest digits that read as the same float, and zeros up to the point, as Go does.
    if let Ok(whole) = format!("{number}").parse::<i64>() {
        return Some(Value::from(whole));
    }
    Number::from_f64(number).map(Value::Number)
}

/// An integer larger than an `i64`, which kubectl reads as a float.
#[allow(clippy::cast_precision_loss, reason = "as the original")]
pub(super) fn large_value(number: u64) -> Option<Value> {
    float_value(number as f64)
}

/// A float as a key: as Go prints a 32-bit float in its shortest form (`FormatFloat(f, 'g', -1, 32)`).
#[allow(clippy::cast_possible_truncation, reason = "as the original")]
pub(super) fn float_key(number: f64) -> String {
    let number = number as f32;
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let decimal = shortest(number);
    let scientific = format!("{decimal:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if number != 0.0 && !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    format!("{decimal}")
}

/// The shortest decimal that reads as this number. Of two that are equally close, Go takes the one that ends with an even digit, and
/// Rust the larger one.
fn shortest(number: f32) -> f64 {
    let rounded = format!("{number:e}");
    let exact = format!("{:.160e}", f64::from(number));
    let length = rounded.find('e').unwrap_or(rounded.len());
    let (Some(lower), Some(rest)) = (exact.get(..length), exact.get(length..)) else { return f64::from(number) };
    let is_halfway =
        rest.starts_with('5') && rest.split('e').next().is_some_and(|rest| rest[1..].chars().all(|digit| digit == '0'));
    let is_even = lower.ends_with(['0', '2', '4', '6', '8']);
    let lower = format!("{lower}{}", rest.find('e').and_then(|at| rest.get(at..)).unwrap_or_default());
    let text = if is_halfway && is_even && lower.parse() == Ok(number) { lower } else { rounded };
    text.parse().unwrap_or_else(|_| f64::from(number))
}

#[cfg(test)]
mod tests {
    /// As Go 1.26 prints them; `tests/peers/manifests` asks it about many more.
    #[test]
    fn a_float_halfway_between_two_decimals_ends_with_an_even_digit() {
        for (number, text) in [
            (267_123.625, "267123.62"),
            (-267_123.625, "-267123.62"),
            (131_072.375, "131072.38"),
            (0.1, "0.1"),
            (16_777_216.0, "1.6777216e+07"),
        ] {
            assert_eq!(super::float_key(number), text);
        }
    }
}
