//! Amounts as Kubernetes writes them: `1500m`, `1Gi`. What is stored is the shortest form of the same kind of suffix.

use serde_json::{Value, json};

use super::refusal::Flaw;

const DECIMAL: [(&str, i32); 10] =
    [("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9)];
const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];
const NANO: i128 = 1_000_000_000;

/// How an amount is written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Decimal,
    Binary,
    Exponent,
}

/// An amount, in billionths; what is more than there is room for counts as the most.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quantity {
    amount: i128,
    form: Form,
    /// As it was given, where that is kept.
    given: Option<String>,
}

impl Quantity {
    /// A text or a number. `None` for what is neither: it is refused before anything is reckoned with it.
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let end = unsigned.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            whole => whole,
        };
        let (unit, form) = Unit::of(suffix)?;
        let digits = format!("{whole}{fraction}");
        if number.is_empty() || number == "." || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut amount = unit.times(&digits, fraction.len());
        if form == Form::Binary {
            amount = amount.min(i128::from(i64::MAX) * NANO);
        }
        let is_kept = unit.keeps(&digits, fraction.len());
        let amount = if text.starts_with('-') { -amount } else { amount };
        Some(Self { amount, form, given: is_kept.then(|| text.to_owned()) })
    }

    /// The same in thousandths, rounded up: Kubernetes keeps no smaller parts of resources.
    pub(super) fn rounded(self) -> Self {
        let milli = NANO / 1000;
        match self.amount % milli {
            0 => self,
            _ if self.amount.saturating_abs() == i128::MAX => self,
            rest => {
                let more = if rest > 0 { milli - rest } else { -milli - rest };
                Self { amount: self.amount.saturating_add(more), given: None, ..self }
            }
        }
    }

    pub(super) fn zero() -> Self {
        Self::new(0, Form::Decimal)
    }

    pub(super) fn one() -> Self {
        Self::new(NANO, Form::Decimal)
    }

    pub(super) fn is_zero(&self) -> bool {
        self.amount == 0
    }

    fn new(amount: i128, form: Form) -> Self {
        Self { amount, form, given: None }
    }

    /// Why an amount is refused: it is none, or less than nothing.
    pub(super) fn flaw(value: &Value, field: &str) -> Option<Flaw> {
        match Self::of(value) {
            None => Some(Flaw::invalid(field, value, "must be a quantity")),
            Some(quantity) if quantity.amount < 0 => {
                Some(Flaw::invalid(field, &json!(quantity.text()), "must be greater than or equal to 0"))
            }
            Some(_) => None,
        }
    }

    /// The sum, in the form of the first that is not zero.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let form = if self.is_zero() { other.form } else { self.form };
        Self::new(self.amount.saturating_add(other.amount), form)
    }

    pub(super) fn exceeds(&self, other: &Self) -> bool {
        self.amount > other.amount
    }

    /// The larger of both.
    pub(super) fn or(self, other: Self) -> Self {
        if other.exceeds(&self) { other } else { self }
    }

    /// The largest suffix with a whole number before it.
    pub(super) fn text(&self) -> String {
        if let Some(given) = &self.given {
            return given.clone();
        }
        if self.amount == 0 {
            return "0".to_owned();
        }
        let whole = self.amount / NANO;
        if self.form == Form::Binary && self.amount % NANO == 0 && whole.abs() >= 1024 {
            let fits = BINARY.iter().find(|(_, shift)| whole % (1_i128 << shift) == 0);
            return fits.map_or_else(|| whole.to_string(), |(suffix, shift)| format!("{}{suffix}", whole >> shift));
        }
        let (mut digits, mut exponent) = (self.amount, -9_i32);
        while digits % 1000 == 0 && (self.form == Form::Exponent || exponent < 18) {
            (digits, exponent) = (digits / 1000, exponent + 3);
        }
        let suffix = DECIMAL.iter().find(|(_, known)| *known == exponent).map_or("", |(suffix, _)| suffix);
        match self.form {
            Form::Exponent if exponent != 0 => format!("{digits}e{exponent}"),
            _ => format!("{digits}{suffix}"),
        }
    }
}

/// What the number before a suffix counts.
enum Unit {
    /// A power of ten.
    Ten(i64),
    /// A power of two.
    Two(u32),
}

impl Unit {
    fn of(suffix: &str) -> Option<(Self, Form)> {
        if let Some((_, exponent)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
            return Some((Self::Ten(i64::from(*exponent)), Form::Decimal));
        }
        if let Some((_, shift)) = BINARY.iter().find(|(name, _)| *name == suffix) {
            return Some((Self::Two(*shift), Form::Binary));
        }
        let digits = suffix.strip_prefix(['e', 'E'])?;
        let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        let is_number = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
        // One that is too long for any type is beyond all amounts.
        let exponent = unsigned.parse().unwrap_or(1000_i64).min(1000);
        let exponent = if digits.starts_with('-') { -exponent } else { exponent };
        is_number.then_some((Self::Ten(exponent), Form::Exponent))
    }

    /// So many billionths, rounded up; `places` of the digits are behind the point.
    fn times(&self, digits: &str, places: usize) -> i128 {
        let significant = digits.trim_start_matches('0');
        if significant.is_empty() {
            return 0;
        }
        let number = significant.parse::<i128>();
        let places = i64::try_from(places).unwrap_or(i64::MAX);
        let (number, exponent) = match (self, number) {
            (Self::Two(shift), Ok(number)) => (number.checked_mul(1 << shift), 9 - places),
            (Self::Ten(exponent), Ok(number)) => (Some(number), 9_i64.saturating_add(*exponent).saturating_sub(places)),
            (_, Err(_)) => (None, 0),
        };
        let Some(number) = number else { return i128::MAX };
        let power = u32::try_from(exponent.abs()).ok().and_then(|exponent| 10_i128.checked_pow(exponent));
        match (power, exponent < 0) {
            (Some(power), false) => number.saturating_mul(power),
            (Some(power), true) => number / power + i128::from(number % power != 0),
            (None, false) => i128::MAX,
            (None, true) => 1,
        }
    }

    /// Whether Kubernetes keeps the text that it was given: see `ParseQuantity` in `k8s.io/apimachinery/pkg/api/resource` 0.33.
    fn keeps(&self, digits: &str, places: usize) -> bool {
        let (length, places) = (digits.len(), i64::try_from(places).unwrap_or(i64::MAX));
        match self {
            Self::Ten(exponent) => {
                let scale = exponent.saturating_sub(places);
                let is_short = length <= 18 && scale >= -9 && scale % 3 == 0;
                is_short && !digits.ends_with("000") && !digits.starts_with('0') && !digits.is_empty()
            }
            Self::Two(shift) => {
                let is_short = places == 0 && length + (*shift as usize) * 3 / 10 <= 14;
                is_short && digits.parse::<i64>().is_ok_and(|number| number & 7 != 0)
            }
        }
    }
}

/// Writes every amount of a map in its shortest form.
pub(super) fn shorten(amounts: Option<&mut Value>) {
    for value in amounts.and_then(Value::as_object_mut).into_iter().flatten().map(|(_, value)| value) {
        shorten_one(value);
    }
}

pub(super) fn shorten_one(value: &mut Value) {
    if let Some(short) = Quantity::of(value) {
        *value = json!(short.rounded().text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_one_form() {
        for (given, wanted) in [
            (json!("1024Mi"), "1Gi"),
            (json!("1536Mi"), "1536Mi"),
            (json!("0.5Gi"), "512Mi"),
            (json!("1000000000"), "1G"),
            (json!("1500m"), "1500m"),
            (json!("2000m"), "2"),
            (json!(0.5), "500m"),
            (json!(2), "2"),
            (json!("0"), "0"),
            (json!("100k"), "100k"),
            (json!("1e3"), "1e3"),
            (json!("1E3"), "1E3"),
            (json!("1e2"), "100"),
            (json!("1e4"), "10e3"),
            (json!("100e2"), "10e3"),
            (json!("1000e3"), "1e6"),
            (json!("1.5e3"), "1500"),
            (json!("123456789e10"), "1234567890e9"),
            (json!("0.1e1"), "1"),
            (json!("5e-1"), "500e-3"),
            (json!("0e3"), "0"),
            (json!("+2"), "+2"),
            (json!("01"), "01"),
            (json!("8Ei"), "9223372036854775807"),
            (json!("0.5Ki"), "512"),
            (json!("12E"), "12E"),
        ] {
            assert_eq!(Quantity::of(&given).map(|quantity| quantity.text()).as_deref(), Some(wanted), "{given}");
        }
        for given in ["", ".", "abc", "1e", "1e+", "1ee3", "1.5.5", "--1", "1 Gi", "1KK", "1e3m", "e3"] {
            assert_eq!(Quantity::of(&json!(given)), None, "{given}");
        }
    }

    #[test]
    fn amounts_of_any_size_are_compared() {
        let of = |text: &str| Quantity::of(&json!(text)).unwrap();
        assert_eq!(of("1e30").rounded().text(), "1e30");
        let huge = "9".repeat(60);
        for text in ["1e30", "1e99999999999999999999", "99999999999E", &huge, "9e36"] {
            assert!(of(text).exceeds(&of("9E")) && !of(&format!("-{text}")).exceeds(&of("0")), "{text}");
            let _ = (of(text).plus(&of(text)).text(), of(text).rounded().text());
        }
        for text in ["1e-30", "1e-99999999999999999999", "0.0000000001", "1n", "1u"] {
            assert!(of(text).exceeds(&of("0")), "{text}");
            assert!(matches!(of(text).rounded().text().as_str(), "1m" | "1e-3"), "{text}");
        }
        assert_eq!(of("1500u").rounded().text(), "2m");
        assert!(of("1e3").exceeds(&of("999")) && of("1Ki").exceeds(&of("1e3")));
    }
}
