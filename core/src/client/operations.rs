//! One method for each row of the table of operations.

use super::Client;
#[cfg(doc)]
use crate::error::{Error, ErrorKind};
use crate::{
    call::CallOptions,
    cluster::{
        Applied, ApplyOptions, ClusterRef, Kubeconfig, KubeconfigOptions, Manifest, MergeKubeconfigOptions,
        MergedKubeconfig, PodSelection, Pods, Rollout, WorkloadRef,
    },
    error::Result,
    identity::ClusterIdentities,
    image::ImageReference,
    operation::{
        apply,
        attach::{self, ApplyAttachOptions, AttachOptions, AttachPlan, Attachment},
        attachments::{self, AttachmentsOptions, ClusterAttachments, RegistryAttachments},
        create_cluster::{self, CreateClusterOptions, CreatedCluster},
        create_registry::{self, CreateRegistryOptions},
        detach::{self, ApplyDetachOptions, DetachOptions, DetachPlan, Detachment},
        identities,
        import::{self, Import, ImportItem, ImportManyOptions, ImportOptions, StartedImport},
        kubeconfig, pods, registry,
        rollout::{self, RolloutOptions},
        span::{About, in_span},
        table::operations,
    },
    registry::{CreatedRegistry, ImportHandle, ImportStatus, Registry, RegistryRef},
};

macro_rules! methods {
    ($(
        $operation:ident $name:ident($($argument:ident: $type:ty),*) -> $result:ty {
            about: $about:expr,
            call: $options:expr,
            deadline: $deadline:expr,
            rights: $rights:expr,
            run: |$parts:ident, $call:ident| $run:expr,
        }
    )*) => {
        impl Client {
            $(
                #[doc = include_str!(concat!("../operation/docs/", stringify!($name), ".md"))]
                pub async fn $name(&self, $($argument: $type),*) -> Result<$result> {
                    let call = $options.start($deadline);
                    let ($parts, $call) = (&*self.parts, &call);
                    in_span!(stringify!($name), $parts, $about, $call.clone(), $run).await
                }
            )*
        }
    };
}

operations!(methods);
