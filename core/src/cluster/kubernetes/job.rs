//! The deletion of a Job with its pods.

use super::{client::Kubernetes, watch::checked_name};
use crate::{
    call::Call,
    error::Result,
    id::ResourceId,
    kubernetes::send_delete,
    write::{Write, WriteService},
};
use kube::{
    api::{DeleteParams, PropagationPolicy},
    core::Request,
};

impl Kubernetes {
    /// Deletes a Job; its pods go with it. Returns whether it existed.
    pub async fn delete_job(&self, cluster: &ResourceId, (namespace, name): (&str, &str), call: &Call) -> Result<bool> {
        let client = self.client(cluster, call).await?;
        let path = format!("/apis/batch/v1/namespaces/{}/jobs", checked_name(namespace)?);
        let parameters =
            DeleteParams { propagation_policy: Some(PropagationPolicy::Background), ..DeleteParams::default() };
        let request = Request::new(path).delete(checked_name(name)?, &parameters);
        let step = "deleting the job";
        let write = |request: &http::Request<Vec<u8>>| Write {
            service: WriteService::Kubernetes,
            method: request.method().to_string(),
            target: format!("{cluster}{}", request.uri().path()),
            action: None,
            step: step.to_owned(),
            body: None,
        };
        send_delete(&client, &self.guard, write, request, step, call).await
    }
}
