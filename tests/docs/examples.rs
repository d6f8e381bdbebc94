//! The examples in Rust of the pages below `docs/`. The text of each function, except its first and last line, is on its page.

use aks_acr::{
    Access, AccessRole, ApplyAttachOptions, ApplyDeleteClusterOptions, ApplyDeleteRegistryOptions, ApplyDetachOptions,
    ApplyGrantAccessOptions, ApplyKubeletIdentityOptions, ApplyModeChangeOptions, ApplyOptions, ApplyPullSecretOptions,
    ApplyRevokeAccessOptions, AttachOptions, AttachmentsOptions, CallOptions, CheckOptions, Client, ClusterFilter,
    ClusterRef, CreateClusterOptions, CreateRegistryOptions, DeleteClusterOptions, DeleteRegistryOptions,
    DetachOptions, EndpointsOptions, ErrorKind, Event, ExplainOptions, GrantAccessOptions, GrantReach, ImportItem,
    ImportManyOptions, ImportOptions, KubeconfigOptions, KubeletIdentityOptions, Manifest, MergeKubeconfigOptions,
    ModeChangeOptions, Operation, PodSelection, ProofOutcome, ProvePullOptions, PullSecretOptions, ReadOptions,
    RegistryCredential, RegistryFilter, RegistryRef, RemoveKubeletIdentityOptions, Report, Result, RevokeAccessOptions,
    RoleAssignmentMode, RolloutOptions, Sku, StartedImport, UpdateRegistryOptions, WorkloadRef,
};
use azure_core::credentials::Secret;
use std::{path::Path, time::Duration};

pub async fn identities(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let identities = client.identities(&cluster, CallOptions::default()).await?;
    match identities.kubelet {
        Some(kubelet) => println!("images are pulled by {}", kubelet.object_id),
        None => println!("the cluster has no kubelet identity"),
    }
    Ok(())
}

pub async fn attach(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    match client.attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await {
        Ok(attachment) => {
            println!("{:?}", attachment.outcome);
            for warning in &attachment.warnings {
                println!("{warning}"); // what keeps pods from pulling although the role is assigned
            }
        }
        Err(err) if err.kind() == ErrorKind::Forbidden => {
            eprintln!("{err:#}");
            if let (Some(role), Some(scope)) = (err.smallest_role(), err.scope()) {
                eprintln!("ask for {role} at {scope}");
            }
        }
        Err(err) => return Err(err),
    }
    Ok(())
}

pub async fn plan_attach(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let plan = client.plan_attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await?;
    println!("{plan}"); // + AcrPull on myregistry for my-group/my-cluster (kubelet …), and the details
    Ok(())
}

pub async fn apply_attach(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let plan = client.plan_attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await?;
    // Review the plan first; it is valid for one hour.
    let attachment = client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
    println!("{:?}", attachment.outcome);
    for warning in &attachment.warnings {
        println!("{warning}"); // what keeps pods from pulling although the role is assigned
    }
    Ok(())
}

pub async fn detach(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let detachment = client.detach(&cluster, &"myregistry".parse()?, DetachOptions::default()).await?;
    println!("{}", detachment.outcome);
    for grant in &detachment.remaining {
        println!("still has access: {:?} by {}", grant.role_name, grant.assignment_id);
    }
    Ok(())
}

pub async fn plan_detach(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let plan = client.plan_detach(&cluster, &"myregistry".parse()?, DetachOptions::default()).await?;
    println!("{plan}");
    Ok(())
}

pub async fn apply_detach(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let plan = client.plan_detach(&cluster, &"myregistry".parse()?, DetachOptions::default()).await?;
    // Review the plan first; it is valid for one hour.
    let detachment = client.apply_detach(&plan, ApplyDetachOptions::default()).await?;
    println!("{}", detachment.outcome);
    Ok(())
}

pub async fn grant_access(client: &Client) -> Result<()> {
    // The object ID of the pipeline's identity, not its client ID: az ad sp show --id CLIENT_ID --query id
    let pipeline = "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50".parse()?;
    let options = GrantAccessOptions::default().with_role(AccessRole::Push);
    let granted = client.grant_access(&"myregistry".parse()?, &pipeline, options).await?;
    println!("{granted}"); // AcrPush for 0c9f1a7e-… on myregistry: granted
    Ok(())
}

pub async fn plan_grant_access(client: &Client) -> Result<()> {
    let pipeline = "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50".parse()?;
    println!("{}", client.plan_grant_access(&"myregistry".parse()?, &pipeline, GrantAccessOptions::default()).await?);
    Ok(())
}

pub async fn apply_grant_access(client: &Client) -> Result<()> {
    let pipeline = "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50".parse()?;
    let plan = client.plan_grant_access(&"myregistry".parse()?, &pipeline, GrantAccessOptions::default()).await?;
    // Review the plan first; it is valid for one hour.
    println!("{}", client.apply_grant_access(&plan, ApplyGrantAccessOptions::default()).await?);
    Ok(())
}

pub async fn revoke_access(client: &Client) -> Result<()> {
    // Also for an identity that was deleted: Azure keeps its role assignments.
    let options = RevokeAccessOptions::default().with_principal_id("0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50".parse()?);
    let revoked = client.revoke_access(&"myregistry".parse()?, options).await?;
    for grant in &revoked.remaining {
        println!("still has access: {grant}");
    }
    Ok(())
}

pub async fn plan_revoke_access(client: &Client) -> Result<()> {
    let registry: RegistryRef = "myregistry".parse()?;
    let pulls = client.attachments_of_registry(&registry, AttachmentsOptions::default()).await?;
    for grant in pulls.grants.into_iter().filter(|grant| grant.reach == GrantReach::Direct) {
        let options = RevokeAccessOptions::default().with_assignment_id(grant.assignment_id);
        println!("{}", client.plan_revoke_access(&registry, options).await?);
    }
    Ok(())
}

pub async fn apply_revoke_access(client: &Client) -> Result<()> {
    let options = RevokeAccessOptions::default().with_principal_id("0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50".parse()?);
    let plan = client.plan_revoke_access(&"myregistry".parse()?, options).await?;
    // Review the plan first; it is valid for one hour.
    println!("{}", client.apply_revoke_access(&plan, ApplyRevokeAccessOptions::default()).await?);
    Ok(())
}

pub async fn attachments_of_cluster(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let attachments = client.attachments_of_cluster(&cluster, AttachmentsOptions::default()).await?;
    for grant in &attachments.grants {
        println!("{} by {:?}", grant.registry, grant.role_name);
    }
    Ok(())
}

pub async fn attachments_of_registry(client: &Client) -> Result<()> {
    let options = AttachmentsOptions::default().with_query_graph(true); // finds deleted principals
    let attachments = client.attachments_of_registry(&"myregistry".parse()?, options).await?;
    for grant in &attachments.grants {
        println!("{} {} {:?}", grant.principal_id, grant.principal_state, grant.clusters);
    }
    Ok(())
}

pub async fn clusters(client: &Client) -> Result<()> {
    let filter = ClusterFilter::default().with_tag("env", "prod").with_location("westeurope");
    let list = client.clusters(&filter, ReadOptions::default()).await?;
    for cluster in &list.clusters {
        println!("{} {:?}", cluster.id, cluster.power_state);
    }
    for part in &list.unreadable {
        eprintln!("not read: {part}");
    }
    Ok(())
}

pub async fn registries(client: &Client) -> Result<()> {
    let filter = RegistryFilter::default().with_tag_name("team").with_name("my*");
    let list = client.registries(&filter, ReadOptions::default()).await?;
    for registry in &list.registries {
        println!("{} in {}", registry.login_server, registry.location);
    }
    println!("everything was read: {}", list.is_complete);
    Ok(())
}

pub async fn registry(client: &Client) -> Result<()> {
    match client.registry(&"myregistry".parse()?, CallOptions::default()).await? {
        Some(registry) => println!("{} in {}", registry.login_server, registry.location),
        None => println!("registry not found"),
    }
    Ok(())
}

pub async fn registry_token(client: &Client) -> Result<()> {
    let token = client.registry_token(&"myregistry".parse()?, CallOptions::default()).await?;
    println!("{token}"); // never the password; pass token.password.secret() to `docker login --password-stdin`
    Ok(())
}

pub async fn create_registry(client: &Client) -> Result<()> {
    let options = CreateRegistryOptions::default().with_sku(Sku::Standard);
    let made = client.create_registry("my-group", "anotherregistry", options).await?;
    println!("{} {}", made.is_new, made.registry.login_server);
    for difference in &made.differences {
        println!("{difference}"); // an existing registry is not changed
    }
    Ok(())
}

pub async fn update_registry(client: &Client) -> Result<()> {
    let options = UpdateRegistryOptions::default().with_sku(Sku::Standard).with_tag("team", Some("web"));
    let updated = client.update_registry(&"myregistry".parse()?, options).await?;
    for change in &updated.changes {
        println!("{change}"); // empty, and nothing was written, if nothing differed
    }
    Ok(())
}

pub async fn plan_kubelet_identity(client: &Client) -> Result<()> {
    let options = KubeletIdentityOptions::default().with_registry("myregistry".parse()?);
    let plan = client.plan_kubelet_identity("my-group", "my-kubelet", options).await?;
    println!("{plan}");
    Ok(())
}

pub async fn apply_kubelet_identity(client: &Client) -> Result<()> {
    let options = KubeletIdentityOptions::default().with_registry("myregistry".parse()?);
    let plan = client.plan_kubelet_identity("my-group", "my-kubelet", options).await?;
    let setup = client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await?;
    let options = CreateClusterOptions::default()
        .with_control_plane_identity(setup.control_plane.id)
        .with_kubelet_identity(setup.kubelet.id);
    client.create_cluster(&"my-group/another-cluster".parse()?, options).await?;
    Ok(())
}

pub async fn remove_kubelet_identity(client: &Client) -> Result<()> {
    let plan = client.plan_kubelet_identity("my-group", "my-kubelet", KubeletIdentityOptions::default()).await?;
    client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await?;
    let removal = client.remove_kubelet_identity(&plan, RemoveKubeletIdentityOptions::default()).await?;
    for one in &removal.removed {
        println!("{} {}", one.part, one.id);
    }
    Ok(())
}

pub async fn delete_cluster(client: &Client) -> Result<()> {
    let deletion = client.delete_cluster(&"my-group/my-cluster".parse()?, DeleteClusterOptions::default()).await?;
    println!("{}", deletion.outcome);
    Ok(())
}

pub async fn plan_delete_cluster(client: &Client) -> Result<()> {
    let plan = client.plan_delete_cluster(&"my-group/my-cluster".parse()?, DeleteClusterOptions::default()).await?;
    println!("{plan}");
    for one in &plan.unread {
        println!("not read: {}", one.part);
    }
    Ok(())
}

pub async fn apply_delete_cluster(client: &Client) -> Result<()> {
    let plan = client.plan_delete_cluster(&"my-group/my-cluster".parse()?, DeleteClusterOptions::default()).await?;
    println!("{plan}");
    let deletion = client.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default()).await?;
    println!("{}", deletion.outcome);
    Ok(())
}

pub async fn check(client: &Client) -> Result<()> {
    let options = CheckOptions::default().with_image("app:1".parse()?);
    let report = client.check(&"my-group/my-cluster".parse()?, &"myregistry".parse()?, options).await?;
    println!("{report}");
    for finding in &report.findings {
        println!("{} {}", finding.id, finding.next_step);
    }
    Ok(())
}

pub async fn explain(client: &Client) -> Result<()> {
    let explanation =
        client.explain(&"my-group/my-cluster".parse()?, &"web".parse()?, ExplainOptions::default()).await?;
    println!("{explanation}");
    for group in &explanation.groups {
        println!("{group}"); // the pods, the cause, the evidence and the next step
    }
    Ok(())
}

pub async fn delete_registry(client: &Client) -> Result<()> {
    let deletion = client.delete_registry(&"myregistry".parse()?, DeleteRegistryOptions::default()).await?;
    println!("{}", deletion.outcome);
    Ok(())
}

pub async fn plan_delete_registry(client: &Client) -> Result<()> {
    let plan = client.plan_delete_registry(&"myregistry".parse()?, DeleteRegistryOptions::default()).await?;
    println!("{plan}"); // what would be lost, and who pulls from it
    for part in &plan.unread {
        println!("not known: {} ({:?})", part.part, part.missing_action);
    }
    Ok(())
}

pub async fn apply_delete_registry(client: &Client) -> Result<()> {
    let plan = client.plan_delete_registry(&"myregistry".parse()?, DeleteRegistryOptions::default()).await?;
    // Review the plan first; it is valid for one hour.
    let deletion = client.apply_delete_registry(&plan, ApplyDeleteRegistryOptions::default()).await?;
    println!("{}", deletion.outcome);
    Ok(())
}

pub async fn create_cluster(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "another-cluster")?;
    let options = CreateClusterOptions::default()
        .with_registry("myregistry".parse()?)
        .with_node_count(2)
        .with_call(CallOptions::default().with_progress(|event: Event| println!("{event}")));
    let made = client.create_cluster(&cluster, options).await?;
    println!("{} {}", made.is_new, made.cluster.state);
    Ok(())
}

pub async fn import_image(client: &Client) -> Result<()> {
    let options = ImportOptions::default().with_target("nginx:v1");
    let import = client.import_image(&"myregistry".parse()?, &"nginx".parse()?, options).await?;
    println!("{}: {:?}", import.target, import.proof);
    Ok(())
}

pub async fn import_images(client: &Client) -> Result<()> {
    let images = vec![
        ImportItem::new("nginx".parse()?, ImportOptions::default()),
        ImportItem::new("nginx".parse()?, ImportOptions::default().with_target("web/nginx:stable")),
    ];
    for result in client.import_images(&"myregistry".parse()?, images, ImportManyOptions::default()).await? {
        match result {
            Ok(import) => println!("{}", import.target),
            Err(err) => eprintln!("{err}"), // the others go on
        }
    }
    Ok(())
}

pub async fn start_import(client: &Client) -> Result<()> {
    let options = ImportOptions::default().with_target("nginx:v2");
    match client.start_import(&"myregistry".parse()?, &"nginx".parse()?, options).await? {
        StartedImport::AlreadyExists { import } => println!("{} exists", import.target),
        StartedImport::Started { .. } => println!("started; store the handle, it is a secret"),
        other => println!("{other:?}"),
    }
    Ok(())
}

pub async fn poll_import(client: &Client) -> Result<()> {
    let options = ImportOptions::default().with_target("nginx:v3");
    let started = client.start_import(&"myregistry".parse()?, &"nginx".parse()?, options).await?;
    if let StartedImport::Started { mut handle } = started {
        let status = client.poll_import(&mut handle, CallOptions::default()).await?;
        println!("{status:?}, poll again in {:?}", handle.asked_wait().unwrap_or(Duration::from_secs(10)));
    }
    Ok(())
}

pub async fn kubeconfig(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let options = KubeconfigOptions::default().with_access(Access::User);
    let kubeconfig = client.kubeconfig(&cluster, options).await?;
    println!("{} at {}", kubeconfig.context(), kubeconfig.server()); // text() is a secret
    Ok(())
}

pub async fn merge_kubeconfig(client: &Client, file: &Path) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let options = MergeKubeconfigOptions::default().with_file(file); // without it: kubectl's default file
    let merged = client.merge_kubeconfig(&cluster, options).await?;
    println!("{} in {}: {}", merged.context, merged.file.display(), merged.outcome);
    Ok(())
}

pub async fn apply(client: &Client, manifests: &str) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let options = ApplyOptions::default().with_registry("myregistry".parse()?);
    for object in client.apply(&cluster, Manifest::parse_all(manifests)?, options).await? {
        println!("{object}");
    }
    Ok(())
}

pub async fn wait_for_rollout(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    match client.wait_for_rollout(&cluster, &WorkloadRef::new("web"), RolloutOptions::default()).await {
        Ok(rolled) => println!("{}/{} ready", rolled.ready, rolled.wanted),
        Err(err) if err.kind() == ErrorKind::PullFailed => {
            eprintln!("{err:#}"); // the finding and the next step; err.pull_failure() has the details
        }
        Err(err) => return Err(err),
    }
    Ok(())
}

pub async fn plan_pull_secret(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let credentials = vec![RegistryCredential::new("ghcr.io", "robot", Secret::new("the password"))];
    let options = PullSecretOptions::default().with_image("ghcr.io/team/app:1".parse()?);
    let plan = client.plan_pull_secret(&cluster, "ghcr", credentials, options).await?;
    println!("{plan}"); // + pull secret ghcr in namespace default of my-cluster, and the details
    Ok(())
}

pub async fn apply_pull_secret(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let credentials = vec![RegistryCredential::new("ghcr.io", "robot", Secret::new("the password"))];
    let plan = client.plan_pull_secret(&cluster, "ghcr", credentials.clone(), PullSecretOptions::default()).await?;
    // Review the plan first; it is valid for one hour, and contains no password.
    let secret = client.apply_pull_secret(&plan, credentials, ApplyPullSecretOptions::default()).await?;
    println!("{secret}");
    Ok(())
}

pub async fn plan_mode_change(client: &Client) -> Result<()> {
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let plan = client.plan_mode_change(&"myregistry".parse()?, mode, ModeChangeOptions::default()).await?;
    println!("{plan}"); // + Container Registry Repository Reader for …, and all that changes
    for change in &plan.lost {
        println!("would lose {change}");
    }
    Ok(())
}

pub async fn apply_mode_change(client: &Client) -> Result<()> {
    let mode = RoleAssignmentMode::AbacRepositoryPermissions;
    let plan = client.plan_mode_change(&"myregistry".parse()?, mode, ModeChangeOptions::default()).await?;
    // Review the plan first, and keep it: it is valid for one hour, and undoes the change at any time.
    let change = client.apply_mode_change(&plan, ApplyModeChangeOptions::default()).await?;
    println!("{change}");
    client.apply_mode_change(&plan, ApplyModeChangeOptions::default().with_reverse(true)).await?;
    Ok(())
}

pub async fn pods(client: &Client) -> Result<()> {
    let cluster = ClusterRef::new("my-group", "my-cluster")?;
    let selection = PodSelection::default().with_labels("app=web");
    println!("{}", client.pods(&cluster, &selection, CallOptions::default()).await?);
    Ok(())
}

pub async fn prove_pull(client: &Client) -> Result<()> {
    let (cluster, image) = ("my-group/my-cluster".parse()?, "myregistry.azurecr.io/app:v1".parse()?);
    let proof = client.prove_pull(&cluster, &image, ProvePullOptions::default()).await?;
    println!("{proof}");
    for pool in proof.pools.iter().filter(|pool| pool.outcome == ProofOutcome::Failed) {
        println!("{} cannot pull: {}", pool.pool, pool.reason.as_deref().unwrap_or_default());
    }
    Ok(())
}

pub async fn node_identities(client: &Client) -> Result<()> {
    let identities = client.node_identities(&"my-group/my-cluster".parse()?, CallOptions::default()).await?;
    println!("{identities}");
    for pool in identities.pools.iter().filter(|pool| !pool.outdated_nodes.is_empty()) {
        println!("upgrade the node image of {}", pool.pool);
    }
    Ok(())
}

pub async fn endpoints(client: &Client) -> Result<()> {
    let options = EndpointsOptions::default().with_cluster("my-group/my-cluster".parse()?);
    let endpoints = client.endpoints(&"myregistry".parse()?, options).await?;
    for host in &endpoints.hosts {
        println!("allow {} on port {} for {}", host.host, host.port, host.purpose);
    }
    println!("noProxy: {}", endpoints.no_proxy.join(","));
    Ok(())
}

/// For the page of `unknown.principal`.
pub async fn check_principal(client: &Client) -> Result<()> {
    let object_id = "11111111-1111-1111-1111-111111111111".parse()?; // the object ID, not the client ID
    let options = CheckOptions::default().with_image("app:1".parse()?).with_principal_id(object_id);
    // Or with_query_graph(true) instead of with_principal_id: the object ID is read from Microsoft Graph.
    println!("{}", client.check(&"my-group/my-cluster".parse()?, &"myregistry".parse()?, options).await?);
    Ok(())
}

/// For the page of `network.outbound_ip_unknown`.
pub async fn check_addresses(client: &Client) -> Result<()> {
    let options = CheckOptions::default().with_image("app:1".parse()?).with_outbound_address("203.0.113.7");
    println!("{}", client.check(&"my-group/my-cluster".parse()?, &"myregistry".parse()?, options).await?);
    Ok(())
}

/// For the page of reports.
pub async fn stored_report(client: &Client) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (cluster, registry) = ("my-group/my-cluster".parse()?, "myregistry".parse()?);
    let stored = serde_json::to_string(&client.check(&cluster, &registry, CheckOptions::default()).await?)?;

    // Later, in another process, perhaps with a newer version of the library:
    let report: Report = serde_json::from_str(&stored)?;
    println!("{}", report.redacted()?); // without your names, IDs, hosts and addresses
    report.replayed()?.require()?; // fails unless the cluster can pull
    Ok(())
}

/// Runs an operation's example.
pub async fn run(client: &Client, operation: Operation, file: &Path) -> Result<()> {
    match operation {
        Operation::Identities => identities(client).await,
        Operation::Attach => attach(client).await,
        Operation::PlanAttach => plan_attach(client).await,
        Operation::ApplyAttach => apply_attach(client).await,
        Operation::Detach => detach(client).await,
        Operation::PlanDetach => plan_detach(client).await,
        Operation::ApplyDetach => apply_detach(client).await,
        Operation::GrantAccess => grant_access(client).await,
        Operation::PlanGrantAccess => plan_grant_access(client).await,
        Operation::ApplyGrantAccess => apply_grant_access(client).await,
        Operation::RevokeAccess => revoke_access(client).await,
        Operation::PlanRevokeAccess => plan_revoke_access(client).await,
        Operation::ApplyRevokeAccess => apply_revoke_access(client).await,
        Operation::AttachmentsOfCluster => attachments_of_cluster(client).await,
        Operation::AttachmentsOfRegistry => attachments_of_registry(client).await,
        Operation::Clusters => clusters(client).await,
        Operation::Registries => registries(client).await,
        Operation::Registry => registry(client).await,
        Operation::RegistryToken => registry_token(client).await,
        Operation::CreateRegistry => create_registry(client).await,
        Operation::UpdateRegistry => update_registry(client).await,
        Operation::Check => check(client).await,
        Operation::Explain => explain(client).await,
        Operation::ProvePull => prove_pull(client).await,
        Operation::NodeIdentities => node_identities(client).await,
        Operation::Endpoints => endpoints(client).await,
        Operation::PlanKubeletIdentity => plan_kubelet_identity(client).await,
        Operation::ApplyKubeletIdentity => apply_kubelet_identity(client).await,
        Operation::RemoveKubeletIdentity => remove_kubelet_identity(client).await,
        Operation::DeleteCluster => delete_cluster(client).await,
        Operation::PlanDeleteCluster => plan_delete_cluster(client).await,
        Operation::ApplyDeleteCluster => apply_delete_cluster(client).await,
        Operation::DeleteRegistry => delete_registry(client).await,
        Operation::PlanDeleteRegistry => plan_delete_registry(client).await,
        Operation::ApplyDeleteRegistry => apply_delete_registry(client).await,
        Operation::CreateCluster => create_cluster(client).await,
        Operation::ImportImage => import_image(client).await,
        Operation::ImportImages => import_images(client).await,
        Operation::StartImport => start_import(client).await,
        Operation::PollImport => poll_import(client).await,
        Operation::Kubeconfig => kubeconfig(client).await,
        Operation::MergeKubeconfig => merge_kubeconfig(client, file).await,
        Operation::Apply => apply(client, crate::measure::DEPLOYMENT).await,
        Operation::WaitForRollout => wait_for_rollout(client).await,
        Operation::PlanModeChange => plan_mode_change(client).await,
        Operation::ApplyModeChange => apply_mode_change(client).await,
        Operation::PlanPullSecret => plan_pull_secret(client).await,
        Operation::ApplyPullSecret => apply_pull_secret(client).await,
        Operation::Pods => pods(client).await,
        other => panic!("{other} has no example"),
    }
}
