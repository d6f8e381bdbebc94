//! What operations are called with in a scene, and how their results are shown. `calls.rs`, which is generated, makes the calls: so a new
//! operation is in every test that goes through all of them.

#![expect(clippy::missing_errors_doc, reason = "for tests only")]

use crate::arguments::Arguments;
pub use crate::calls::operate;
use aks_acr::{CallOptions, Client, Error, Import, Kubeconfig, Operation, RegistryToken};
use serde::Serialize;
use serde_json::{Value, json};
use std::{fmt::Debug, path::Path};

/// The object ID of a service principal that Azure does not look up.
const PRINCIPAL: &str = "0c9f1a7e-5d0b-4b8e-9f53-7a1c2d3e4f50";

/// A cluster and a registry that exist, and the rest that operations need.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// As `group/name`.
    pub cluster: &'a str,
    /// Its name or resource ID.
    pub registry: &'a str,
    /// The manifest of a Deployment `web`.
    pub manifests: &'a str,
    /// For files.
    pub folder: &'a Path,
    /// The target of imports.
    pub target: Option<&'a str>,
}

impl Scene<'_> {
    /// The arguments of an operation. New resources are in the cluster's group and named `another`.
    #[must_use]
    pub fn arguments(&self, operation: Operation) -> Arguments {
        let group = self.cluster.split('/').next().unwrap_or_default();
        let image = json!({ "source": "nginx", "target": self.target });
        let arguments = Arguments::shared(&json!({
            "cluster": self.cluster,
            "registry": self.registry,
            "group": group,
            "name": "another",
            "principal": PRINCIPAL,
            "source": "nginx",
            "images": [without_null(image)],
            "manifests": self.manifests,
            "workload": "web",
            "file": self.folder.join("config"),
            "credentials": [{"registry": "ghcr.io", "username": "robot", "password": "word"}],
        }));
        let arguments = arguments.with("target", self.target.map_or(Value::Null, Value::from));
        match operation {
            Operation::CreateCluster => {
                arguments.with("cluster", format!("{group}/another")).with("registries", json!([self.registry]))
            }
            Operation::PlanKubeletIdentity => arguments.with("registries", json!([self.registry])),
            Operation::UpdateRegistry => arguments.with("admin_user", json!(true)),
            Operation::RevokeAccess | Operation::PlanRevokeAccess => arguments.with("principal_id", PRINCIPAL),
            Operation::PlanModeChange => arguments.with("mode", json!("AbacRepositoryPermissions")),
            // There it is a list of names.
            Operation::PlanPullSecret => arguments.with("images", Value::Null),
            // There it is a pod or a workload.
            Operation::Explain => arguments.with("target", Value::Null),
            // There it is one that nodes pull.
            Operation::ProvePull => arguments.with("image", "myregistry.azurecr.io/nginx:v1"),
            // There it is an option.
            Operation::Apply | Operation::WaitForRollout => arguments.with("registry", Value::Null),
            _ => arguments,
        }
    }

    /// The same after what has to exist before was done: a plan made, an import started, a workload applied.
    pub async fn prepared(&self, owner: &Client, operation: Operation) -> Result<Arguments, Error> {
        let before = |operation| operate(owner, operation, self.arguments(operation), CallOptions::default());
        let arguments = self.arguments(operation);
        if matches!(operation, Operation::RevokeAccess | Operation::PlanRevokeAccess | Operation::ApplyRevokeAccess) {
            before(Operation::GrantAccess).await?;
        }
        let planned = operation.as_str().strip_prefix("apply_").map(|name| format!("plan_{name}"));
        if let Some(Ok(planned)) = planned.map(|name| name.parse()) {
            return Ok(arguments.with("plan", before(planned).await?));
        }
        Ok(match operation {
            Operation::RemoveKubeletIdentity => {
                let plan = before(Operation::PlanKubeletIdentity).await?;
                let made = self.arguments(Operation::ApplyKubeletIdentity).with("plan", plan.clone());
                operate(owner, Operation::ApplyKubeletIdentity, made, CallOptions::default()).await?;
                arguments.with("plan", plan)
            }
            Operation::PollImport => arguments.with("handle", before(Operation::StartImport).await?),
            Operation::WaitForRollout => {
                before(Operation::Apply).await?;
                arguments
            }
            _ => arguments,
        })
    }
}

fn without_null(mut value: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.retain(|_, one| !one.is_null());
    }
    value
}

/// The result as JSON. `Debug` is called because programs log results.
pub(crate) fn shown<T: Debug + Serialize>(value: T) -> Value {
    drop(format!("{value:?}"));
    json!(value)
}

/// A kubeconfig without its text, which is a secret.
pub(crate) fn shown_kubeconfig(kubeconfig: &Kubeconfig) -> Value {
    json!({"context": kubeconfig.context(), "server": kubeconfig.server()})
}

/// A token without its password, which is a secret.
pub(crate) fn shown_token(token: &RegistryToken) -> Value {
    drop(format!("{token:?}"));
    json!({"login_server": token.login_server, "username": token.username, "expires": token.expires.is_some()})
}

/// The results of a list. With exact arguments each image has its own result or error; with those of a scene, the first error is that of
/// the call.
pub(crate) fn shown_outcomes(results: Vec<Result<Import, Error>>, args: &Arguments) -> Result<Value, Error> {
    if args.is_shared() {
        return results.into_iter().collect::<Result<Vec<Import>, Error>>().map(shown);
    }
    Ok(results.into_iter().map(import_or_error).collect())
}

/// The result of one image of a list.
fn import_or_error(result: Result<Import, Error>) -> Value {
    match result {
        Ok(import) => json!({"import": import}),
        Err(err) => json!({"error": facts(&err)}),
    }
}

/// The facts of an error that are set.
#[must_use]
pub fn facts(err: &Error) -> Value {
    let facts = json!({
        "kind": err.kind().as_str(),
        "status": err.status(),
        "code": err.code(),
        "refusal": err.refusal(),
        "missing_action": err.missing_action(),
        "scope": err.scope(),
        "smallest_role": err.smallest_role(),
        "pull_failure": err.pull_failure(),
        "failed_side": err.failed_side(),
        "is_transient": err.is_transient(),
        "created": err.created(),
    });
    let Value::Object(facts) = facts else { return facts };
    facts.into_iter().filter(|(_, fact)| !fact.is_null()).collect()
}
