//! The subscriptions that a caller can list.

use crate::{
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    id::SubscriptionId,
};
use serde::Deserialize;

const API: &str = "2022-12-01";

/// See [List subscriptions](https://learn.microsoft.com/rest/api/resources/subscriptions/list).
pub(super) async fn list(arm: &Arm, call: &Call) -> Result<Vec<SubscriptionId>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Subscription {
        subscription_id: Option<String>,
        state: Option<String>,
    }
    let request = ArmRequest::get("/subscriptions", API).step("listing the subscriptions");
    let is_usable = |state: Option<&str>| {
        state.is_none_or(|state| !["Disabled", "Deleted"].iter().any(|gone| state.eq_ignore_ascii_case(gone)))
    };
    let read = |one: Subscription| {
        let usable = one.subscription_id.filter(|_| is_usable(one.state.as_deref()));
        Ok(usable.and_then(|id| id.parse().ok()))
    };
    arm.list(request, "a list of subscriptions", call, read).await
}
