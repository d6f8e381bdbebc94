//! Deletes a registry: one write, then polls until Azure no longer returns the registry.

use super::{
    Registry,
    lookup::{API, read_registry},
};
use crate::{
    action::DELETE_REGISTRY,
    call::{Call, Poll, Polling},
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, CORRELATION_ID, Operation, Progressed, Provisioned, shown},
    id::ResourceId,
};
use azure_core::http::Method;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

const STEP: &str = "deleting the registry";
/// How long a replica may return a registry after its deletion.
const LONGEST_LAG: Duration = Duration::from_secs(60);

/// The result of [`RegistryImporter::delete`](crate::RegistryImporter::delete).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedRegistry {
    /// Whether this call deleted it.
    /// This includes the case where the response was lost and the registry is gone.
    pub was_there: bool,
    /// `x-ms-correlation-request-id` of the write.
    pub correlation_id: Option<String>,
}

impl DeletedRegistry {
    /// A registry that was deleted, or did not exist.
    #[must_use]
    pub fn new(was_there: bool) -> Self {
        Self { was_there, correlation_id: None }
    }
}

/// Azure has no way to delete only a registry of a certain time: one that is deleted and created again between the caller's read and the
/// write is deleted.
pub(super) async fn delete(arm: &Arm, registry: &Registry, call: &Call) -> Result<DeletedRegistry> {
    let work = async {
        let (deleted, operation) = match Provisioned::of(&registry.state) {
            Provisioned::Deleting => (DeletedRegistry::new(false), None),
            _ => send(arm, registry, call).await?,
        };
        let gone = until_gone(arm, registry, operation, call).await;
        gone.map_err(|err| err.correlated_with(deleted.correlation_id.as_deref()))?;
        Ok(deleted)
    };
    call.step(STEP, work).await
}

/// What a read shows of a registry.
enum Seen {
    /// It is missing, or another one has its ID.
    Gone,
    Deleting,
    /// It exists, in this state.
    There(String),
}

async fn look(arm: &Arm, registry: &Registry, call: &Call) -> Result<Seen> {
    let found = match read_registry(arm, &registry.id, call).await {
        Err(err) if err.code() == Some("ResourceGroupNotFound") => return Ok(Seen::Gone),
        read => read?,
    };
    let Some(found) = found else { return Ok(Seen::Gone) };
    let is_other = found.created().zip(registry.created).is_some_and(|(found, known)| found != known);
    Ok(match Provisioned::of(found.state()) {
        _ if is_other => Seen::Gone,
        Provisioned::Deleting => Seen::Deleting,
        _ => Seen::There(shown(found.state())),
    })
}

/// Sends the write. After a failure that may go away, it is sent again only if the same registry still exists.
async fn send(arm: &Arm, registry: &Registry, call: &Call) -> Result<(DeletedRegistry, Option<Operation>)> {
    let failed_before = Mutex::new(false);
    let has_failed = || std::mem::replace(&mut *failed_before.lock().unwrap_or_else(PoisonError::into_inner), true);
    let attempt = || async {
        if has_failed() && !matches!(look(arm, registry, call).await?, Seen::There(_)) {
            return Ok(Poll::Ready((DeletedRegistry::new(true), None)));
        }
        match arm.send_opt(delete_registry(&registry.id), call).await {
            Ok(None) => Ok(Poll::Ready((DeletedRegistry::new(false), None))),
            Ok(Some(answer)) => {
                let correlation_id = answer.header(CORRELATION_ID).map(str::to_owned);
                let deleted = DeletedRegistry { was_there: answer.status != 204, correlation_id };
                Ok(Poll::Ready((deleted, Operation::begun_by(arm, &answer, STEP)?)))
            }
            // Without its creation time, a new registry with the same name could not be distinguished from this one.
            Err(err) if is_passing(&err) && registry.created.is_some() => Ok(Poll::Failed(err)),
            Err(err) => Err(err),
        }
    };
    let sent = call.poll_until(Polling::new(STEP), attempt).await;
    sent.map_err(|err| err.with_context("registry", registry.id.name()))
}

fn is_passing(err: &Error) -> bool {
    err.is_transient() && matches!(err.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited)
}

/// Polls the operation, if Azure started one, and then the registry, until it is gone. The operation's address may vanish with the
/// registry, and may need a permission that the caller lacks: then the registry alone counts.
async fn until_gone(arm: &Arm, registry: &Registry, operation: Option<Operation>, call: &Call) -> Result<()> {
    let polling = Polling::new(STEP).after(operation.as_ref().and_then(Operation::asked_wait));
    let state = tokio::sync::Mutex::new((operation, None));
    let poll = || async {
        let (operation, there_since) = &mut *state.lock().await;
        if let Some(begun) = operation {
            match begun.poll(arm, call).await {
                Ok((Progressed::Running(status), _)) => {
                    return Ok(Poll::Pending { status: Some(status), wait: begun.asked_wait() });
                }
                Err(err) if !matches!(err.status(), Some(403 | 404)) => return Err(err),
                _ => *operation = None,
            }
        }
        match look(arm, registry, call).await? {
            Seen::Gone => Ok(Poll::Ready(())),
            Seen::Deleting => {
                *there_since = None;
                Ok(Poll::Pending { status: Some("Deleting".to_owned()), wait: None })
            }
            Seen::There(state) => {
                if there_since.get_or_insert_with(Instant::now).elapsed() >= LONGEST_LAG {
                    return Err(still_there(registry, &state));
                }
                Ok(Poll::Pending { status: Some(state), wait: None })
            }
        }
    };
    call.poll_until(polling, poll).await
}

fn still_there(registry: &Registry, state: &str) -> Error {
    Error::new(
        ErrorKind::OperationFailed,
        "Azure reported the end of the deletion, but still returns the registry; retry",
    )
    .with_context("registry", registry.id.name())
    .with_context("state", state)
}

/// See [Delete](https://learn.microsoft.com/rest/api/container-registry/registries/delete): 200, 202 with `Location`, or 204 if it does not
/// exist.
fn delete_registry(id: &ResourceId) -> ArmRequest {
    ArmRequest::new(Method::Delete, id.as_str(), API).step(STEP).needs(DELETE_REGISTRY, id.as_str()).once()
}
