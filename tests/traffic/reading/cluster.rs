//! Bodies of clusters. That of a PUT is that of a GET, and is given to the GET.

use super::{assert_requests, client};
use crate::exchange::{Case, Exchange};
use aks_acr::{CallOptions, ClusterIdentities, ClusterRef};
use aks_acr_tests::{data::paused, replay::Replay};
use libtest_mimic::Failed;
use serde_json::Value;

/// What a file is there to show. Ids are compared with those in the file.
#[derive(Clone, Copy)]
pub(super) struct Facts {
    pub state: &'static str,
    pub kubelet: bool,
    pub service_principal: bool,
    /// Whether Azure's roles decide inside, on a cluster with Entra.
    pub entra: Option<bool>,
    pub local_accounts_disabled: bool,
    pub add_on: Option<&'static str>,
}

impl Facts {
    pub(super) fn plain() -> Self {
        Self {
            state: "Succeeded",
            kubelet: true,
            service_principal: false,
            entra: None,
            local_accounts_disabled: false,
            add_on: None,
        }
    }

    pub(super) fn without_kubelet(state: &'static str) -> Self {
        Self { state, kubelet: false, ..Self::plain() }
    }

    pub(super) fn of_service_principal() -> Self {
        Self { kubelet: false, service_principal: true, ..Self::plain() }
    }

    pub(super) fn with_entra(azure_rbac: bool) -> Self {
        Self { entra: Some(azure_rbac), ..Self::plain() }
    }
}

pub(super) fn read(case: &Case, facts: Facts) -> Result<(), Failed> {
    let exchange = &case.exchange;
    let id = exchange.resource()?;
    let cluster: ClusterRef = id.parse()?;
    let replay = Replay::of([exchange.answer()]);
    let found = paused(async { client(&replay)?.identities(&cluster, CallOptions::default()).await })?;
    assert_requests(&replay, &[format!("GET {id}")])?;
    assert_eq!(found.state, facts.state);
    assert_eq!(found.entra.map(|entra| entra.azure_rbac), facts.entra);
    assert_eq!(found.local_accounts_disabled, facts.local_accounts_disabled);
    assert_kubelet(exchange, &found, facts.kubelet)?;
    assert_control_plane(exchange, &found)?;
    let principal = exchange.body.pointer("/properties/servicePrincipalProfile/clientId").and_then(Value::as_str);
    assert_eq!(found.service_principal.as_deref(), principal.filter(|_| facts.service_principal));
    let add_ons: Vec<&str> = found.add_ons.iter().map(|one| one.add_on.as_str()).collect();
    assert_eq!(add_ons, facts.add_on.into_iter().collect::<Vec<_>>());
    for one in &found.add_ons {
        let wanted = exchange.text(&format!("/properties/addonProfiles/{}/identity/objectId", one.add_on))?;
        assert_eq!(one.object_id.to_string(), wanted);
    }
    Ok(())
}

fn assert_kubelet(exchange: &Exchange, found: &ClusterIdentities, is_there: bool) -> Result<(), Failed> {
    if !is_there {
        assert_eq!(found.kubelet, None);
        return Ok(());
    }
    let kubelet = found.kubelet.as_ref().ok_or("no kubelet identity was found")?;
    let profile = "/properties/identityProfile/kubeletidentity";
    assert_eq!(kubelet.object_id.to_string(), exchange.text(&format!("{profile}/objectId"))?);
    assert_eq!(kubelet.client_id.as_deref(), Some(exchange.text(&format!("{profile}/clientId"))?));
    assert_eq!(kubelet.resource_id.as_deref(), Some(exchange.text(&format!("{profile}/resourceId"))?));
    Ok(())
}

/// One principal for an identity of the system's, one for each of the user's, none on a cluster with a service principal.
fn assert_control_plane(exchange: &Exchange, found: &ClusterIdentities) -> Result<(), Failed> {
    let identity = &exchange.body["identity"];
    let wanted: Vec<&Value> = match identity["type"].as_str() {
        None => Vec::new(),
        Some("SystemAssigned") => vec![&identity["principalId"]],
        Some("UserAssigned") => {
            let all = identity["userAssignedIdentities"].as_object().into_iter().flatten();
            all.map(|(_, one)| &one["principalId"]).collect()
        }
        Some(other) => return Err(format!("an identity of type {other} was not expected here").into()),
    };
    let found: Vec<Value> = found.control_plane.iter().map(|id| id.to_string().into()).collect();
    assert_eq!(found.iter().collect::<Vec<_>>(), wanted);
    Ok(())
}
