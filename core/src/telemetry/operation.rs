//! The span of an operation, and how it ends.

use super::{END, millis_since};
use crate::{
    attach::{AttachOutcome, AttachPlan, Attachment},
    attachments::{ClusterAttachments, RegistryAttachments},
    cluster::{Applied, CreatedCluster, Kubeconfig, MergedKubeconfig, Pods, RollOut},
    detach::{DetachPlan, Detachment},
    error::{ErrorKind, Result},
    identity::ClusterIdentities,
    import::{Import, StartedImport},
    registry::{CreatedRegistry, ImportStatus, Registry},
};
use futures::future::BoxFuture;
use std::future::Future;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

/// Wraps the work of an operation in its span, and ends it when the call is over. Its name is a literal, as `tracing` wants it.
macro_rules! operation {
    ($name:literal, $client:expr, $about:expr, $call:expr, $work:expr $(,)?) => {{
        let (about, call): ($crate::telemetry::About, $crate::call::Call) = ($about, $call);
        let span = tracing::info_span!(
            target: $crate::telemetry::OPERATION,
            $name,
            subscription = %$client.subscription_id(),
            cluster = about.cluster.as_deref().map(tracing::field::display),
            registry = about.registry.as_deref().map(tracing::field::display),
            outcome = tracing::field::Empty,
            correlation_id = tracing::field::Empty,
        );
        let work = $work;
        $crate::telemetry::watch($name, about, span, async move { call.operation($name, work).await })
    }};
}

pub(crate) use operation;

/// What an operation is about.
pub(crate) struct About {
    pub cluster: Option<String>,
    pub registry: Option<String>,
}

impl About {
    pub fn cluster(cluster: &impl ToString) -> Self {
        Self { cluster: Some(cluster.to_string()), registry: None }
    }

    pub fn registry(registry: &impl ToString) -> Self {
        Self { cluster: None, registry: Some(registry.to_string()) }
    }

    pub fn both(cluster: &impl ToString, registry: &impl ToString) -> Self {
        Self { cluster: Some(cluster.to_string()), registry: Some(registry.to_string()) }
    }

    /// The same with registries that options name, if they name any.
    pub fn with_registries<'a, T: ToString + 'a>(mut self, registries: impl IntoIterator<Item = &'a T>) -> Self {
        let names: Vec<String> = registries.into_iter().map(ToString::to_string).collect();
        self.registry = (!names.is_empty()).then(|| names.join(", "));
        self
    }
}

/// What is told of a result.
pub(crate) trait Told {
    /// Its word.
    fn outcome(&self) -> &'static str {
        "done"
    }

    /// By which Azure's activity log knows the write.
    fn correlation_id(&self) -> Option<&str> {
        None
    }

    /// Why it is a failure, of a result that holds errors of its own.
    fn failure(&self) -> Option<String> {
        None
    }
}

/// Does the work within the span, and tells how it ended. Boxed: wrapped as it is, the work would be as large again.
pub(crate) fn watch<'a, T: Told>(
    operation: &'static str,
    about: About,
    span: Span,
    work: impl Future<Output = Result<T>> + Send + 'a,
) -> BoxFuture<'a, Result<T>> {
    let its = span.clone();
    let watched = async move {
        let end = End { operation, about, span: its, begun: Instant::now(), is_told: false };
        let result = work.await;
        end.tell(&result);
        result
    };
    Box::pin(watched.instrument(span))
}

/// Told once, also where the future is dropped before.
struct End {
    operation: &'static str,
    about: About,
    span: Span,
    begun: Instant,
    is_told: bool,
}

impl End {
    /// A failure is an error to whoever reads a log, but for a call that its caller cancelled.
    fn tell<T: Told>(mut self, result: &Result<T>) {
        self.is_told = true;
        let (outcome, correlation_id) = match result {
            Ok(done) => (done.outcome(), done.correlation_id()),
            Err(err) => (err.kind().as_str(), err.correlation_id()),
        };
        self.span.record("outcome", outcome);
        self.span.record("correlation_id", correlation_id);
        let Self { operation, about: About { cluster, registry }, begun, .. } = &self;
        let (cluster, registry, duration_ms) = (cluster.as_deref(), registry.as_deref(), millis_since(*begun));
        match result {
            Ok(done) => match done.failure() {
                None => tracing::info!(
                    target: END, operation, cluster, registry, outcome, correlation_id, duration_ms, "ended"
                ),
                Some(error) => tracing::error!(
                    target: END, operation, cluster, registry, outcome, duration_ms, error, "failed"
                ),
            },
            Err(err) if err.kind() == ErrorKind::Cancelled => tracing::info!(
                target: END, operation, cluster, registry, outcome, correlation_id, duration_ms, error = %err, "cancelled"
            ),
            Err(err) => {
                let (status, code, request_id) = (err.status(), err.code(), err.request_id());
                tracing::error!(
                    target: END, operation, cluster, registry, outcome, correlation_id, duration_ms, error = %err, status, code,
                    request_id, "failed"
                );
            }
        }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.is_told {
            return;
        }
        self.span.record("outcome", "dropped");
        let Self { operation, about: About { cluster, registry }, begun, .. } = &*self;
        let (cluster, registry, duration_ms) = (cluster.as_deref(), registry.as_deref(), millis_since(*begun));
        tracing::info!(target: END, operation, cluster, registry, outcome = "dropped", duration_ms, "dropped");
    }
}

impl Told for Attachment {
    fn outcome(&self) -> &'static str {
        match self.outcome {
            AttachOutcome::Granted => "granted",
            AttachOutcome::AlreadyGranted => "already_granted",
            AttachOutcome::Inherited { .. } => "inherited",
            AttachOutcome::ThroughGroup { .. } => "through_group",
            AttachOutcome::ConditionDiffers { .. } => "condition_differs",
        }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

impl Told for Detachment {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }

    /// That of the first of its writes.
    fn correlation_id(&self) -> Option<&str> {
        self.removed.iter().find_map(|grant| grant.correlation_id.as_deref())
    }
}

impl Told for Option<Registry> {
    fn outcome(&self) -> &'static str {
        if self.is_some() { "found" } else { "absent" }
    }
}

impl Told for CreatedRegistry {
    fn outcome(&self) -> &'static str {
        created(self.is_new)
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

impl Told for CreatedCluster {
    fn outcome(&self) -> &'static str {
        created(self.is_new)
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

fn created(is_new: bool) -> &'static str {
    if is_new { "created" } else { "already_there" }
}

impl Told for Import {
    fn outcome(&self) -> &'static str {
        if self.is_new { "imported" } else { "already_there" }
    }

    fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }
}

impl Told for Vec<Result<Import>> {
    fn outcome(&self) -> &'static str {
        if self.iter().all(Result::is_ok) { "done" } else { "some_failed" }
    }

    fn failure(&self) -> Option<String> {
        let mut failed = self.iter().filter_map(|one| one.as_ref().err());
        let first = failed.next()?;
        Some(format!("{} of {} failed, the first: {first}", failed.count() + 1, self.len()))
    }
}

impl Told for StartedImport {
    fn outcome(&self) -> &'static str {
        match self {
            Self::AlreadyThere { .. } => "already_there",
            Self::Started { .. } => "started",
        }
    }

    fn correlation_id(&self) -> Option<&str> {
        match self {
            Self::AlreadyThere { .. } => None,
            Self::Started { handle } => handle.correlation_id.as_deref(),
        }
    }
}

impl Told for ImportStatus {
    fn outcome(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Succeeded => "succeeded",
        }
    }
}

impl Told for MergedKubeconfig {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }
}

/// Of these there is nothing to say but that they are there.
macro_rules! plain {
    ($($result:ty),* $(,)?) => { $(impl Told for $result {})* };
}

plain!(
    AttachPlan,
    ClusterAttachments,
    ClusterIdentities,
    DetachPlan,
    Kubeconfig,
    Pods,
    RegistryAttachments,
    RollOut,
    Vec<Applied>,
);
