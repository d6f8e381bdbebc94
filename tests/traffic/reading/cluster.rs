//! Bodies of clusters. That of a PUT is that of a GET, and is given to the GET.

use super::{assert_requests, client};
use crate::exchange::{Case, Exchange};
use aks_acr::{CallOptions, ClusterIdentities, ClusterRef, ClusterTier, CreateClusterOptions, SshKey};
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

/// What today's az leaves to the service, or sends in another place, where the older one that was recorded did not.
const NO_LONGER_AS_RECORDED: [&str; 3] =
    ["/properties/networkProfile", "/properties/bootstrapProfile", "/properties/linuxProfile/ssh/publicKeys/0/keyData"];

/// What az sent when this was recorded is what the library sends for the same request: each member that both have is equal, except for
/// those named above.
fn assert_sent_as_recorded(place: &str, sent: &Value, recorded: &Value) {
    if NO_LONGER_AS_RECORDED.contains(&place) {
        return;
    }
    match (sent, recorded) {
        (Value::Object(sent), Value::Object(recorded)) => {
            for (name, value) in sent {
                if let Some(recorded) = recorded.get(name) {
                    assert_sent_as_recorded(&format!("{place}/{name}"), value, recorded);
                }
            }
        }
        (Value::Array(sent), Value::Array(recorded)) if sent.len() == recorded.len() => {
            for (at, (one, other)) in sent.iter().zip(recorded).enumerate() {
                assert_sent_as_recorded(&format!("{place}/{at}"), one, other);
            }
        }
        _ => assert_eq!(sent, recorded, "{place}"),
    }
}

/// The whole way: absent, made, polled, read. The answer has the state that is waited for, and the body is the recorded one.
pub(super) fn create(case: &Case) -> Result<(), Failed> {
    read(case, Facts::without_kubelet("Creating"))?;
    let put = &case.exchange;
    let key = put.sent["properties"]["linuxProfile"]["ssh"]["publicKeys"][0]["keyData"].as_str().ok_or("no key")?;
    let options = CreateClusterOptions::default()
        .with_location("westus2")
        .with_node_count(1)
        .with_vm_size("Standard_DS2_v2")
        .with_tier(ClusterTier::Standard)
        .with_ssh_key(SshKey::Public(key.to_owned()));
    let mut made = put.body.clone();
    made["properties"]["provisioningState"] = "Succeeded".into();
    let replay = Replay::of([
        case.other("aks/14-managed-cluster-get-404")?.answer(),
        put.answer(),
        case.other("aks/18-operation-poll-provisioningcontrolplane")?.answer(),
        case.other("aks/21-operation-poll-succeeded")?.answer(),
        put.answering(made).answer(),
    ]);
    let cluster: ClusterRef = put.resource()?.parse()?;
    let created = paused(async { client(&replay)?.create_cluster(&cluster, options).await })?;
    assert!(created.is_new && replay.is_used_up());
    assert_eq!((created.cluster.state.as_str(), created.cluster.node_count), ("Succeeded", Some(1)));
    assert_eq!(created.cluster.vm_size, "Standard_DS2_v2");
    assert_eq!(created.cluster.host.as_deref(), put.body["properties"]["fqdn"].as_str());
    let mut sent = replay.sent()[1].json();
    // The recording's subscription was made unknown, but in this name.
    sent["properties"]["dnsPrefix"] = put.sent["properties"]["dnsPrefix"].clone();
    assert_sent_as_recorded("", &sent, &put.sent);
    Ok(())
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
