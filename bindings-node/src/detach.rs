//! Detach, and its plans.

use crate::{
    argument::{self, CallOnly, Millis, Text},
    call::Call,
    client::Client,
    error::Result,
    runtime::operations,
};
use aks_acr::{DetachPlan, PrincipalId};
use napi::Unknown;
use serde::Deserialize;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct DetachOptions {
    principal_id: Option<Text<PrincipalId>>,
    only_created_by_aks_acr: Option<bool>,
    deadline_ms: Option<Millis>,
}

fn options(value: Unknown<'_>, call: &Call) -> Result<aks_acr::DetachOptions> {
    let given: DetachOptions = argument::options(value)?;
    let mut options = aks_acr::DetachOptions::default().with_call(call.options(given.deadline_ms));
    options.principal_id = given.principal_id.map(|principal| principal.0);
    options.only_created_by_aks_acr = given.only_created_by_aks_acr.unwrap_or(options.only_created_by_aks_acr);
    Ok(options)
}

operations! {
    /// Takes back what lets a cluster's nodes pull from a registry.
    detach(client, call; cluster, registry, given) {
        let cluster = argument::parse("cluster", cluster)?;
        let registry = argument::parse("registry", registry)?;
        let options = options(given, call)?;
        async move { client.detach(&cluster, &registry, options).await }
    }

    /// Says what detach would remove.
    plan_detach(client, call; cluster, registry, given) {
        let cluster = argument::parse("cluster", cluster)?;
        let registry = argument::parse("registry", registry)?;
        let options = options(given, call)?;
        async move { client.plan_detach(&cluster, &registry, options).await }
    }

    /// Removes what a plan says.
    apply_detach(client, call; plan, given) {
        let plan: DetachPlan = argument::object("plan", plan)?;
        let given: CallOnly = argument::options(given)?;
        let options = aks_acr::ApplyDetachOptions::default().with_call(call.options(given.deadline_ms));
        async move { client.apply_detach(&plan, options).await }
    }
}
