//! A cluster's kubeconfig: as a value, and merged into a file.

use super::{
    Parts,
    right::{RequiredRight, RightScope, needed, useful},
    span::Outcome,
};
use crate::{
    action::{ADMIN_CREDENTIAL, USER_CREDENTIAL},
    call::Call,
    cluster::{ClusterRef, Kubeconfig, KubeconfigOptions, MergeKubeconfigOptions, MergedKubeconfig, Places},
    error::{Error, ErrorKind, Result},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
const MERGE: &str = "merging the kubeconfig";
pub(crate) const RIGHTS: &[RequiredRight] = &[
    needed(USER_CREDENTIAL, RightScope::Cluster, "to get the users' kubeconfig"),
    useful(ADMIN_CREDENTIAL, RightScope::Cluster, "to get the administrator's instead"),
];

pub(crate) async fn kubeconfig(
    parts: &Parts,
    cluster: &ClusterRef,
    options: &KubeconfigOptions,
    call: &Call,
) -> Result<Kubeconfig> {
    let context = options.context.as_deref();
    if let Some(name) = context.filter(|name| !is_context_name(name)) {
        let wanted =
            "expected a context name: not empty, without white space at its ends and without control characters";
        return Err(Error::invalid(wanted, "context", name.escape_default().to_string()));
    }
    let kubeconfig = parts.cluster_deployer.kubeconfig(cluster, options, call).await?;
    match context {
        None => Ok(kubeconfig),
        Some(name) => kubeconfig.with_context(name),
    }
}

fn is_context_name(name: &str) -> bool {
    name.trim() == name && !name.is_empty() && !name.contains(char::is_control)
}

pub(crate) async fn merge(
    parts: &Parts,
    cluster: &ClusterRef,
    mut options: MergeKubeconfigOptions,
    call: &Call,
) -> Result<MergedKubeconfig> {
    let places = Places::find(options.file.as_deref(), &parts.environment)?;
    let merged = kubeconfig(parts, cluster, &options.kubeconfig, call).await?;
    options.lock_wait = options.lock_wait.min(call.remaining());
    // Dropping the future stops the work, unless the file is already replaced.
    let given_up = CancellationToken::new();
    let _on_drop = given_up.clone().drop_guard();
    let work = tokio::task::spawn_blocking(move || merged.merge_into(&places, &options, &|| given_up.is_cancelled()));
    let work = async {
        work.await.map_err(|err| Error::new(ErrorKind::Unexpected, "the merge was interrupted").with_source(err))?
    };
    call.step(MERGE, call.run(MERGE, work)).await
}

impl Outcome for Kubeconfig {}

impl Outcome for MergedKubeconfig {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }
}
