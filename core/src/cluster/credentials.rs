//! Azure's answer to "let me into this cluster".

use super::{Access, CLUSTER_API as API, Kubeconfig, KubeconfigMode, about};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest},
    id::ResourceId,
};
use azure_core::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

pub(crate) const AS_USER: &str = "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action";
pub(crate) const AS_ADMIN: &str = "Microsoft.ContainerService/managedClusters/listClusterAdminCredential/action";

#[derive(Deserialize)]
struct Credentials {
    kubeconfigs: Vec<Credential>,
}

#[derive(Deserialize)]
struct Credential {
    value: String,
}

pub(crate) async fn kubeconfig(arm: &Arm, id: &ResourceId, mode: KubeconfigMode, call: &Call) -> Result<Kubeconfig> {
    let answer = arm.send(post_credential(id, mode), call).await.map_err(|err| about(err, id))?;
    let odd =
        || Error::new(ErrorKind::Unexpected, "Azure answered without a kubeconfig").with_context("cluster", id.name());
    let first = answer.read::<Credentials>("a kubeconfig")?.kubeconfigs.into_iter().next().ok_or_else(odd)?;
    // A failure to read it could quote a key, so its reason is not kept.
    let text =
        STANDARD.decode(first.value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(odd)?;
    let unusable = |err| Error::new(ErrorKind::Unexpected, "Azure's kubeconfig cannot be used").with_source(err);
    Kubeconfig::parse(text).map_err(unusable)
}

/// See [List credentials](https://learn.microsoft.com/rest/api/aks/managed-clusters/list-cluster-user-credentials).
fn post_credential(id: &ResourceId, mode: KubeconfigMode) -> ArmRequest {
    let (list, action) = match mode.access {
        Access::User => ("listClusterUserCredential", AS_USER),
        Access::Admin => ("listClusterAdminCredential", AS_ADMIN),
    };
    let request = ArmRequest::new(Method::Post, format!("{id}/{list}"), API).reads();
    let request = if mode.public_fqdn { request.query("server-fqdn", "public") } else { request };
    request.step("asking for the cluster's kubeconfig").needs(action, id.as_str())
}
