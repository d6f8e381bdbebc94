//! How long a service asks to wait, in each form that Azure uses.

use azure_core::http::headers::{HeaderName, Headers};
use std::time::Duration;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

const SECONDS_OR_DATE: &str = "retry-after";
const MILLISECONDS: [&str; 2] = ["x-ms-retry-after-ms", "retry-after-ms"];

/// The wait that a response of Azure asks for.
pub(crate) fn retry_after(headers: &Headers) -> Option<Duration> {
    retry_after_in(|name| headers.get_optional_str(&HeaderName::from_static(name)))
}

/// `retry-after` in seconds or as a date, `retry-after-ms` and `x-ms-retry-after-ms`.
pub(crate) fn retry_after_in<'a>(header: impl Fn(&'static str) -> Option<&'a str>) -> Option<Duration> {
    if let Some(wait) = MILLISECONDS.into_iter().find_map(&header).and_then(|text| text.trim().parse().ok()) {
        return Some(Duration::from_millis(wait));
    }
    let text = header(SECONDS_OR_DATE)?.trim();
    text.parse().ok().map(Duration::from_secs).or_else(|| http_date(text).map(until))
}

fn until(then: OffsetDateTime) -> Duration {
    (then - OffsetDateTime::now_utc()).try_into().unwrap_or(Duration::ZERO)
}

/// HTTP dates end in `GMT`; the parser for mail dates requires an offset.
pub(crate) fn http_date(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(&format!("{}+0000", text.strip_suffix("GMT")?), &Rfc2822).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &'static str, value: &str) -> Option<Duration> {
        let mut headers = Headers::new();
        headers.insert(name, value.to_owned());
        retry_after(&headers)
    }

    #[test]
    fn every_form_is_understood() {
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("x-ms-retry-after-ms", "20"), Some(Duration::from_millis(20)));
        assert_eq!(asked("retry-after", "Fri, 01 Jan 2021 00:00:00 GMT"), Some(Duration::ZERO));
        let far = asked("retry-after", "Fri, 01 Jan 2100 00:00:00 GMT");
        assert!(far.is_some_and(|wait| wait > Duration::from_secs(3600 * 24 * 365 * 50)), "{far:?}");
    }

    #[test]
    fn an_invalid_wait_is_ignored() {
        assert_eq!(asked("retry-after", "soon"), None);
        assert_eq!(asked("date", "7"), None);
    }
}
