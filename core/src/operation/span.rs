//! The span of an operation, and its end.

use crate::{
    call::millis,
    error::{Error, ErrorKind, Result},
    telemetry::END,
};
use futures::future::BoxFuture;
use std::future::Future;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

/// Wraps the work of an operation in its span, and ends it when the call is over. Its name is a literal, as `tracing` requires.
macro_rules! in_span {
    ($name:expr, $parts:expr, $about:expr, $call:expr, $work:expr $(,)?) => {{
        let (about, call): ($crate::operation::span::About, $crate::call::Call) = ($about, $call);
        let span = tracing::info_span!(
            target: $crate::telemetry::OPERATION,
            $name,
            subscription = %$parts.subscription,
            cluster = about.cluster.as_deref().map(tracing::field::display),
            registry = about.registry.as_deref().map(tracing::field::display),
            outcome = tracing::field::Empty,
            correlation_id = tracing::field::Empty,
        );
        let work = $work;
        $crate::operation::span::watch($name, about, span, async move { call.operation($name, work).await })
    }};
}

pub(crate) use in_span;

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

    /// The same with the registries of the options, if any.
    pub fn with_registries<'a, T: ToString + 'a>(mut self, registries: impl IntoIterator<Item = &'a T>) -> Self {
        let names: Vec<String> = registries.into_iter().map(ToString::to_string).collect();
        self.registry = (!names.is_empty()).then(|| names.join(", "));
        self
    }
}

/// What an operation reports of its result.
pub(crate) trait Outcome {
    /// Its outcome in one word.
    fn outcome(&self) -> &'static str {
        "done"
    }

    /// The write's correlation ID in Azure's activity log.
    fn correlation_id(&self) -> Option<&str> {
        None
    }

    /// Why the result is a failure, if it contains errors.
    fn failure(&self) -> Option<String> {
        None
    }
}

/// Does the work within the span, and reports how it ended. Boxed: otherwise the future would be twice as large.
pub(crate) fn watch<'a, T: Outcome>(
    operation: &'static str,
    about: About,
    span: Span,
    work: impl Future<Output = Result<T>> + Send + 'a,
) -> BoxFuture<'a, Result<T>> {
    let its = span.clone();
    let watched = async move {
        let end = End { operation, about, span: its, begun: Instant::now(), is_reported: false };
        let result = work.await;
        end.report(&result);
        result
    };
    Box::pin(watched.instrument(span))
}

/// Reported once, also if the future is dropped.
struct End {
    operation: &'static str,
    about: About,
    span: Span,
    begun: Instant,
    is_reported: bool,
}

impl End {
    fn report<T: Outcome>(mut self, result: &Result<T>) {
        self.is_reported = true;
        // What follows is the same for every result, and exists once.
        match result {
            Ok(done) => self.finished(done.outcome(), done.correlation_id(), done.failure().as_deref()),
            Err(err) => self.failed(err),
        }
    }

    fn record(&self, outcome: &'static str, correlation_id: Option<&str>) {
        self.span.record("outcome", outcome);
        self.span.record("correlation_id", correlation_id);
    }

    fn finished(&self, outcome: &'static str, correlation_id: Option<&str>, failure: Option<&str>) {
        self.record(outcome, correlation_id);
        let Self { operation, about: About { cluster, registry }, begun, .. } = self;
        let (cluster, registry, duration_ms) = (cluster.as_deref(), registry.as_deref(), millis(begun.elapsed()));
        match failure {
            None => tracing::info!(
                target: END, operation, cluster, registry, outcome, correlation_id, duration_ms, "ended"
            ),
            Some(error) => tracing::error!(
                target: END, operation, cluster, registry, outcome, duration_ms, error, "failed"
            ),
        }
    }

    /// A failure is logged as an error, except for a call that its caller cancelled.
    fn failed(&self, err: &Error) {
        let (outcome, correlation_id) = (err.kind().as_str(), err.correlation_id());
        self.record(outcome, correlation_id);
        let Self { operation, about: About { cluster, registry }, begun, .. } = self;
        let (cluster, registry, duration_ms) = (cluster.as_deref(), registry.as_deref(), millis(begun.elapsed()));
        if err.kind() == ErrorKind::Cancelled {
            tracing::info!(
                target: END, operation, cluster, registry, outcome, correlation_id, duration_ms, error = %err, "cancelled"
            );
            return;
        }
        let (status, code, request_id) = (err.status(), err.code(), err.request_id());
        tracing::error!(
            target: END, operation, cluster, registry, outcome, correlation_id, duration_ms, error = %err, status, code,
            request_id, "failed"
        );
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if self.is_reported {
            return;
        }
        self.span.record("outcome", "dropped");
        let Self { operation, about: About { cluster, registry }, begun, .. } = &*self;
        let (cluster, registry, duration_ms) = (cluster.as_deref(), registry.as_deref(), millis(begun.elapsed()));
        tracing::info!(target: END, operation, cluster, registry, outcome = "dropped", duration_ms, "dropped");
    }
}
