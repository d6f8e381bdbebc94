//! Clusters that are made and deleted.

use super::{
    cluster::{self, hold},
    compare::{Rule, compare, shape},
    scene::{self, Got, SUBSCRIPTION, ask, azure, place},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::{Emulator, Timing};
use aks_acr_tests::data::paused;
use azure_core::http::Method;
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::time::Duration;

const TIME: Duration = Duration::from_secs(100);
const PUT: &str = "aks/16-managed-cluster-put-201";

/// An emulator that takes its time, with the group that the cluster is to be in.
fn slowly(exchange: &Exchange) -> Result<Emulator, Failed> {
    let azure = scene::group(azure(), place(&exchange.resource()?)?.0);
    azure.set_timing(Timing::none().with_cluster_creation(TIME).with_cluster_deletion(TIME));
    Ok(azure)
}

/// What was asked for is what is shown.
const ASKED: &[&str] = &[
    "/properties/agentPoolProfiles/*/count",
    "/properties/agentPoolProfiles/*/vmSize",
    "/properties/agentPoolProfiles/*/osType",
    "/properties/networkProfile/loadBalancerSku",
];

pub(super) fn create(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = ask(&slowly(&case.exchange)?, &case.exchange).await?;
        assert_eq!(got.body["properties"].get("identityProfile"), None, "it does not show one yet");
        hold(&case.exchange, &got, &[cluster::MANAGED, ASKED])
    })
}

/// The emulator's own ids of the two identities are put in the place of the recorded ones, which were made unreadable.
async fn bring_identities(exchange: &Exchange) -> Result<(Emulator, Got), Failed> {
    let profile = "/properties/identityProfile/kubeletidentity/resourceId";
    let first = |body: &Value| body["identity"]["userAssignedIdentities"].as_object()?.keys().next().cloned();
    let control_plane = first(&exchange.sent).ok_or("no identity was recorded")?;
    let kubelet = exchange.sent.pointer(profile).and_then(Value::as_str).ok_or("no kubelet identity was recorded")?;
    let azure = azure().with_identity(&control_plane).with_identity(kubelet);
    azure.set_timing(Timing::none().with_cluster_creation(TIME));
    let version = "?api-version=2023-01-31";
    let look = Exchange::asking(Method::Get, &format!("https://management.azure.com{control_plane}{version}"));
    let holder = ask(&azure, &look).await?.text("/properties/principalId")?;
    azure.grant("Managed Identity Operator", &holder, kubelet);
    let made = ask(&azure, exchange).await?;
    Ok((azure, made))
}

const BROUGHT: &[&str] =
    &["/properties/identityProfile/kubeletidentity/clientId", "/properties/identityProfile/kubeletidentity/objectId"];

/// The kubelet identity is there from the beginning, and is the one that was sent.
fn hold_brought(recorded: &Exchange, got: &Got) -> Result<(), Failed> {
    let of = |body: &Value| body["properties"]["identityProfile"]["kubeletidentity"]["resourceId"].clone();
    assert_eq!(of(&got.body), of(&recorded.body));
    let assigned = |body: &Value| -> Vec<String> {
        body["identity"]["userAssignedIdentities"].as_object().into_iter().flat_map(|all| all.keys().cloned()).collect()
    };
    assert_eq!(assigned(&got.body), assigned(&recorded.body));
    let mut got = got.clone();
    for (_, identity) in got.body["identity"]["userAssignedIdentities"].as_object_mut().into_iter().flatten() {
        // Recorded since aks/29.
        let client = identity.as_object_mut().and_then(|identity| identity.remove("clientId"));
        assert!(client.is_none_or(|client| client.is_string()));
    }
    hold(recorded, &got, &[BROUGHT, ASKED])
}

pub(super) fn create_with_identities(case: &Case) -> Result<(), Failed> {
    paused(async { hold_brought(&case.exchange, &bring_identities(&case.exchange).await?.1) })
}

pub(super) fn created_with_identities(case: &Case) -> Result<(), Failed> {
    paused(async {
        let put = case.other("aks/51-managed-cluster-put-201-byo-kubelet")?;
        let (azure, _) = bring_identities(&put).await?;
        tokio::time::sleep(TIME * 2).await;
        hold_brought(&case.exchange, &ask(&azure, &case.exchange).await?)
    })
}

/// The words of a creation, at the part of its time at which the emulator has them.
pub(super) fn poll(case: &Case, percent: u32) -> Result<(), Failed> {
    paused(async {
        let put = case.other(PUT)?;
        let azure = slowly(&put)?;
        let link = ask(&azure, &put).await?.link("azure-asyncoperation")?;
        assert_eq!(shape(&link), shape(&case.exchange.url));
        tokio::time::sleep(TIME * percent / 100).await;
        let got = ask(&azure, &case.exchange.at(link)).await?;
        assert_eq!(got.body.get("endTime"), None, "it has not ended");
        compare(&case.exchange, &got, &Rule { same: &["/status"], reads: &["/name", "/startTime"], ..Rule::default() })
    })
}

/// The recorded body is a text that was quoted over and over; what matters of it is sent anew.
pub(super) fn unknown_service_principal(case: &Case) -> Result<(), Failed> {
    paused(async {
        let recorded = &case.exchange;
        let profile = json!({"clientId": "clitest000002", "secret": "none"});
        let pools =
            json!([{"name": "np", "count": 1, "vmSize": "Standard_DS2_v2", "osType": "Linux", "mode": "System"}]);
        let properties = json!({"dnsPrefix": "dns", "agentPoolProfiles": pools, "servicePrincipalProfile": profile, "enableRBAC": true});
        let request = recorded.sending(json!({"location": "westus2", "properties": properties}));
        let mut got = ask(&slowly(recorded)?, &request).await?;
        let (words, tenant) = (got.text("/message")?, "54826b22-38d6-4fb2-bad9-b7b93a3e9c5a");
        let own = azure().tenant().to_owned();
        got.body["message"] = json!(words.replace(&own, tenant));
        compare(recorded, &got, &Rule { same: &["/code", "/message"], ..Rule::default() })
    })
}

pub(super) fn delete(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = azure().with_cluster_of(scene::cluster(&case.exchange.resource()?)?);
        compare(&case.exchange, &ask(&azure, &case.exchange).await?, &Rule::default())
    })
}

/// Recorded of a provider that is not emulated; the one of clusters is taken out of the subscription in its place.
pub(super) fn unregistered(case: &Case) -> Result<(), Failed> {
    paused(async {
        let namespace = "Microsoft.ContainerService";
        let put = case.other(PUT)?;
        let group = place(&put.resource()?)?.0.to_owned();
        let azure = Emulator::new().with_group(&group, "westus2");
        azure.unregister_provider(namespace);
        let own = azure.subscription().to_owned();
        let got = ask(&azure, &put.at(put.url.replace(SUBSCRIPTION, &own))).await?;
        let recorded = case.exchange.body.to_string().replace("Microsoft.ApiCenter", namespace);
        let recorded = case.exchange.answering(serde_json::from_str(&recorded)?);
        let same = &["/error/code", "/error/message", "/error/details"];
        compare(&recorded, &got, &Rule { same, ..Rule::default() })
    })
}
