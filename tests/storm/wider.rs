//! The wider story, of what few run and few run often: a registry is changed, access granted and revoked, a pull secret set up, a kubelet
//! identity made with its cluster, another one made and removed, a pull proven, the registry moved to repository permissions, and a
//! cluster and a registry deleted.

use crate::{
    stage::Stage,
    teller::{Stop, Teller, broken},
};
use aks_acr::{
    AccessRole, ApplyDeleteClusterOptions, ApplyDeleteRegistryOptions, ApplyGrantAccessOptions,
    ApplyKubeletIdentityOptions, ApplyModeChangeOptions, ApplyPullSecretOptions, ApplyRevokeAccessOptions, CallOptions,
    CheckOptions, Client, ClusterRef, CreateClusterOptions, DeleteClusterOptions, DeleteRegistryOptions,
    EndpointsOptions, ErrorKind, GrantAccessOptions, KubeletIdentityOptions, KubeletIdentityPlan, ModeChangeOptions,
    PrincipalId, ProofOutcome, ProvePullOptions, PullSecretOptions, RegistryCredential, RegistryRef,
    RemoveKubeletIdentityOptions, RevokeAccessOptions, RoleAssignmentMode, Secret, UpdateRegistryOptions, Verdict,
};
use aks_acr_emulator::{Emulator, UpstreamSeed};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const IMAGE: &str = "myregistry.azurecr.io/team/app:v1";
const OUTSIDE: &str = "ghcr.io/team/tool:v2";

/// A cluster that pulls from a registry, with principals, a private registry elsewhere, and what is to be deleted.
pub fn azure() -> Emulator {
    let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    let azure = azure.with_cluster("group", "former").with_registry("group", "formerregistry");
    let azure = azure.with_caller("pipeline", &[]).with_caller("leaver", &[]).with_entra_group("acr-pullers");
    let azure = azure.with_graph_rights("owner").with_upstream(UpstreamSeed::new("ghcr.io").user("robot", "word"));
    let azure = azure.with_image(OUTSIDE, &["linux/amd64"]);
    azure.push_image(IMAGE, &["linux/amd64"]);
    let registry = azure.registry_id("group", "myregistry");
    azure.grant("AcrPull", &azure.kubelet_object_id("group", "dev"), &registry);
    azure.grant("AcrPush", &azure.object_id_of("leaver"), &registry);
    azure
}

/// What exists at the end, in words that are the same in every run.
pub async fn end(stage: &Stage) -> String {
    let registry = stage.client().registry(&registry(), CallOptions::default()).await.unwrap().unwrap();
    let dump = stage.azure.dump();
    let all = |list: &str| dump[list].as_array().cloned().unwrap_or_default();
    let names = |list: &str| all(list).iter().map(|one| one["name"].to_string()).collect::<BTreeSet<_>>();
    let members = all("principals").into_iter().filter(|one| one["groups"] != json!([]));
    let members: BTreeSet<_> = members.map(|one| one["name"].to_string()).collect();
    let objects = all("clusters").iter().flat_map(objects).collect::<BTreeSet<_>>();
    format!(
        "{:?} {:?} {:?} {:?} {:?} {members:?} {objects:#?} {:#?}",
        registry.mode,
        registry.tags,
        names("registries"),
        names("clusters"),
        names("identities"),
        stage.grants()
    )
}

/// What the story makes in a cluster.
fn objects(cluster: &Value) -> Vec<String> {
    let ours = ["secrets", "serviceaccounts", "jobs.batch"];
    let all = cluster["objects"].as_array().cloned().unwrap_or_default().into_iter();
    let ours = all.filter(|one| ours.iter().any(|kind| one["resource"] == *kind));
    let shown = |one: Value| {
        let object = &one["object"];
        format!("{} {} {} {}", cluster["name"], one["resource"], object["metadata"]["name"], object["imagePullSecrets"])
    };
    ours.map(shown).collect()
}

/// Tells the story.
pub async fn tell(teller: &mut Teller<'_>) -> Result<(), Stop> {
    let client = teller.stage.client();
    let client = &client;
    update(teller, client).await?;
    grant(teller, client).await?;
    revoke(teller, client).await?;
    pull_secret(teller, client).await?;
    own_identity(teller, client).await?;
    passing_identity(teller, client).await?;
    prove(teller, client).await?;
    change_mode(teller, client).await?;
    delete_cluster(teller, client).await?;
    delete_registry(teller, client).await
}

fn registry() -> RegistryRef {
    "myregistry".parse().unwrap()
}

fn cluster(name: &str) -> ClusterRef {
    ClusterRef::new("group", name).unwrap()
}

fn principal(teller: &Teller<'_>, name: &str) -> PrincipalId {
    teller.stage.azure.object_id_of(name).parse().unwrap()
}

async fn update(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    teller
        .call("update_registry", 10, async |call| {
            client
                .update_registry(
                    &registry(),
                    UpdateRegistryOptions::default().with_tag("team", Some("web")).with_call(call),
                )
                .await
        })
        .await?;
    teller.call("registry_token", 5, async |call| client.registry_token(&registry(), call).await).await.map(drop)
}

async fn grant(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let id = principal(teller, "pipeline");
    let options = || GrantAccessOptions::default().with_role(AccessRole::Push);
    let plan = teller
        .call("plan_grant_access", 10, async |call| {
            client.plan_grant_access(&registry(), &id, options().with_call(call)).await
        })
        .await?;
    let applied = |call| client.apply_grant_access(&plan, ApplyGrantAccessOptions::default().with_call(call));
    teller.call("apply_grant_access", 10, applied).await.map(drop)
}

async fn revoke(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let id = principal(teller, "leaver");
    let plan = teller
        .call("plan_revoke_access", 10, async |call| {
            let options = RevokeAccessOptions::default().with_principal_id(id).with_call(call);
            client.plan_revoke_access(&registry(), options).await
        })
        .await?;
    let applied = |call| client.apply_revoke_access(&plan, ApplyRevokeAccessOptions::default().with_call(call));
    teller.call("apply_revoke_access", 10, applied).await.map(drop)
}

async fn pull_secret(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let login = || vec![RegistryCredential::new("ghcr.io", "robot", Secret::new("word".to_owned()))];
    let dev = cluster("dev");
    let plan = teller
        .call("plan_pull_secret", 10, async |call| {
            let options = PullSecretOptions::default().with_image(OUTSIDE.parse().unwrap()).with_call(call);
            client.plan_pull_secret(&dev, "outside", login(), options).await
        })
        .await?;
    teller
        .call("apply_pull_secret", 10, async |call| {
            client.apply_pull_secret(&plan, login(), ApplyPullSecretOptions::default().with_call(call)).await
        })
        .await
        .map(drop)
}

async fn plan_identity(
    teller: &mut Teller<'_>,
    client: &Client,
    name: &str,
    options: impl Fn() -> KubeletIdentityOptions,
) -> Result<KubeletIdentityPlan, Stop> {
    let planned = async |call| client.plan_kubelet_identity("group", name, options().with_call(call)).await;
    teller.call("plan_kubelet_identity", 10, planned).await
}

async fn apply_identity(teller: &mut Teller<'_>, client: &Client, plan: &KubeletIdentityPlan) -> Result<(), Stop> {
    let options = ApplyKubeletIdentityOptions::default;
    let applied = async |call| client.apply_kubelet_identity(plan, options().with_call(call)).await;
    teller.call("apply_kubelet_identity", 30, applied).await.map(drop)
}

async fn own_identity(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let options = || KubeletIdentityOptions::default().with_entra_group("acr-pullers").with_registry(registry());
    let plan = plan_identity(teller, client, "kubelet", options).await?;
    apply_identity(teller, client, &plan).await?;
    let options = || {
        CreateClusterOptions::default()
            .with_control_plane_identity(plan.control_plane.id.clone())
            .with_kubelet_identity(plan.kubelet.id.clone())
    };
    let own = cluster("own");
    teller
        .call("create_cluster with identities", 60, async |call| {
            client.create_cluster(&own, options().with_call(call)).await
        })
        .await?;
    let made = teller.stage.writes_of("own");
    if made > 1 { Err(broken("create_cluster with identities", format!("{made} writes"))) } else { Ok(()) }
}

/// One that is made and removed again. Who is interrupted keeps the plan: only what it was to create is removed by it.
async fn passing_identity(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let options = || KubeletIdentityOptions::default().with_entra_group("acr-pullers");
    let plan = match teller.stage.kept() {
        Some(plan) => plan,
        None => plan_identity(teller, client, "passing", options).await?,
    };
    teller.stage.keep(Some(plan.clone()));
    apply_identity(teller, client, &plan).await?;
    teller
        .call("remove_kubelet_identity", 30, async |call| {
            client.remove_kubelet_identity(&plan, RemoveKubeletIdentityOptions::default().with_call(call)).await
        })
        .await?;
    teller.stage.keep(None);
    Ok(())
}

/// The pull is proven, unless the storm struck the registry, the cluster or a node all the time; and no verdict is wrong.
async fn prove(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let dev = cluster("dev");
    let proof = teller
        .call("prove_pull", 15, async |call| {
            client.prove_pull(&dev, &IMAGE.parse().unwrap(), ProvePullOptions::default().with_call(call)).await
        })
        .await?;
    if proof.outcome == ProofOutcome::Failed && !crate::check::strikes_nodes(teller.stage.seed) {
        return Err(broken("prove_pull", format!("no node was struck: {proof}")));
    }
    teller
        .call("endpoints", 10, async |call| {
            client.endpoints(&registry(), EndpointsOptions::default().with_cluster(dev.clone()).with_call(call)).await
        })
        .await?;
    teller.call("node_identities", 10, |call| client.node_identities(&dev, call)).await?;
    verdict(teller, client, "check").await
}

async fn verdict(teller: &mut Teller<'_>, client: &Client, step: &'static str) -> Result<(), Stop> {
    let dev = cluster("dev");
    let report = teller
        .call(step, 10, async |call| {
            let options = CheckOptions::default().with_image(IMAGE.parse().unwrap()).with_call(call);
            client.check(&dev, &registry(), options).await
        })
        .await?;
    if report.verdict == Verdict::CannotPull {
        return Err(broken(step, format!("the grant is there: {report}")));
    }
    Ok(())
}

async fn change_mode(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let plan = teller
        .call("plan_mode_change", 10, async |call| {
            client.plan_mode_change(&registry(), mode, ModeChangeOptions::default().with_call(call)).await
        })
        .await?;
    teller
        .call("apply_mode_change", 60, async |call| {
            client.apply_mode_change(&plan, ApplyModeChangeOptions::default().with_call(call)).await
        })
        .await?;
    verdict(teller, client, "check after the change").await
}

/// What an earlier telling has deleted is not found.
fn unless_gone<T>(planned: Result<T, Stop>) -> Result<Option<T>, Stop> {
    match planned {
        Err(Stop::Failed { err, .. }) if err.kind() == ErrorKind::NotFound => Ok(None),
        planned => planned.map(Some),
    }
}

async fn delete_cluster(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let former = cluster("former");
    let planned = |call| client.plan_delete_cluster(&former, DeleteClusterOptions::default().with_call(call));
    let Some(plan) = unless_gone(teller.call("plan_delete_cluster", 10, planned).await)? else { return Ok(()) };
    let applied = |call| client.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default().with_call(call));
    teller.call("apply_delete_cluster", 60, applied).await.map(drop)
}

async fn delete_registry(teller: &mut Teller<'_>, client: &Client) -> Result<(), Stop> {
    let former: RegistryRef = "formerregistry".parse().unwrap();
    let planned = |call| client.plan_delete_registry(&former, DeleteRegistryOptions::default().with_call(call));
    let Some(plan) = unless_gone(teller.call("plan_delete_registry", 10, planned).await)? else { return Ok(()) };
    let applied = |call| client.apply_delete_registry(&plan, ApplyDeleteRegistryOptions::default().with_call(call));
    teller.call("apply_delete_registry", 30, applied).await.map(drop)
}
