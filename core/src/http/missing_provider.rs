//! The unregistered resource provider that a response names.

use super::Answer;
use serde_json::Value;

pub(super) const NOT_REGISTERED: &str = "MissingSubscriptionRegistration";
/// The name of the provider in an error's context.
pub(super) const PROVIDER: &str = "provider";

/// The provider that a response reports as not registered, if it names one.
pub(super) fn missing_provider(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let details = body.get("error").unwrap_or(&body).get("details")?.as_array()?;
    let missing = details.iter().find(|detail| detail["code"] == NOT_REGISTERED)?["target"].as_str()?;
    let is_namespace =
        missing.contains('.') && missing.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    is_namespace.then(|| missing.to_owned())
}
