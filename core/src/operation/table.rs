//! The table of operations: everything that the client offers.
//!
//! A row has the name in [`Operation`], the method of [`Client`](crate::Client) with its arguments and its result, the fields of its
//! span, the call options with the default deadline, the permissions, and the function that does the work. The methods' docs are in
//! `docs/`, by their names.

use super::{
    apply, attach, attachments, create_cluster, create_registry, detach, identities, import, kubeconfig, list, pods,
    registry, right::RequiredRight, rollout,
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
                MergedKubeconfig, PodSelection, Pods, Rollout, WorkloadRef,
            },
            error::Result,
            identity::ClusterIdentities,
            image::ImageReference,
            inventory::{ClusterFilter, RegistryFilter},
            operation::{
                apply,
                attach::{self, ApplyAttachOptions, AttachOptions, AttachPlan, Attachment},
                attachments::{self, AttachmentsOptions, ClusterAttachments, RegistryAttachments},
                create_cluster::{self, CreateClusterOptions, CreatedCluster},
                create_registry::{self, CreateRegistryOptions},
                detach::{self, ApplyDetachOptions, DetachOptions, DetachPlan, Detachment},
                identities,
                import::{self, Import, ImportItem, ImportManyOptions, ImportOptions, StartedImport},
                kubeconfig,
                list::{self, ClusterList, ReadOptions, RegistryList},
                pods, registry,
                rollout::{self, RolloutOptions},
            },
            registry::{CreatedRegistry, ImportHandle, ImportStatus, Registry, RegistryRef},
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
            PlanAttach plan_attach(cluster: &ClusterRef, registry: &RegistryRef, options: AttachOptions) -> AttachPlan {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: attach::DEADLINE,
                rights: attach::PLAN_RIGHTS,
                run: |parts, call| attach::plan(parts, cluster, registry, &options, call),
            }
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
            PlanDetach plan_detach(cluster: &ClusterRef, registry: &RegistryRef, options: DetachOptions) -> DetachPlan {
                about: About::both(cluster, registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: detach::PLAN_RIGHTS,
                run: |parts, call| detach::plan(parts, cluster, registry, &options, call),
            }
            ApplyDetach apply_detach(plan: &DetachPlan, options: ApplyDetachOptions) -> Detachment {
                about: About::both(&plan.cluster, &plan.registry),
                call: options.call,
                deadline: detach::DEADLINE,
                rights: detach::RIGHTS,
                run: |parts, call| detach::apply_plan(parts, plan, &options, call),
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
            CreateRegistry create_registry(group: &str, name: &str, options: CreateRegistryOptions) -> CreatedRegistry {
                about: About::registry(&format_args!("{group}/{name}")),
                call: options.call,
                deadline: create_registry::DEADLINE,
                rights: create_registry::RIGHTS,
                run: |parts, call| create_registry::create(parts, group, name, &options, call),
            }
            CreateCluster create_cluster(cluster: &ClusterRef, options: CreateClusterOptions) -> CreatedCluster {
                about: About::cluster(cluster).with_registries(&options.registries),
                call: options.call,
                deadline: create_cluster::DEADLINE,
                rights: create_cluster::RIGHTS,
                run: |parts, call| create_cluster::create(parts, cluster, &options, call),
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
