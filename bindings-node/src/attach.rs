//! Attach, and its plans.

use crate::{
    argument::{self, Millis, Text},
    call::Call,
    client::Client,
    error::Result,
    runtime::operations,
};
use aks_acr::{AttachPlan, OnConditionMismatch, OnInheritedGrant, PrincipalId};
use napi::Unknown;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct AttachOptions {
    principal_id: Option<Text<PrincipalId>>,
    condition: Option<String>,
    on_inherited_grant: Option<Text<OnInheritedGrant>>,
    on_condition_mismatch: Option<Text<OnConditionMismatch>>,
    retry_forbidden_for_ms: Option<Millis>,
    deadline_ms: Option<Millis>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ApplyAttachOptions {
    retry_forbidden_for_ms: Option<Millis>,
    deadline_ms: Option<Millis>,
}

fn options(value: Unknown<'_>, call: &Call) -> Result<aks_acr::AttachOptions> {
    let given: AttachOptions = argument::options(value)?;
    let mut options = aks_acr::AttachOptions::default().with_call(call.options(given.deadline_ms));
    options.principal_id = given.principal_id.map(|principal| principal.0);
    options.condition = given.condition;
    options.on_inherited_grant =
        given.on_inherited_grant.map_or(options.on_inherited_grant, |on_inherited_grant| on_inherited_grant.0);
    options.on_condition_mismatch =
        given.on_condition_mismatch.map_or(options.on_condition_mismatch, |condition| condition.0);
    options.retry_forbidden_for = given.retry_forbidden_for_ms.map(|millis| millis.0);
    Ok(options)
}

operations! {
    /// Makes a cluster's nodes able to pull from a registry.
    attach(client, call; cluster, registry, given) {
        let cluster = argument::parse("cluster", cluster)?;
        let registry = argument::parse("registry", registry)?;
        let options = options(given, call)?;
        async move { client.attach(&cluster, &registry, options).await }
    }

    /// Says what attach would do.
    plan_attach(client, call; cluster, registry, given) {
        let cluster = argument::parse("cluster", cluster)?;
        let registry = argument::parse("registry", registry)?;
        let options = options(given, call)?;
        async move { client.plan_attach(&cluster, &registry, options).await }
    }

    /// Does what a plan says.
    apply_attach(client, call; plan, given) {
        let plan: AttachPlan = argument::object("plan", plan)?;
        let given: ApplyAttachOptions = argument::options(given)?;
        let mut options = aks_acr::ApplyAttachOptions::default().with_call(call.options(given.deadline_ms));
        options.retry_forbidden_for = given.retry_forbidden_for_ms.map(|millis| millis.0);
        async move { client.apply_attach(&plan, options).await }
    }
}
