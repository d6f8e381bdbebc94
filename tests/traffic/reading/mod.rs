//! The library's half: each recorded answer is given to an operation, and what the library makes of it is asserted.
//!
//! An answer is given as it was recorded, to an operation of the library that reads answers of its shape. That is the
//! operation that was recorded where the library has it. Where it has not, another operation gets the answer, and the check
//! says so; nothing of the answer is changed but what the check names.

mod cluster;
mod failure;
mod image;
mod import;
mod kubeconfig;
mod operation;
mod registry;
mod role;

use crate::Checks;
use aks_acr::{Call, CallOptions, Client};
use aks_acr_tests::replay::{Named, Replay};
use cluster::Facts;
use libtest_mimic::Failed;
use std::{sync::Arc, time::Duration};

/// The subscription that every recording names.
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

fn client(replay: &Replay) -> aks_acr::Result<Client> {
    Client::builder(Arc::new(Named), SUBSCRIPTION).transport(Arc::new(replay.clone())).build()
}

/// A call that no wait outlives.
fn call() -> Call {
    CallOptions::default().start(Duration::from_secs(24 * 3600))
}

/// Every answer was wanted, and these are the requests that it took.
fn assert_requests(replay: &Replay, wanted: &[String]) -> Result<(), Failed> {
    assert_eq!(replay.lines(), wanted);
    if replay.is_used_up() { Ok(()) } else { Err("an answer was not asked for".into()) }
}

pub(crate) const CHECKS: &Checks = &[
    ("acr/05-registry-create-201-creating", registry::create_and_poll),
    ("acr/06-registry-create-poll-succeeded", operation::done),
    ("acr/07-registry-create-poll-creating", operation::running),
    ("acr/08-registry-create-200-succeeded", registry::create_at_once),
    ("acr/09-registry-get-premium", registry::legacy),
    ("acr/10-registry-create-200-dnl-resourcegroupreuse", registry::create_at_once),
    ("acr/11-registry-create-409-name-in-use", registry::name_in_use),
    ("acr/12-registry-create-201-abac-basic", registry::create_and_poll),
    ("acr/13-registry-get-abac-basic", registry::abac),
    ("acr/14-registry-create-abac-stable-example", registry::abac),
    ("acr/15-registry-get-standard-2023-07-01", registry::legacy),
    ("acr/16-registry-get-404", registry::absent),
    ("acr/17-registry-list-by-rg-404", registry::group_absent),
    ("acr/18-registry-get-public-network-disabled", registry::legacy),
    ("acr/19-registry-patch-public-network-disabled", registry::legacy),
    ("acr/20-registry-patch-public-network-enabled", registry::legacy),
    ("acr/21-registry-patch-network-rules", registry::legacy),
    ("acr/24-registry-list-by-rg", registry::listed),
    ("acr/25-import-by-resource-id-202", import::start),
    ("acr/26-import-poll-202-pending", import::pending),
    ("acr/27-import-poll-200-succeeded", import::succeeded),
    ("acr/28-import-two-targets-202", import::start),
    ("acr/29-import-by-digest-202", import::start),
    ("acr/30-import-docker-hub-no-tags-202", import::start),
    ("acr/31-import-registry-uri-username-password-202", import::start),
    ("acr/32-import-registry-uri-token-only-202", import::start),
    ("acr/33-import-202-empty-body-2026", import::start),
    ("acr/34-import-poll-202-2026", import::pending),
    ("acr/35-import-202-retry-after", import::start),
    ("acr/36-import-by-digest-untagged-example", import::start),
    ("acr/37-import-202-go-sdk-default-mode", import::start),
    ("acr/38-import-failure-texts", import::failures),
    ("acr/39-dataplane-v2-challenge-401", image::found),
    ("acr/40-dataplane-oauth2-exchange", image::found),
    ("acr/41-dataplane-oauth2-token-repository", image::found),
    ("acr/42-dataplane-catalog-401", image::refused),
    ("acr/43-dataplane-oauth2-token-anonymous", image::anonymous),
    ("acr/46-dataplane-manifest-401-metadata-read", image::refused),
    ("acr/47-dataplane-manifest-404-unknown", image::absent),
    ("acr/49-dataplane-v2-manifest-200", image::found),
    ("aks/01-role-definitions-list-acrpull", role::definition),
    ("aks/02-role-assignment-put-201", role::granted),
    ("aks/03-role-assignment-put-409-exists", role::exists),
    ("aks/04-role-assignment-put-400-principal-not-found", role::never_known),
    ("aks/05-role-assignment-put-400-unmatched-type", role::unmatched),
    ("aks/06-role-assignment-put-403", role::refused),
    ("aks/07-role-assignment-list-principalid", role::listed),
    ("aks/08-role-assignment-delete-200", role::revoked),
    ("aks/09-role-assignment-list-atscope-assignedto", role::listed),
    ("aks/10-role-assignment-list-atscope", role::listed),
    ("aks/13-resource-group-get", registry::location_of_group),
    ("aks/14-managed-cluster-get-404", failure::not_found),
    ("aks/15-resource-group-404", failure::not_found),
    ("aks/16-managed-cluster-put-201", cluster::create),
    ("aks/17-operation-poll-inprogress", operation::running),
    ("aks/18-operation-poll-provisioningcontrolplane", operation::running),
    ("aks/19-operation-poll-reconcilingaddons", operation::running),
    ("aks/20-operation-poll-creatingagentpools-1-1", operation::running),
    ("aks/21-operation-poll-succeeded", operation::done),
    ("aks/22-operation-poll-failed", operation::failed),
    ("aks/23-operation-poll-canceled", operation::failed),
    ("aks/24-operation-poll-502", operation::out_of_order),
    ("aks/25-managed-cluster-get-msi", |case| cluster::read(case, Facts::plain())),
    ("aks/26-managed-cluster-get-creating", |case| cluster::read(case, Facts::without_kubelet("Creating"))),
    ("aks/27-managed-cluster-get-canceled", |case| cluster::read(case, Facts::without_kubelet("Canceled"))),
    ("aks/28-managed-cluster-get-service-principal", |case| cluster::read(case, Facts::of_service_principal())),
    ("aks/29-managed-cluster-get-userassigned", |case| cluster::read(case, Facts::plain())),
    ("aks/30-managed-cluster-get-aad-azure-rbac", |case| cluster::read(case, Facts::with_entra(true))),
    ("aks/31-managed-cluster-get-aad", |case| cluster::read(case, Facts::with_entra(false))),
    ("aks/32-managed-cluster-get-local-accounts-disabled", |case| {
        cluster::read(case, Facts { local_accounts_disabled: true, ..Facts::with_entra(false) })
    }),
    ("aks/33-managed-cluster-get-private", |case| cluster::read(case, Facts::plain())),
    ("aks/34-managed-cluster-get-addon-identity", |case| {
        cluster::read(case, Facts { add_on: Some("azureKeyvaultSecretsProvider"), ..Facts::plain() })
    }),
    ("aks/35-managed-cluster-put-200-update", |case| {
        cluster::read(case, Facts { state: "Updating", ..Facts::plain() })
    }),
    ("aks/36-managed-cluster-put-400-invalid-parameter", failure::invalid),
    ("aks/37-managed-cluster-put-400-sp-not-found", failure::invalid),
    ("aks/38-managed-cluster-put-429", failure::throttled),
    ("aks/39-front-door-put-429", failure::throttled),
    ("aks/40-managed-cluster-404-bare", failure::not_found),
    ("aks/41-managed-cluster-delete-202", operation::two_links),
    ("aks/42-list-cluster-user-credential", kubeconfig::user),
    ("aks/43-list-cluster-admin-credential", kubeconfig::admin),
    ("aks/44-namespace-list-credential-exec", kubeconfig::entra),
    ("aks/47-missing-subscription-registration-409", failure::not_registered),
    ("aks/48-role-definitions-list-managed-identity-operator", role::definition),
    ("aks/49-role-assignment-put-400-principal-not-found-new-identity", role::known_later),
    ("aks/50-role-assignment-put-201-managed-identity-operator", role::granted),
    ("aks/51-managed-cluster-put-201-byo-kubelet", |case| {
        cluster::read(case, Facts { state: "Creating", ..Facts::plain() })
    }),
    ("aks/52-managed-cluster-get-byo-kubelet", |case| cluster::read(case, Facts::plain())),
    ("aks/53-run-command-202", operation::one_link),
    ("aks/54-command-result-202-running", operation::state_inside_running),
    ("aks/55-command-result-200-succeeded", operation::state_inside_done),
    ("aks/56-managed-cluster-get-msi-unsanitised-ids", |case| {
        cluster::read(case, Facts { add_on: Some("azurepolicy"), ..Facts::plain() })
    }),
];
