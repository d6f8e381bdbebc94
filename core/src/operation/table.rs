//! The table of operations: everything that the client offers.
//!
//! A row has the name in [`Operation`], the method of [`Client`](crate::Client) with its arguments and its result, the fields of its
//! span, the call options with the default deadline, the permissions, and the function that does the work. A method's docs are in `docs/`, by
//! its name; those of a twin, which makes or applies a plan, are at its row.

use super::{
    apply, attach, attachments, check, create_cluster, create_registry, delete_cluster, delete_registry, detach,
    endpoints, explain, grant_access, identities, import, kubeconfig, kubelet_identity, list, mode_change,
    node_identities, pods, prove_pull, pull_secret, registry, registry_token, revoke_access, right::RequiredRight,
    rollout, update_registry,
};
use crate::error::words;
use serde::{Deserialize, Serialize};

/// Imports what the rows name.
macro_rules! imports {
    () => {
        use crate::{
            call::CallOptions,
            cluster::{
                Applied, ApplyOptions, ClusterRef, Kubeconfig, KubeconfigOptions, Manifest, MergeKubeconfigOptions,
                MergedKubeconfig, PodSelection, Pods, RegistryCredential, Rollout, WorkloadRef,
            },
            diagnosis::report::Report,
            error::Result,
            id::PrincipalId,
            identity::ClusterIdentities,
            image::ImageReference,
            inventory::{ClusterFilter, RegistryFilter},
            operation::{
                apply,
                attach::{self, ApplyAttachOptions, AttachOptions, AttachPlan, Attachment},
                attachments::{self, AttachmentsOptions, ClusterAttachments, RegistryAttachments},
                check::{self, CheckOptions},
                create_cluster::{self, CreateClusterOptions, CreatedCluster},
                create_registry::{self, CreateRegistryOptions},
                delete_cluster::{
                    self, ApplyDeleteClusterOptions, ClusterDeletion, DeleteClusterOptions, DeleteClusterPlan,
                },
                delete_registry::{
                    self, ApplyDeleteRegistryOptions, DeleteRegistryOptions, DeleteRegistryPlan, RegistryDeletion,
                },
                detach::{self, ApplyDetachOptions, DetachOptions, DetachPlan, Detachment},
                endpoints::{self, EndpointsOptions, RegistryEndpoints},
                explain::{self, ExplainOptions, ExplainTarget, Explanation},
                grant_access::{self, ApplyGrantAccessOptions, GrantAccessOptions, GrantAccessPlan, GrantedAccess},
                identities,
                import::{self, Import, ImportItem, ImportManyOptions, ImportOptions, StartedImport},
                kubeconfig,
                kubelet_identity::{
                    self, ApplyKubeletIdentityOptions, KubeletIdentityOptions, KubeletIdentityPlan,
                    KubeletIdentityRemoval, KubeletIdentitySetup, RemoveKubeletIdentityOptions,
                },
                list::{self, ClusterList, ReadOptions, RegistryList},
                mode_change::{self, ApplyModeChangeOptions, ModeChange, ModeChangeOptions, ModeChangePlan},
                node_identities::{self, NodeIdentities},
                pods,
                prove_pull::{self, ProvePullOptions, PullProof},
                pull_secret::{self, ApplyPullSecretOptions, PullSecret, PullSecretOptions, PullSecretPlan},
                registry, registry_token,
                revoke_access::{
                    self, AccessRevocation, ApplyRevokeAccessOptions, RevokeAccessOptions, RevokeAccessPlan,
                },
                rollout::{self, RolloutOptions},
                update_registry::{self, UpdateRegistryOptions, UpdatedSettings},
            },
            registry::{CreatedRegistry, ImportHandle, ImportStatus, Registry, RegistryRef, RegistryToken},
            role::RoleAssignmentMode,
        };
    };
}

/// Passes all rows to a macro.
macro_rules! operations {
    ($make:ident) => {
        $make! {
            Identities identities(cluster: &ClusterRef, call: CallOptions) -> ClusterIdentities {
                about: About::cluster(cluster),
                call: call,
                deadline: identities::DEADLINE,
                rights: identities::RIGHTS,
                run: |parts, call| identities::identities(parts, cluster, call),
            }
            Attach attach(cluster: &ClusterRef, registry: &RegistryRef, options: AttachOptions) -> Attachment {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: attach::RIGHTS,
                run: |parts, call| attach::attach(parts, cluster, registry, &options, call),
            }
            /// Plans what `attach` would do, and writes nothing.
            ///
            /// The plan needs read permissions only. Review it, store it as JSON, and carry it out with [`apply_attach`](Self::apply_attach).
            ///
            /// # Errors
            /// All errors of [`attach`](Self::attach), except those for missing write permissions.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyAttachOptions, AttachOptions, AttachPlan, Client, ClusterRef, PlannedAction};
            /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// let cluster = ClusterRef::new("group", "dev")?;
            /// let plan = client.plan_attach(&cluster, &"myregistry".parse()?, AttachOptions::default()).await?;
            /// assert_eq!(plan.action, PlannedAction::Grant);
            /// let text = serde_json::to_string(&plan).unwrap_or_default(); // to be stored, and read in any of the languages
            /// # let plan: AttachPlan = serde_json::from_str(&text).map_err(|err| aks_acr::Error::new(aks_acr::ErrorKind::Unexpected, err.to_string()))?;
            /// client.apply_attach(&plan, ApplyAttachOptions::default()).await?;
            /// # Ok(()) }
            /// ```
            PlanAttach plan_attach(cluster: &ClusterRef, registry: &RegistryRef, options: AttachOptions) -> AttachPlan {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: attach::PLAN_RIGHTS,
                run: |parts, call| attach::plan(parts, cluster, registry, &options, call),
            }
            /// Carries out a plan made by [`plan_attach`](Self::plan_attach), after checking that it still matches the current state.
            ///
            /// The current state is read again first. If the grant was made in the meantime, nothing is written and the call succeeds; if
            /// something other than the plan's action would be needed, nothing is written and the call fails. The plan contains the options
            /// it was made with and is valid for one hour.
            ///
            /// # Errors
            /// All errors of [`attach`](Self::attach); [`Conflict`](ErrorKind::Conflict) if the plan has expired or no longer matches the current
            /// state; [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_attach`](Self::plan_attach).
            ApplyAttach apply_attach(plan: &AttachPlan, options: ApplyAttachOptions) -> Attachment {
                about: About::both(&plan.cluster, &plan.registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: attach::RIGHTS,
                run: |parts, call| attach::apply_plan(parts, plan, &options, call),
            }
            Detach detach(cluster: &ClusterRef, registry: &RegistryRef, options: DetachOptions) -> Detachment {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: detach::RIGHTS,
                run: |parts, call| detach::detach(parts, cluster, registry, &options, call),
            }
            /// Plans what `detach` would remove, and writes nothing.
            ///
            /// The plan needs read permissions only. Review it, store it as JSON, and carry it out with [`apply_detach`](Self::apply_detach).
            ///
            /// # Errors
            /// All errors of [`detach`](Self::detach), except those for missing write permissions.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyDetachOptions, AttachOptions, Client, ClusterRef, DetachOptions};
            /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// # let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
            /// # client.attach(&cluster, &registry, AttachOptions::default()).await?;
            /// let plan = client.plan_detach(&cluster, &registry, DetachOptions::default()).await?;
            /// assert!(plan.to_string().starts_with("- AcrPull on myregistry for group/dev (kubelet "));
            /// client.apply_detach(&plan, ApplyDetachOptions::default()).await?;
            /// # Ok(()) }
            /// ```
            PlanDetach plan_detach(cluster: &ClusterRef, registry: &RegistryRef, options: DetachOptions) -> DetachPlan {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: detach::PLAN_RIGHTS,
                run: |parts, call| detach::plan(parts, cluster, registry, &options, call),
            }
            /// Removes the grants in a plan made by [`plan_detach`](Self::plan_detach), after checking that it still matches the current state.
            ///
            /// The current state is read again first. Grants that were removed in the meantime are skipped; if more grants would be removed than
            /// planned, none is removed. The plan contains the options it was made with and is valid for one hour. The removal of each grant is attempted
            /// even if another removal failed: the error lists the removed grants, and a second call continues with the rest.
            ///
            /// # Errors
            /// All errors of [`detach`](Self::detach); [`Conflict`](ErrorKind::Conflict) if the plan has expired or more grants would be removed
            /// than planned; [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_detach`](Self::plan_detach).
            ApplyDetach apply_detach(plan: &DetachPlan, options: ApplyDetachOptions) -> Detachment {
                about: About::both(&plan.cluster, &plan.registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: detach::RIGHTS,
                run: |parts, call| detach::apply_plan(parts, plan, &options, call),
            }
            GrantAccess grant_access(registry: &RegistryRef, principal: &PrincipalId, options: GrantAccessOptions) -> GrantedAccess {
                about: About::registry(registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: grant_access::RIGHTS,
                run: |parts, call| grant_access::grant_access(parts, registry, *principal, &options, call),
            }
            /// Plans what `grant_access` would do, and writes nothing.
            ///
            /// The plan needs read permissions only. Review it, store it as JSON, and carry it out with
            /// [`apply_grant_access`](Self::apply_grant_access).
            ///
            /// # Errors
            /// All errors of [`grant_access`](Self::grant_access), except those for missing write permissions.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{AccessRole, ApplyGrantAccessOptions, Client, GrantAccessOptions, PlannedAction};
            /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry").with_caller("pipeline", &[]);
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// # let pipeline = azure.object_id_of("pipeline").parse()?;
            /// let options = GrantAccessOptions::default().with_role(AccessRole::Push);
            /// let plan = client.plan_grant_access(&"myregistry".parse()?, &pipeline, options).await?;
            /// assert_eq!(plan.action, PlannedAction::Grant);
            /// assert!(plan.to_string().starts_with("+ AcrPush on myregistry for "));
            /// client.apply_grant_access(&plan, ApplyGrantAccessOptions::default()).await?;
            /// # Ok(()) }
            /// ```
            PlanGrantAccess plan_grant_access(registry: &RegistryRef, principal: &PrincipalId, options: GrantAccessOptions) -> GrantAccessPlan {
                about: About::registry(registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: grant_access::PLAN_RIGHTS,
                run: |parts, call| grant_access::plan(parts, registry, *principal, &options, call),
            }
            /// Carries out a plan made by [`plan_grant_access`](Self::plan_grant_access), after checking that it still matches the current state.
            ///
            /// The current state is read again first. If the grant was made in the meantime, nothing is written and the call succeeds; if
            /// something other than the plan's action would be needed, nothing is written and the call fails. The plan contains the options
            /// it was made with and is valid for one hour.
            ///
            /// # Errors
            /// All errors of [`grant_access`](Self::grant_access); [`Conflict`](ErrorKind::Conflict) if the plan has expired or no longer matches
            /// the current state; [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_grant_access`](Self::plan_grant_access).
            ApplyGrantAccess apply_grant_access(plan: &GrantAccessPlan, options: ApplyGrantAccessOptions) -> GrantedAccess {
                about: About::registry(&plan.registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: grant_access::RIGHTS,
                run: |parts, call| grant_access::apply_plan(parts, plan, &options, call),
            }
            RevokeAccess revoke_access(registry: &RegistryRef, options: RevokeAccessOptions) -> AccessRevocation {
                about: About::registry(registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: revoke_access::RIGHTS,
                run: |parts, call| revoke_access::revoke_access(parts, registry, &options, call),
            }
            /// Plans what `revoke_access` would remove, and writes nothing.
            ///
            /// The plan needs read permissions only. Review it, store it as JSON, and carry it out with
            /// [`apply_revoke_access`](Self::apply_revoke_access).
            ///
            /// # Errors
            /// All errors of [`revoke_access`](Self::revoke_access), except those for missing permissions to remove.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyRevokeAccessOptions, Client, DetachOutcome, RevokeAccessOptions};
            /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry").with_caller("pipeline", &[]);
            /// # azure.grant("AcrPush", &azure.object_id_of("pipeline"), &azure.registry_id("group", "myregistry"));
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// # let pipeline = azure.object_id_of("pipeline").parse()?;
            /// let options = RevokeAccessOptions::default().with_principal_id(pipeline);
            /// let plan = client.plan_revoke_access(&"myregistry".parse()?, options).await?;
            /// assert!(plan.to_string().starts_with("- AcrPush on myregistry for "));
            /// let revoked = client.apply_revoke_access(&plan, ApplyRevokeAccessOptions::default()).await?;
            /// assert_eq!(revoked.outcome, DetachOutcome::Removed);
            /// # Ok(()) }
            /// ```
            PlanRevokeAccess plan_revoke_access(registry: &RegistryRef, options: RevokeAccessOptions) -> RevokeAccessPlan {
                about: About::registry(registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: revoke_access::PLAN_RIGHTS,
                run: |parts, call| revoke_access::plan(parts, registry, &options, call),
            }
            /// Carries out a plan made by [`plan_revoke_access`](Self::plan_revoke_access), after checking that it still matches the current state.
            ///
            /// The current state is read again first. Role assignments that were removed in the meantime are skipped; if more would be removed
            /// than planned, nothing is removed and the call fails. The plan is valid for one hour.
            ///
            /// # Errors
            /// All errors of [`revoke_access`](Self::revoke_access); [`Conflict`](ErrorKind::Conflict) if the plan has expired, or if more would be
            /// removed than planned; [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_revoke_access`](Self::plan_revoke_access).
            ApplyRevokeAccess apply_revoke_access(plan: &RevokeAccessPlan, options: ApplyRevokeAccessOptions) -> AccessRevocation {
                about: About::registry(&plan.registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: revoke_access::RIGHTS,
                run: |parts, call| revoke_access::apply_plan(parts, plan, &options, call),
            }
            AttachmentsOfCluster attachments_of_cluster(cluster: &ClusterRef, options: AttachmentsOptions) -> ClusterAttachments {
                about: About::cluster(cluster),
                call: options.call,
                deadline: attachments::DEADLINE,
                rights: attachments::RIGHTS_OF_CLUSTER,
                run: |parts, call| attachments::of_cluster(parts, cluster, &options, call),
            }
            AttachmentsOfRegistry attachments_of_registry(registry: &RegistryRef, options: AttachmentsOptions) -> RegistryAttachments {
                about: About::registry(registry),
                call: options.call,
                deadline: attachments::DEADLINE,
                rights: attachments::RIGHTS_OF_REGISTRY,
                run: |parts, call| attachments::of_registry(parts, registry, &options, call),
            }
            Check check(cluster: &ClusterRef, registry: &RegistryRef, options: CheckOptions) -> Report {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: check::DEADLINE,
                rights: check::RIGHTS,
                run: |parts, call| check::check(parts, cluster, registry, &options, call),
            }
            Explain explain(cluster: &ClusterRef, target: &ExplainTarget, options: ExplainOptions) -> Explanation {
                about: About::cluster(cluster),
                call: options.call,
                deadline: explain::DEADLINE,
                rights: explain::RIGHTS,
                run: |parts, call| explain::explain(parts, cluster, target, &options, call),
            }
            ProvePull prove_pull(cluster: &ClusterRef, image: &ImageReference, options: ProvePullOptions) -> PullProof {
                about: About::cluster(cluster),
                call: options.call,
                deadline: prove_pull::DEADLINE,
                rights: prove_pull::RIGHTS,
                run: |parts, call| prove_pull::prove_pull(parts, cluster, image, &options, call),
            }
            NodeIdentities node_identities(cluster: &ClusterRef, call: CallOptions) -> NodeIdentities {
                about: About::cluster(cluster),
                call: call,
                deadline: node_identities::DEADLINE,
                rights: node_identities::RIGHTS,
                run: |parts, call| node_identities::node_identities(parts, cluster, call),
            }
            Endpoints endpoints(registry: &RegistryRef, options: EndpointsOptions) -> RegistryEndpoints {
                about: About::registry(registry),
                call: options.call,
                deadline: endpoints::DEADLINE,
                rights: endpoints::RIGHTS,
                run: |parts, call| endpoints::endpoints(parts, registry, &options, call),
            }
            Clusters clusters(filter: &ClusterFilter, options: ReadOptions) -> ClusterList {
                about: About { cluster: None, registry: None },
                call: options.call,
                deadline: list::DEADLINE,
                rights: list::RIGHTS_FOR_CLUSTERS,
                run: |parts, call| list::clusters(parts, filter, &options, call),
            }
            Registries registries(filter: &RegistryFilter, options: ReadOptions) -> RegistryList {
                about: About { cluster: None, registry: None },
                call: options.call,
                deadline: list::DEADLINE,
                rights: list::RIGHTS_FOR_REGISTRIES,
                run: |parts, call| list::registries(parts, filter, &options, call),
            }
            Registry registry(registry: &RegistryRef, call: CallOptions) -> Option<Registry> {
                about: About::registry(registry),
                call: call,
                deadline: registry::DEADLINE,
                rights: registry::RIGHTS,
                run: |parts, call| registry::registry(parts, registry, call),
            }
            RegistryToken registry_token(registry: &RegistryRef, call: CallOptions) -> RegistryToken {
                about: About::registry(registry),
                call: call,
                deadline: registry_token::DEADLINE,
                rights: registry_token::RIGHTS,
                run: |parts, call| registry_token::registry_token(parts, registry, call),
            }
            CreateRegistry create_registry(group: &str, name: &str, options: CreateRegistryOptions) -> CreatedRegistry {
                about: About::registry(&format_args!("{group}/{name}")),
                call: options.call,
                deadline: create_registry::DEADLINE,
                rights: create_registry::RIGHTS,
                run: |parts, call| create_registry::create(parts, group, name, &options, call),
            }
            UpdateRegistry update_registry(registry: &RegistryRef, options: UpdateRegistryOptions) -> UpdatedSettings {
                about: About::registry(registry),
                call: options.call,
                deadline: update_registry::DEADLINE,
                rights: update_registry::RIGHTS,
                run: |parts, call| update_registry::update(parts, registry, &options, call),
            }
            DeleteRegistry delete_registry(registry: &RegistryRef, options: DeleteRegistryOptions) -> RegistryDeletion {
                about: About::registry(registry),
                call: options.call,
                deadline: delete_registry::DEADLINE,
                rights: delete_registry::RIGHTS,
                run: |parts, call| delete_registry::delete(parts, registry, call),
            }
            /// Plans the deletion of a registry, and writes nothing.
            ///
            /// The plan says what would be lost (the registry, the role assignments on it, and its repositories, which are only counted), and which
            /// principals and clusters can pull from it. What the caller cannot read is in [`unread`](crate::DeleteRegistryPlan::unread), with the
            /// missing action. The plan needs read permissions only. Review it, store it as JSON, and carry it out with
            /// [`apply_delete_registry`](Self::apply_delete_registry).
            ///
            /// To count the repositories, the call signs in to the registry, which may not be reachable from this machine. It waits at most 3 seconds
            /// for the registry, and at most 30 seconds including the caller's own sign-in. After that, `unread` says that the repositories
            /// could not be counted.
            ///
            /// # Errors
            /// [`NotFound`](ErrorKind::NotFound) if the registry does not exist; [`Forbidden`](ErrorKind::Forbidden) if the caller lacks the permission
            /// to read it; [`Unexpected`](ErrorKind::Unexpected) if Azure does not report when it was created.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyDeleteRegistryOptions, Client, DeleteRegistryOptions, DeletionOutcome};
            /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// let plan = client.plan_delete_registry(&"myregistry".parse()?, DeleteRegistryOptions::default()).await?;
            /// assert!(plan.to_string().starts_with("- registry myregistry with all its images"));
            /// assert_eq!(plan.repositories, Some(0));
            /// let deletion = client.apply_delete_registry(&plan, ApplyDeleteRegistryOptions::default()).await?;
            /// assert_eq!(deletion.outcome, DeletionOutcome::Deleted);
            /// # Ok(()) }
            /// ```
            PlanDeleteRegistry plan_delete_registry(registry: &RegistryRef, options: DeleteRegistryOptions) -> DeleteRegistryPlan {
                about: About::registry(registry),
                call: options.call,
                deadline: delete_registry::DEADLINE,
                rights: delete_registry::PLAN_RIGHTS,
                run: |parts, call| delete_registry::plan(parts, registry, call),
            }
            /// Deletes the registry in a plan made by [`plan_delete_registry`](Self::plan_delete_registry), after checking that it is still the
            /// same one.
            ///
            /// The current state is read again first. If the registry is gone, nothing is written and the outcome says so. A registry with the same ID
            /// that was created after the plan is not deleted. If a role assignment that the plan does not list would be lost, nothing is deleted: make a
            /// new plan and review it. If the plan could not list the role assignments (see [`unread`](crate::DeleteRegistryPlan::unread)), they are not
            /// compared. Images are not compared: those that were pushed after the plan are deleted too. The plan is valid for one hour.
            ///
            /// # Errors
            /// All errors of [`delete_registry`](Self::delete_registry); [`Conflict`](ErrorKind::Conflict) if the plan has expired, if the registry was
            /// deleted and created again, or if a role assignment that the plan does not list would be lost;
            /// [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_delete_registry`](Self::plan_delete_registry).
            ApplyDeleteRegistry apply_delete_registry(plan: &DeleteRegistryPlan, options: ApplyDeleteRegistryOptions) -> RegistryDeletion {
                about: About::registry(&plan.registry),
                call: options.call,
                deadline: delete_registry::DEADLINE,
                rights: delete_registry::APPLY_RIGHTS,
                run: |parts, call| delete_registry::apply_plan(parts, plan, call),
            }
            /// Plans a change of a registry's role assignment mode in which no principal loses access, and writes nothing.
            ///
            /// The two modes honour different roles, and the change keeps the assignments as they are: who pulls with `AcrPull` cannot pull
            /// anymore after a change to `AbacRepositoryPermissions`. The plan lists every principal that can pull, push, delete or list repositories
            /// today, by any role, custom roles and those of groups included, directly or inherited, and the smallest built-in role that keeps
            /// it. It names what cannot be kept ([`lost`](crate::ModeChangePlan::lost)), what is gained because a role exists that had no effect,
            /// and the custom roles that stop working. Members of Entra groups keep what they have through the group.
            ///
            /// Review it, store it as JSON, and carry it out with [`apply_mode_change`](Self::apply_mode_change), which can
            /// also undo it. Anonymous pull does not depend on the mode. ACR Tasks do: they lose their default access to images in
            /// `AbacRepositoryPermissions`. The caller needs read permissions only.
            ///
            /// # Errors
            /// [`NotFound`](ErrorKind::NotFound) if the registry does not exist; [`Forbidden`](ErrorKind::Forbidden) if the caller lacks the permission
            /// to read it, or to list its role assignments.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyModeChangeOptions, AttachOptions, Client, ModeChangeOptions, RoleAssignmentMode};
            /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// client.attach(&"group/dev".parse()?, &"myregistry".parse()?, AttachOptions::default()).await?;
            ///
            /// let mode = RoleAssignmentMode::AbacRepositoryPermissions;
            /// let plan = client.plan_mode_change(&"myregistry".parse()?, mode, ModeChangeOptions::default()).await?;
            /// assert!(plan.grants.iter().any(|one| one.role_name == "Container Registry Repository Reader"));
            /// assert!(plan.lost.is_empty());
            /// let options = ApplyModeChangeOptions::default();
            /// # let options = options.with_propagation_time(std::time::Duration::ZERO);
            /// let change = client.apply_mode_change(&plan, options.clone()).await?;
            /// assert_eq!(change.mode, mode);
            ///
            /// client.apply_mode_change(&plan, options.with_reverse(true)).await?;
            /// # Ok(()) }
            /// ```
            PlanModeChange plan_mode_change(registry: &RegistryRef, mode: RoleAssignmentMode, options: ModeChangeOptions) -> ModeChangePlan {
                about: About::registry(registry),
                call: options.call,
                deadline: mode_change::DEADLINE,
                rights: mode_change::PLAN_RIGHTS,
                run: |parts, call| mode_change::plan(parts, registry, mode, &options, call),
            }
            /// Changes the role assignment mode of the registry in a plan made by [`plan_mode_change`](Self::plan_mode_change), or undoes that.
            ///
            /// The current state is read again first. If a principal that is not in the plan would lose access, nothing is written. The equivalent roles
            /// are granted and read again; the mode changes when the newest of them is 10 minutes old, because Azure may take that long to honour a
            /// role. The old role assignments stay: see `stopped` of the plan. A call that was interrupted can be
            /// repeated: it grants what is missing, and waits only for the rest of the 10 minutes.
            ///
            /// **The change invalidates every credential that the registry has issued.** Nodes keep theirs for up to an hour, and until then a pull may
            /// be refused with 401 although the role is right. [`credentials_until`](crate::ModeChange::credentials_until) has that time, and
            /// [`check`](Self::check) and [`wait_for_rollout`](Self::wait_for_rollout) of the same client say so
            /// (`sign_in.credentials_invalidated`). Nodes that are reimaged or replaced fetch a new one.
            ///
            /// With `reverse`, the mode changes back, and then the roles that the plan granted are removed, except those that another tool has
            /// granted since. Nothing is written if a principal that had access before the change would lose it, because a role was removed
            /// since.
            ///
            /// # Errors
            /// [`Conflict`](ErrorKind::Conflict) if the plan has expired, or a principal that is not in the plan would lose access;
            /// [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version, or if it has
            /// [`lost`](crate::ModeChangePlan::lost) access and `accept_loss` is not set; [`Forbidden`](ErrorKind::Forbidden) if the caller lacks the
            /// permission to grant a role or to change the registry; [`NotFound`](ErrorKind::NotFound) if the registry does not exist;
            /// [`OperationFailed`](ErrorKind::OperationFailed) if Azure could not change it.
            ///
            /// # Examples
            /// See [`plan_mode_change`](Self::plan_mode_change).
            ApplyModeChange apply_mode_change(plan: &ModeChangePlan, options: ApplyModeChangeOptions) -> ModeChange {
                about: About::registry(&plan.registry),
                call: options.call,
                deadline: mode_change::APPLY_DEADLINE,
                rights: mode_change::RIGHTS,
                run: |parts, call| mode_change::apply_plan(parts, plan, &options, call),
            }
            /// Plans an own kubelet identity for a cluster that does not exist yet, and writes nothing.
            ///
            /// A cluster whose identity is created with it can pull only after a role assignment to that identity, and an Entra group that it
            /// joins later can take up to a day to count: nodes keep a token with the memberships that it was issued with. With identities of
            /// your own, all of this exists before the first node. The plan covers two identities in one resource group (the nodes' and the
            /// control plane's), the role Managed Identity Operator that lets the one use the other, the membership in an Entra group, and the
            /// grants on registries. The plan needs read permissions only. Review it, store it as JSON, and carry it out with
            /// [`apply_kubelet_identity`](Self::apply_kubelet_identity).
            ///
            /// # Errors
            /// [`InvalidInput`](ErrorKind::InvalidInput) for an invalid name, or if several Entra groups have the name;
            /// [`NotFound`](ErrorKind::NotFound) if the resource group, the Entra group or a registry does not exist;
            /// [`Forbidden`](ErrorKind::Forbidden) if the caller lacks the permission to read one of them.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyKubeletIdentityOptions, Client, CreateClusterOptions, KubeletIdentityOptions, RemoveKubeletIdentityOptions};
            /// # let azure = aks_acr_emulator::Emulator::new().with_registry("group", "myregistry");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// let options = KubeletIdentityOptions::default().with_registry("myregistry".parse()?);
            /// let plan = client.plan_kubelet_identity("group", "kubelet", options).await?;
            /// assert!(plan.to_string().contains("+ identity kubelet"));
            /// let setup = client.apply_kubelet_identity(&plan, ApplyKubeletIdentityOptions::default()).await?;
            /// let options = CreateClusterOptions::default()
            ///     .with_control_plane_identity(setup.control_plane.id)
            ///     .with_kubelet_identity(setup.kubelet.id);
            /// client.create_cluster(&"group/dev".parse()?, options).await?;
            /// # Ok(()) }
            /// ```
            PlanKubeletIdentity plan_kubelet_identity(group: &str, name: &str, options: KubeletIdentityOptions) -> KubeletIdentityPlan {
                about: About { cluster: None, registry: None }.with_registries(&options.registries),
                call: options.call,
                deadline: kubelet_identity::DEADLINE,
                rights: kubelet_identity::PLAN_RIGHTS,
                run: |parts, call| kubelet_identity::plan(parts, group, name, &options, call),
            }
            /// Creates what is missing of a plan made by [`plan_kubelet_identity`](Self::plan_kubelet_identity), after checking that it still
            /// matches the current state.
            ///
            /// The current state is read again first. What was created in the meantime is kept; if more would have to be created than planned,
            /// nothing is written. First the two identities are created, then the role assignments and the membership, in parallel. Entra ID
            /// does not know a new identity at once: the call waits until Microsoft Graph does, for at most five minutes. If the call is
            /// interrupted, apply the same plan again. Pass the IDs in the result to [`create_cluster`](Self::create_cluster). The plan is
            /// valid for one hour.
            ///
            /// # Errors
            /// All errors of [`plan_kubelet_identity`](Self::plan_kubelet_identity); [`Conflict`](ErrorKind::Conflict) if the plan has expired
            /// or more would have to be created than planned; [`Forbidden`](ErrorKind::Forbidden) if the caller lacks the permission to create
            /// a part: the error names the missing action, or the permission in Microsoft Graph;
            /// [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_kubelet_identity`](Self::plan_kubelet_identity).
            ApplyKubeletIdentity apply_kubelet_identity(plan: &KubeletIdentityPlan, options: ApplyKubeletIdentityOptions) -> KubeletIdentitySetup {
                about: About { cluster: None, registry: None }.with_registries(plan.pulls.iter().map(|one| &one.registry)),
                call: options.call,
                deadline: kubelet_identity::APPLY_DEADLINE,
                rights: kubelet_identity::RIGHTS,
                run: |parts, call| kubelet_identity::apply_plan(parts, plan, call),
            }
            RemoveKubeletIdentity remove_kubelet_identity(plan: &KubeletIdentityPlan, options: RemoveKubeletIdentityOptions) -> KubeletIdentityRemoval {
                about: About { cluster: None, registry: None }.with_registries(plan.pulls.iter().map(|one| &one.registry)),
                call: options.call,
                deadline: kubelet_identity::REMOVE_DEADLINE,
                rights: kubelet_identity::REMOVE_RIGHTS,
                run: |parts, call| kubelet_identity::remove(parts, plan, call),
            }
            CreateCluster create_cluster(cluster: &ClusterRef, options: CreateClusterOptions) -> CreatedCluster {
                about: About::cluster(cluster).with_registries(&options.registries),
                call: options.call,
                deadline: create_cluster::DEADLINE,
                rights: create_cluster::RIGHTS,
                run: |parts, call| create_cluster::create(parts, cluster, &options, call),
            }
            DeleteCluster delete_cluster(cluster: &ClusterRef, options: DeleteClusterOptions) -> ClusterDeletion {
                about: About::cluster(cluster),
                call: options.call,
                deadline: delete_cluster::DEADLINE,
                rights: delete_cluster::RIGHTS,
                run: |parts, call| delete_cluster::delete(parts, cluster, call),
            }
            /// Plans the deletion of a cluster, and writes nothing.
            ///
            /// The plan says what would be deleted (the cluster, and the resource group with its nodes), and which grants of the kubelet identity would
            /// stay behind: Azure keeps role assignments of deleted identities. Remove them with [`detach`](Self::detach) first. What the caller cannot
            /// read is in [`unread`](crate::DeleteClusterPlan::unread), with the missing action. The plan needs read permissions only. Review it, store it
            /// as JSON, and carry it out with [`apply_delete_cluster`](Self::apply_delete_cluster).
            ///
            /// # Errors
            /// [`NotFound`](ErrorKind::NotFound) if the cluster does not exist; [`Forbidden`](ErrorKind::Forbidden) if the caller lacks the permission
            /// to read it; [`Unexpected`](ErrorKind::Unexpected) if Azure does not report its `resourceUID`.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyDeleteClusterOptions, Client, DeleteClusterOptions, DeletionOutcome};
            /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
            /// let plan = client.plan_delete_cluster(&"group/dev".parse()?, DeleteClusterOptions::default()).await?;
            /// assert!(plan.to_string().starts_with("- cluster dev with all that runs on it"));
            /// assert!(plan.grants.is_empty());
            /// let deletion = client.apply_delete_cluster(&plan, ApplyDeleteClusterOptions::default()).await?;
            /// assert_eq!(deletion.outcome, DeletionOutcome::Deleted);
            /// # Ok(()) }
            /// ```
            PlanDeleteCluster plan_delete_cluster(cluster: &ClusterRef, options: DeleteClusterOptions) -> DeleteClusterPlan {
                about: About::cluster(cluster),
                call: options.call,
                deadline: delete_cluster::DEADLINE,
                rights: delete_cluster::PLAN_RIGHTS,
                run: |parts, call| delete_cluster::plan(parts, cluster, call),
            }
            /// Deletes the cluster in a plan made by [`plan_delete_cluster`](Self::plan_delete_cluster), after checking that it is still the same one.
            ///
            /// The cluster is read again first. If it is gone, nothing is written and the outcome says so. A cluster with the same ID that was created
            /// after the plan is not deleted. What runs on the cluster is not compared: workloads that were deployed after the plan are deleted too. The
            /// plan is valid for one hour.
            ///
            /// # Errors
            /// All errors of [`delete_cluster`](Self::delete_cluster); [`Conflict`](ErrorKind::Conflict) if the plan has expired, or if the cluster was
            /// deleted and created again; [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version.
            ///
            /// # Examples
            /// See [`plan_delete_cluster`](Self::plan_delete_cluster).
            ApplyDeleteCluster apply_delete_cluster(plan: &DeleteClusterPlan, options: ApplyDeleteClusterOptions) -> ClusterDeletion {
                about: About::cluster(&plan.cluster),
                call: options.call,
                deadline: delete_cluster::DEADLINE,
                rights: delete_cluster::RIGHTS,
                run: |parts, call| delete_cluster::apply_plan(parts, plan, call),
            }
            ImportImage import_image(registry: &RegistryRef, source: &ImageReference, options: ImportOptions) -> Import {
                about: About::registry(registry),
                call: options.call,
                deadline: import::DEADLINE,
                rights: import::RIGHTS,
                run: |parts, call| import::import(parts, registry, source, &options, call),
            }
            ImportImages import_images(registry: &RegistryRef, images: Vec<ImportItem>, options: ImportManyOptions) -> Vec<Result<Import>> {
                about: About::registry(registry),
                call: options.call,
                deadline: import::LIST_DEADLINE,
                rights: import::RIGHTS,
                run: |parts, call| import::import_many(parts, registry, &images, &options, call),
            }
            StartImport start_import(registry: &RegistryRef, source: &ImageReference, options: ImportOptions) -> StartedImport {
                about: About::registry(registry),
                call: options.call,
                deadline: import::DEADLINE,
                rights: import::RIGHTS,
                run: |parts, call| import::start(parts, registry, source, &options, call),
            }
            PollImport poll_import(handle: &mut ImportHandle, call: CallOptions) -> ImportStatus {
                about: About::registry(&handle.registry),
                call: call,
                deadline: import::POLL_DEADLINE,
                rights: import::POLL_RIGHTS,
                run: |parts, call| import::poll(parts, handle, call),
            }
            Kubeconfig kubeconfig(cluster: &ClusterRef, options: KubeconfigOptions) -> Kubeconfig {
                about: About::cluster(cluster),
                call: options.call,
                deadline: kubeconfig::DEADLINE,
                rights: kubeconfig::RIGHTS,
                run: |parts, call| kubeconfig::kubeconfig(parts, cluster, &options, call),
            }
            MergeKubeconfig merge_kubeconfig(cluster: &ClusterRef, options: MergeKubeconfigOptions) -> MergedKubeconfig {
                about: About::cluster(cluster),
                call: options.kubeconfig.call,
                deadline: kubeconfig::DEADLINE,
                rights: kubeconfig::RIGHTS,
                run: |parts, call| kubeconfig::merge(parts, cluster, options, call),
            }
            Apply apply(cluster: &ClusterRef, manifests: Vec<Manifest>, options: ApplyOptions) -> Vec<Applied> {
                about: About::cluster(cluster).with_registries(&options.registry),
                call: options.call,
                deadline: apply::DEADLINE,
                rights: apply::RIGHTS,
                run: |parts, call| apply::apply(parts, cluster, manifests, &options, call),
            }
            WaitForRollout wait_for_rollout(cluster: &ClusterRef, workload: &WorkloadRef, options: RolloutOptions) -> Rollout {
                about: About::cluster(cluster),
                call: options.call,
                deadline: rollout::DEADLINE,
                rights: rollout::RIGHTS,
                run: |parts, call| rollout::wait_for_rollout(parts, cluster, workload, &options, call),
            }
            /// Plans an image pull secret for external private registries, and writes nothing.
            ///
            /// The plan says what would be written (never a password), what exists, and what would not work: see
            /// [`warnings`](crate::PullSecretPlan::warnings). Review it, store it as JSON, and carry it out with
            /// [`apply_pull_secret`](Self::apply_pull_secret). For an Azure registry, use [`attach`](Self::attach) instead: a cluster pulls from it
            /// with its own identity, without a password that expires.
            ///
            /// The caller needs the Kubernetes permission `get` on secrets and service accounts of the namespace.
            ///
            /// # Errors
            /// [`NotFound`](ErrorKind::NotFound) if the cluster, the namespace or a service account does not exist;
            /// [`Forbidden`](ErrorKind::Forbidden) if the caller lacks a permission in Azure or Kubernetes; [`Conflict`](ErrorKind::Conflict) if the
            /// secret has another type, is immutable, or has other content that another field manager owns and `force` is not set;
            /// [`InvalidInput`](ErrorKind::InvalidInput) for an invalid name, registry, user name or password.
            ///
            /// # Examples
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
            /// # use aks_acr::{ApplyPullSecretOptions, Client, PullSecretOptions, PullSecretOutcome, RegistryCredential};
            /// # use aks_acr::azure_core::credentials::Secret;
            /// # let azure = aks_acr_emulator::Emulator::new().with_cluster("group", "dev");
            /// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).kubernetes(azure.kubernetes()).build()?;
            /// let credentials = vec![RegistryCredential::new("ghcr.io", "robot", Secret::new("password"))];
            /// let options = PullSecretOptions::default();
            /// let plan = client.plan_pull_secret(&"group/dev".parse()?, "ghcr", credentials.clone(), options).await?;
            /// assert!(plan.to_string().starts_with("+ pull secret ghcr in namespace default of dev"));
            /// let applied = client.apply_pull_secret(&plan, credentials, ApplyPullSecretOptions::default()).await?;
            /// assert_eq!(applied.outcome, PullSecretOutcome::Created);
            /// assert_eq!(applied.linked, ["default"]);
            /// # Ok(()) }
            /// ```
            PlanPullSecret plan_pull_secret(cluster: &ClusterRef, name: &str, credentials: Vec<RegistryCredential>, options: PullSecretOptions) -> PullSecretPlan {
                about: About::cluster(cluster),
                call: options.call,
                deadline: pull_secret::DEADLINE,
                rights: pull_secret::RIGHTS,
                run: |parts, call| pull_secret::plan(parts, cluster, name, &credentials, &options, call),
            }
            /// Creates or updates the image pull secret in a plan made by [`plan_pull_secret`](Self::plan_pull_secret), and adds it to the service
            /// accounts.
            ///
            /// A plan contains no passwords, so the credentials are given again. Their registries and user names must be those of the plan; a
            /// password may be newer. The secret has the type `kubernetes.io/dockerconfigjson` and is written by server-side apply. The other pull
            /// secrets of a service account stay, also those that someone adds at the same time: Kubernetes does not merge this list itself, so
            /// `kubectl patch` replaces it.
            ///
            /// Pods that exist do not change: Kubernetes copies the pull secrets of a service account when a pod is created. Restart a workload that
            /// waits in `ImagePullBackOff`, for example with `kubectl rollout restart`.
            ///
            /// The caller needs the Kubernetes permissions `get`, `create` and `patch` on secrets and `get` and `patch` on service accounts of the
            /// namespace.
            ///
            /// # Errors
            /// All errors of [`plan_pull_secret`](Self::plan_pull_secret); [`Conflict`](ErrorKind::Conflict) if the plan has expired, or if something
            /// else would have to be done to the secret; [`InvalidInput`](ErrorKind::InvalidInput) if the plan has a different format version, or if
            /// the credentials are for other registries or users than the plan.
            ///
            /// # Examples
            /// See [`plan_pull_secret`](Self::plan_pull_secret).
            ApplyPullSecret apply_pull_secret(plan: &PullSecretPlan, credentials: Vec<RegistryCredential>, options: ApplyPullSecretOptions) -> PullSecret {
                about: About::cluster(&plan.cluster),
                call: options.call,
                deadline: pull_secret::DEADLINE,
                rights: pull_secret::RIGHTS,
                run: |parts, call| pull_secret::apply_plan(parts, plan, &credentials, call),
            }
            Pods pods(cluster: &ClusterRef, selection: &PodSelection, call: CallOptions) -> Pods {
                about: About::cluster(cluster),
                call: call,
                deadline: pods::DEADLINE,
                rights: pods::RIGHTS,
                run: |parts, call| pods::pods(parts, cluster, selection, call),
            }
        }
    };
}

macro_rules! operation {
    ($(
        $(#[doc = $docs:literal])*
        $operation:ident $name:ident($($arguments:tt)*) -> $result:ty {
            about: $about:expr,
            call: $options:expr,
            deadline: $deadline:expr,
            rights: $rights:expr,
            run: |$parts:ident, $call:ident| $run:expr,
        }
    )*) => {
        /// The name of an operation of [`Client`](crate::Client).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each is the method of that name")]
        pub enum Operation {
            $($operation,)*
        }

        impl Operation {
            /// The permissions that it needs.
            pub(crate) const fn rights(self) -> &'static [RequiredRight] {
                match self { $(Self::$operation => $rights,)* }
            }
        }

        words!(Operation, "operation": $($operation => stringify!($name),)*);
    };
}

operations!(operation);

pub(crate) use {imports, operations};
