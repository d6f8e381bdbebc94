//! Gets a cluster's kubeconfig from Azure.

use super::{Access, CLUSTER_API as API, ClusterBody, Kubeconfig, KubeconfigOptions, about, get_cluster};
use crate::{
    action::{ADMIN_CREDENTIAL, USER_CREDENTIAL},
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest},
    id::ResourceId,
};
use azure_core::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

#[derive(Deserialize)]
struct Credentials {
    kubeconfigs: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    value: String,
}

/// Gets a kubeconfig and rejects what no kubeconfig of AKS contains. `is_own` says whether the caller itself reaches a host through a
/// proxy.
pub(crate) async fn kubeconfig(
    arm: &Arm,
    id: &ResourceId,
    options: &KubeconfigOptions,
    is_own: &(dyn Fn(&str, &str) -> bool + Sync),
    call: &Call,
) -> Result<Kubeconfig> {
    let answer = arm.send(post_credential(id, options), call).await.map_err(|err| about(err, id))?;
    let odd = || {
        Error::new(ErrorKind::Unexpected, "Azure's response contains no kubeconfig").with_context("cluster", id.name())
    };
    let first = answer.read::<Credentials>("a kubeconfig")?.kubeconfigs.into_iter().next().ok_or_else(odd)?;
    // A failure to read it could quote a key, so its reason is not kept.
    let text =
        STANDARD.decode(first.value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(odd)?;
    let unusable = |err| Error::new(ErrorKind::Unexpected, "Azure's kubeconfig is invalid").with_source(err);
    let kubeconfig = Kubeconfig::parse(text).map_err(unusable)?;
    let host = kubeconfig.host().unwrap_or_default();
    let may_name = |proxy: &str| arm.cloud().may_name_proxy(proxy) || is_own(&host, proxy);
    let kubeconfig = kubeconfig.accepted(&may_name).map_err(|err| err.with_context("cluster", id.name()))?;
    for host in kubeconfig.hosts()? {
        if !arm.cloud().has_cluster(&host) {
            check_own(arm, id, &host, call).await?;
        }
    }
    Ok(kubeconfig)
}

/// A server without an AKS name is accepted only if Azure reports it as the cluster's. This check costs a request, which is not
/// needed if the kubeconfig's server has a usual AKS name.
async fn check_own(arm: &Arm, id: &ResourceId, host: &str, call: &Call) -> Result<()> {
    let answer = arm.send(get_cluster(id), call).await.map_err(|err| about(err, id))?;
    let cluster: ClusterBody = answer.read("a cluster")?;
    for field in ["properties/fqdn", "properties/privateFQDN", "properties/azurePortalFQDN"] {
        if cluster.part::<String>(field)?.is_some_and(|own| own.eq_ignore_ascii_case(host)) {
            return Ok(());
        }
    }
    Err(Error::new(ErrorKind::Unexpected, "the kubeconfig names a server that does not belong to the cluster")
        .with_context("field", "server")
        .with_context("host", host)
        .with_context("cluster", id.name()))
}

/// See [List credentials](https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials).
fn post_credential(id: &ResourceId, options: &KubeconfigOptions) -> ArmRequest {
    let (list, action) = match options.access {
        Access::User => ("listClusterUserCredential", USER_CREDENTIAL),
        Access::Admin => ("listClusterAdminCredential", ADMIN_CREDENTIAL),
    };
    let request = ArmRequest::new(Method::Post, format!("{id}/{list}"), API).reads();
    let request = if options.public_fqdn { request.query("server-fqdn", "public") } else { request };
    request.credentials().step("getting the cluster's kubeconfig").needs(action, id.as_str())
}
