//! Creates a registry: read, write if it is missing, wait.

use super::{
    CreatedRegistry, NewRegistry, Registry,
    lookup::{API, find_in_list, read_registry},
    wire::{Requested, WireRegistry},
};
use crate::{
    action::{REGISTER_REGISTRIES, WRITE_REGISTRY},
    call::{Call, Poll, Polling},
    difference::{Difference, Differences},
    error::{Error, ErrorKind, Result},
    http::{
        Answer, Arm, ArmRequest, CORRELATION_ID, MissingReads, Operation, Provider, Provisioned, group_location, shown,
    },
    id::ResourceId,
};
use azure_core::http::Method;
use serde_json::json;
use std::sync::{Mutex, PoisonError};

/// No stable version supports a label in the login server.
const LABEL_API: &str = "2026-03-01-preview";
pub(crate) const PROVIDER: Provider =
    Provider { namespace: "Microsoft.ContainerRegistry", register: REGISTER_REGISTRIES };
const STEP: &str = "creating the registry";
/// Azure has used both codes for a name that is taken: the second is in the output of `az acr create` in
/// [azure-dev-docs#1303](https://github.com/MicrosoftDocs/azure-dev-docs/issues/1303).
const NAME_IS_TAKEN: [&str; 2] = ["RegistryNameAlreadyInUse", "AlreadyInUse"];

/// Azure's PUT would change an existing registry, and reset what the body leaves out; so it is read first. If another client creates a
/// registry of the same name in the same group between the read and the PUT, it is changed: the service has no way to write only if
/// nothing exists.
pub(super) async fn create(arm: &Arm, registry: &NewRegistry, call: &Call) -> Result<CreatedRegistry> {
    let (there, location) = futures::join!(read_registry(arm, &registry.id, call), location(arm, registry, call));
    if let Some(there) = there? {
        let is_made = Provisioned::of(there.state()) == Provisioned::Yes;
        let made = made(arm, &registry.id, Some(there), call);
        let there = if is_made { made.await? } else { call.step(STEP, made).await? };
        let differences = differences(registry, &there);
        return Ok(CreatedRegistry::new(there.into_registry()?, false).with_differences(differences));
    }
    call.step(STEP, write(arm, registry, &location?, call)).await
}

/// Sends the write, and waits for the operation that it starts.
async fn write(arm: &Arm, registry: &NewRegistry, location: &str, call: &Call) -> Result<CreatedRegistry> {
    let subscription = registry.id.subscription();
    let write = || put_registry(registry, location);
    let sent = arm.send_registered(write, (PROVIDER, subscription), registry.register_providers, call).await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(err) => return Err(explain(arm, err, registry, call).await),
    };
    let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
    let ended = end(arm, &registry.id, &answer, call).await;
    // From here on there is one, and an error has to say so.
    let registry = ended.map_err(|err| err.with_created(registry.id.clone()))?;
    Ok(CreatedRegistry { correlation_id, ..CreatedRegistry::new(registry, true) })
}

/// Waits for the operation in the response to the write.
async fn end(arm: &Arm, id: &ResourceId, answer: &Answer, call: &Call) -> Result<Registry> {
    let made = match Operation::begun_by(arm, answer, STEP)? {
        Some(operation) => {
            operation.wait(arm, call).await?;
            made(arm, id, None, call).await?
        }
        // Azure may be done at once, and then its answer says all.
        None => match answer.read::<WireRegistry>("a registry")? {
            done if done.is_complete() => done,
            _ => made(arm, id, None, call).await?,
        },
    };
    made.into_registry()
}

async fn location(arm: &Arm, registry: &NewRegistry, call: &Call) -> Result<String> {
    match &registry.location {
        Some(location) => Ok(location.clone()),
        None => group_location(arm, &registry.id, call).await,
    }
}

/// Waits until a registry is created, by any caller; `seen` is what was already read.
async fn made(arm: &Arm, id: &ResourceId, seen: Option<WireRegistry>, call: &Call) -> Result<WireRegistry> {
    let (seen, missing_reads) = (Mutex::new(seen), MissingReads::default());
    let poll = || async {
        let first = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        let looked = match first {
            Some(first) => Some(first),
            None => read_registry(arm, id, call).await?,
        };
        let Some(registry) = looked else {
            return missing_reads.not_found().ok_or_else(|| {
                let text = "Azure accepted the registry but does not find it; call again";
                Error::new(ErrorKind::Unexpected, text).with_context("registry", id.name()).with_transient(true)
            });
        };
        missing_reads.found();
        let state = registry.state();
        match Provisioned::of(state) {
            Provisioned::Yes => Ok(Poll::Ready(registry)),
            Provisioned::NotYet => Ok(Poll::Pending { status: Some(shown(state)), wait: None }),
            Provisioned::Failed => {
                let text = "Azure could not create the registry; delete it, then retry";
                Err(stuck(ErrorKind::OperationFailed, text, id, state))
            }
            Provisioned::Deleting => {
                let text = "the registry is being deleted; retry after the deletion";
                Err(stuck(ErrorKind::Conflict, text, id, state).with_transient(true))
            }
        }
    };
    call.poll_until(Polling::new(STEP), poll).await
}

fn stuck(kind: ErrorKind, text: &str, id: &ResourceId, state: &str) -> Error {
    Error::new(kind, text).with_context("registry", id.name()).with_context("state", state)
}

/// How an existing registry differs from the requested one.
fn differences(asked: &NewRegistry, found: &WireRegistry) -> Vec<Difference> {
    let mut differences = Differences::default();
    let yes_or_no = |is: bool| if is { "true" } else { "false" };
    differences.check_location(asked.location.as_deref(), found.location());
    differences.check("sku", asked.sku.as_str(), found.sku());
    differences.check("role_assignment_mode", asked.mode.as_str(), found.mode_word());
    differences.check("admin_user", "false", yes_or_no(found.has_admin_user()));
    differences.check("anonymous_pull", "false", yes_or_no(found.has_anonymous_pull()));
    if let Some(label) = asked.domain_name_label_scope.filter(|_| !found.has_domain_label()) {
        differences.check("domain_name_label_scope", label.as_str(), "none");
    }
    differences.into_vec()
}

/// Says whether a name that is already taken belongs to the caller's own registry in another resource group.
async fn explain(arm: &Arm, err: Error, registry: &NewRegistry, call: &Call) -> Error {
    if !err.code().is_some_and(|code| NAME_IS_TAKEN.contains(&code)) {
        return err;
    }
    let name = registry.id.name();
    let own = find_in_list(arm, registry.id.subscription(), Requested::Name(name), call).await;
    let err =
        err.saying("the name is taken: registry names are unique in the whole cloud").with_context("registry", name);
    match own.and_then(|own| own.map(WireRegistry::into_registry).transpose()) {
        Ok(Some(Registry { id, .. })) => err.with_context("it is in the subscription's group", id.group()),
        // If the caller can list all registries and the name is not among them, it belongs to another owner.
        Ok(None) => err.with_context(
            "taken by",
            "a registry outside of this subscription, or one that is hidden from this caller or not listed yet",
        ),
        Err(_) => err,
    }
}

/// See [Create](https://learn.microsoft.com/rest/api/container-registry/registries/create).
fn put_registry(registry: &NewRegistry, location: &str) -> ArmRequest {
    let mut body = json!({
        "location": location,
        "sku": { "name": registry.sku.as_str() },
        "properties": { "adminUserEnabled": false, "roleAssignmentMode": registry.mode.as_str() },
    });
    if let Some(label) = registry.domain_name_label_scope {
        body["properties"]["autoGeneratedDomainNameLabelScope"] = label.as_str().into();
    }
    let version = if registry.domain_name_label_scope.is_some() { LABEL_API } else { API };
    ArmRequest::new(Method::Put, registry.id.as_str(), version)
        .body(body)
        .step(STEP)
        // A role can be assigned there: the registry does not exist yet.
        .needs(WRITE_REGISTRY, registry.id.group_id())
}
