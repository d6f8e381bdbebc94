//! Quotas of a namespace: how many objects of a kind it may have. Amounts of memory and processor time are not counted.

use serde_json::Value;

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{name, number, text};
use super::refusal::Refusal;

impl Kubernetes {
    /// Refuses an object that is one too many.
    pub(super) fn check_quota(&self, kind: &Kind, place: &str, object: &Value) -> Result<(), Refusal> {
        if !kind.namespaced || kind.kind == "Event" {
            return Ok(());
        }
        let counted = [kind.plural.clone(), format!("count/{}", kind.resource())];
        for quota in self.store.list("resourcequotas", place) {
            for resource in &counted {
                let pointer = format!("/spec/hard/{}", resource.replace('/', "~1"));
                let Some(hard) = limit(quota, &pointer) else { continue };
                let used = self.store.list(&kind.resource(), place).count();
                if i64::try_from(used).unwrap_or(i64::MAX) >= hard {
                    let why = format!(
                        "exceeded quota: {}, requested: {resource}=1, used: {resource}={used}, limited: {resource}={hard}",
                        name(quota)
                    );
                    return Err(Refusal::forbidden(kind, name(object), &why));
                }
            }
        }
        Ok(())
    }
}

fn limit(quota: &Value, pointer: &str) -> Option<i64> {
    number(quota, pointer).or_else(|| text(quota, pointer).parse().ok())
}
