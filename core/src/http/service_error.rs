//! A service's error body.

use super::header::CORRELATION_ID;
use crate::error::ServiceError;
use azure_core::http::headers::Headers;
use serde_json::Value;

/// Parses an error body in each known shape: Resource Manager wraps it, AKS does not, a registry lists several, Entra ID has two
/// strings. Nothing in it is required, and an invalid field does not affect the others.
pub(crate) fn service_error(status: u16, headers: &Headers, body: &[u8]) -> ServiceError {
    let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let (code, message, details) = match (&body["error"], &body["errors"][0]) {
        (Value::String(code), _) => (Some(code.clone()), text(&body["error_description"]), &Value::Null),
        (wrapped @ Value::Object(_), _) | (_, wrapped @ Value::Object(_)) => parts(wrapped),
        _ => parts(&body),
    };
    let header = |name: &'static str| headers.get_optional_str(&name.into()).map(str::to_owned);
    ServiceError {
        status,
        code: code.filter(|code| !code.is_empty()),
        message: join(message, &detail_messages(details)),
        request_id: header("x-ms-request-id"),
        correlation_id: header(CORRELATION_ID),
    }
}

fn parts(error: &Value) -> (Option<String>, Option<String>, &Value) {
    (text(&error["code"]), text(&error["message"]), &error["details"])
}

/// A string, or a number as a string. Some providers write a message in `OData` format, with its language.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(fields) => fields.get("value").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

fn detail_messages(details: &Value) -> Vec<&str> {
    let list = details.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|detail| detail.get("message").and_then(Value::as_str)).collect()
}

/// The message, followed by those details that it does not contain already.
fn join(message: Option<String>, details: &[&str]) -> Option<String> {
    let mut text = message.unwrap_or_default();
    for detail in details {
        if !detail.is_empty() && !text.contains(detail) {
            let gap = if text.is_empty() { "" } else { "; " };
            text = format!("{text}{gap}{detail}");
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> (Option<String>, Option<String>) {
        let service = service_error(400, &Headers::new(), body.as_bytes());
        (service.code, service.message)
    }

    #[test]
    fn both_shapes_of_azure_are_read() {
        let wanted = (Some("C".to_owned()), Some("say \"m\"".to_owned()));
        assert_eq!(read(r#"{"error":{"code":"C","message":"say \"m\"","details":null}}"#), wanted);
        assert_eq!(read(r#"{"code":"C","message":"say \"m\"","details":null,"subcode":"","target":null}"#), wanted);
        assert_eq!(read(r#"{"errors":[{"code":"C","message":"say \"m\""}]}"#), wanted);
    }

    #[test]
    fn a_field_of_another_type_does_not_hide_the_others() {
        let is = |code: &str, message: &str| (Some(code.to_owned()), Some(message.to_owned()));
        assert_eq!(read(r#"{"error":{"code":7,"message":"m","details":"text"}}"#), is("7", "m"));
        assert_eq!(read(r#"{"error":{"code":"C","message":7}}"#), is("C", "7"));
        assert_eq!(read(r#"{"error":{"code":"C","message":"m"},"errors":null,"code":[]}"#), is("C", "m"));
        assert_eq!(read(r#"{"error":null,"code":"C","message":"m","details":{}}"#), is("C", "m"));
        assert_eq!(read(r#"{"error":{"code":{},"message":"m"}}"#), (None, Some("m".to_owned())));
    }

    #[test]
    fn details_are_added_once() {
        let (_, message) = read(r#"{"error":{"message":"a b","details":[{"message":"b"},{"message":"c"}]}}"#);
        assert_eq!(message.as_deref(), Some("a b; c"));
    }

    #[test]
    fn a_field_of_another_type_takes_no_other_with_it() {
        let code = |text: &str| Some(text.to_owned());
        assert_eq!(read(r#"{"error":{"code":"C","message":{"lang":"en-us","value":"m"}}}"#), (code("C"), code("m")));
        assert_eq!(read(r#"{"error":{"code":403,"message":"m","details":"d"}}"#), (code("403"), code("m")));
        assert_eq!(read(r#"{"error":{"code":"C","message":["m"],"details":[1,{"message":2}]}}"#), (code("C"), None));
        assert_eq!(read(r#"{"error":{"code":"C"},"errors":"none","code":7}"#), (code("C"), None));
        assert_eq!(read(r#"{"error":null,"errors":[{"code":"C","message":null}]}"#), (code("C"), None));
        assert_eq!(read(r#"{"code":5,"message":"m","error_description":1}"#), (code("5"), code("m")));
        assert_eq!(read(r#"{"error":"invalid_client","error_description":7}"#), (code("invalid_client"), code("7")));
    }

    #[test]
    fn an_invalid_error_body_is_ignored() {
        assert_eq!(read("<html>"), (None, None));
        assert_eq!(read(""), (None, None));
        assert_eq!(read("[]"), (None, None));
    }
}
