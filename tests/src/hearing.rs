//! Who hears what is reported through `tracing`, thread by thread, where tests run side by side.
//!
//! A place that reports something learns once whether any subscriber wants it, when the first thread passes there. Where another
//! thread begins to listen at that very moment, it is missed, and the place stays silent for it. So there is one subscriber for all
//! threads, from before the first request on, that may want to hear of everything and hands it on to the thread's own subscriber.

use std::{cell::RefCell, sync::Arc, sync::Once};
use tracing::{
    Event, Metadata, Subscriber,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};

thread_local! {
    static HERE: RefCell<Option<Arc<dyn Subscriber>>> = const { RefCell::new(None) };
}

/// Is there for the whole process from now on. To be called before anything is reported: by what makes the tests' clients.
///
/// # Panics
/// If the process has another subscriber.
pub fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| assert!(tracing::subscriber::set_global_default(Everywhere).is_ok(), "somebody else listens"));
}

/// Lets a subscriber receive what this thread reports, until the guard is dropped.
#[must_use]
pub fn listen(subscriber: impl Subscriber) -> Listening {
    prepare();
    HERE.set(Some(Arc::new(subscriber)));
    Listening(())
}

/// Ends the hearing.
#[derive(Debug)]
pub struct Listening(());

impl Drop for Listening {
    fn drop(&mut self) {
        HERE.set(None);
    }
}

fn here() -> Option<Arc<dyn Subscriber>> {
    // A thread that ends may tell something still.
    HERE.try_with(|here| here.borrow().clone()).ok().flatten()
}

struct Everywhere;

impl Subscriber for Everywhere {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        here().is_some_and(|here| here.enabled(metadata))
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        here().map_or_else(|| Id::from_u64(1), |here| here.new_span(span))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        here().inspect(|here| here.record(span, values));
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        here().inspect(|here| here.record_follows_from(span, follows));
    }

    fn event(&self, event: &Event<'_>) {
        here().inspect(|here| here.event(event));
    }

    fn enter(&self, span: &Id) {
        here().inspect(|here| here.enter(span));
    }

    fn exit(&self, span: &Id) {
        here().inspect(|here| here.exit(span));
    }
}
