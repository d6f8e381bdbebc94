//! The emulator's half: each recorded request is made to an emulator in which the scene is set for it, and the answer is
//! compared with the recorded one.
//!
//! The request is sent as it was recorded: method, address with its api-version, body. What must be another one, since only
//! the emulator knows it, is named in the check: tokens, ids of principals that must exist, digests of images that must.

mod cluster;
mod command;
mod compare;
mod image;
mod import;
mod kubeconfig;
mod making;
mod registry;
mod resource;
mod role;
pub(crate) mod rule;
mod scene;

use crate::Checks;
use aks_acr_emulator::ClusterSeed;

pub(crate) const CHECKS: &Checks = &[
    ("acr/01-check-name-available", registry::name_free),
    ("acr/02-check-name-available-dnl-noreuse", registry::name_free_with_label),
    ("acr/03-check-name-already-exists", registry::name_taken),
    ("acr/04-check-name-invalid-reserved", registry::name_reserved),
    ("acr/05-registry-create-201-creating", registry::create_slowly),
    ("acr/06-registry-create-poll-succeeded", registry::poll_done),
    ("acr/07-registry-create-poll-creating", registry::poll_running),
    ("acr/08-registry-create-200-succeeded", registry::create_at_once),
    ("acr/09-registry-get-premium", registry::get),
    ("acr/10-registry-create-200-dnl-resourcegroupreuse", registry::create_with_label),
    ("acr/11-registry-create-409-name-in-use", registry::create_taken),
    ("acr/12-registry-create-201-abac-basic", registry::create_slowly),
    ("acr/13-registry-get-abac-basic", registry::get),
    ("acr/14-registry-create-abac-stable-example", registry::create_slowly),
    ("acr/15-registry-get-standard-2023-07-01", registry::get),
    ("acr/16-registry-get-404", registry::absent),
    ("acr/17-registry-list-by-rg-404", registry::group_absent),
    ("acr/18-registry-get-public-network-disabled", registry::get),
    ("acr/19-registry-patch-public-network-disabled", registry::patch),
    ("acr/20-registry-patch-public-network-enabled", registry::patch),
    ("acr/21-registry-patch-network-rules", registry::patch),
    ("acr/23-resources-list-by-type", resource::registries),
    ("acr/24-registry-list-by-rg", registry::list),
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
    ("acr/36-import-by-digest-untagged-example", import::start_as_example),
    ("acr/37-import-202-go-sdk-default-mode", import::start),
    ("acr/39-dataplane-v2-challenge-401", image::challenge),
    ("acr/40-dataplane-oauth2-exchange", image::exchange),
    ("acr/41-dataplane-oauth2-token-repository", image::token),
    ("acr/42-dataplane-catalog-401", image::challenge),
    ("acr/43-dataplane-oauth2-token-anonymous", image::anonymous),
    ("acr/44-dataplane-catalog-200", image::catalog),
    ("acr/45-dataplane-manifest-attributes-200", image::manifest_attributes),
    ("acr/46-dataplane-manifest-401-metadata-read", image::challenge),
    ("acr/47-dataplane-manifest-404-unknown", image::manifest_unknown),
    ("acr/48-dataplane-tag-attributes-200", image::tag_attributes),
    ("acr/49-dataplane-v2-manifest-200", image::manifest),
    ("aks/01-role-definitions-list-acrpull", role::definition),
    ("aks/02-role-assignment-put-201", role::granted),
    ("aks/03-role-assignment-put-409-exists", role::exists),
    ("aks/04-role-assignment-put-400-principal-not-found", role::unknown_principal),
    ("aks/05-role-assignment-put-400-unmatched-type", role::unmatched_type),
    ("aks/06-role-assignment-put-403", role::refused),
    ("aks/07-role-assignment-list-principalid", role::listed_by_principal),
    ("aks/08-role-assignment-delete-200", role::revoked),
    ("aks/09-role-assignment-list-atscope-assignedto", role::listed_by_assignee),
    ("aks/10-role-assignment-list-atscope", role::listed_at_scope),
    ("aks/11-resources-list-by-type", resource::registries),
    ("aks/12-graph-serviceprincipals-by-appid-empty", resource::no_application),
    ("aks/13-resource-group-get", resource::group),
    ("aks/14-managed-cluster-get-404", cluster::absent),
    ("aks/15-resource-group-404", cluster::group_absent),
    ("aks/16-managed-cluster-put-201", making::create),
    ("aks/17-operation-poll-inprogress", cluster::poll_running),
    ("aks/18-operation-poll-provisioningcontrolplane", |case| making::poll(case, 30)),
    ("aks/19-operation-poll-reconcilingaddons", |case| making::poll(case, 95)),
    ("aks/20-operation-poll-creatingagentpools-1-1", |case| making::poll(case, 80)),
    ("aks/21-operation-poll-succeeded", cluster::poll_done),
    ("aks/25-managed-cluster-get-msi", |case| cluster::get(case, |seed| seed)),
    ("aks/26-managed-cluster-get-creating", |case| cluster::get_without_kubelet(case, |seed| seed.state("Creating"))),
    ("aks/27-managed-cluster-get-canceled", |case| {
        cluster::get_without_kubelet(case, |seed| seed.state("Canceled").without_kubelet_identity())
    }),
    ("aks/28-managed-cluster-get-service-principal", cluster::get_of_service_principal),
    ("aks/29-managed-cluster-get-userassigned", cluster::get_user_assigned),
    ("aks/30-managed-cluster-get-aad-azure-rbac", |case| cluster::get_entra(case, ClusterSeed::azure_rbac)),
    ("aks/31-managed-cluster-get-aad", |case| cluster::get_entra(case, |seed| seed)),
    ("aks/32-managed-cluster-get-local-accounts-disabled", |case| {
        cluster::get_entra(case, ClusterSeed::local_accounts_disabled)
    }),
    ("aks/35-managed-cluster-put-200-update", cluster::update),
    ("aks/36-managed-cluster-put-400-invalid-parameter", cluster::invalid),
    ("aks/37-managed-cluster-put-400-sp-not-found", making::unknown_service_principal),
    ("aks/41-managed-cluster-delete-202", making::delete),
    ("aks/42-list-cluster-user-credential", |case| kubeconfig::asked(case, |seed| seed)),
    ("aks/43-list-cluster-admin-credential", |case| kubeconfig::asked(case, |seed| seed)),
    ("aks/44-namespace-list-credential-exec", kubeconfig::of_cluster_with_entra),
    ("aks/45-user-assigned-identity-put-201", command::make_identity),
    ("aks/46-user-assigned-identity-get", command::identity),
    ("aks/47-missing-subscription-registration-409", making::unregistered),
    ("aks/48-role-definitions-list-managed-identity-operator", role::definition),
    ("aks/49-role-assignment-put-400-principal-not-found-new-identity", role::new_identity),
    ("aks/50-role-assignment-put-201-managed-identity-operator", role::known_identity),
    ("aks/51-managed-cluster-put-201-byo-kubelet", making::create_with_identities),
    ("aks/52-managed-cluster-get-byo-kubelet", making::created_with_identities),
    ("aks/53-run-command-202", command::run),
    ("aks/54-command-result-202-running", command::running),
    ("aks/55-command-result-200-succeeded", command::done),
    ("aks/56-managed-cluster-get-msi-unsanitised-ids", |case| cluster::get(case, |seed| seed)),
];
