//! Everything that is said while the run lasts: records of `tracing` and of `log` at the most verbose level, of whatever crate,
//! panics, and what the run adds itself.

use std::{
    fmt::{self, Write as _},
    mem,
    sync::{Mutex, MutexGuard, PoisonError, atomic::AtomicU64, atomic::Ordering},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static HEARD: Mutex<String> = Mutex::new(String::new());
static SPANS: AtomicU64 = AtomicU64::new(1);

fn heard() -> MutexGuard<'static, String> {
    HEARD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a line.
pub fn add(line: &str) {
    let mut heard = heard();
    heard.push_str(line);
    heard.push('\n');
}

/// Gives all that was heard since the last time.
pub fn take() -> String {
    mem::take(&mut heard())
}

/// Begins to listen, for the whole process.
pub fn begin() {
    tracing::subscriber::set_global_default(Everything).unwrap();
    log::set_logger(&Everything).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    std::panic::set_hook(Box::new(|panic| add(&format!("PANIC {panic}"))));
}

struct Everything;

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

fn line(kind: &str, metadata: &Metadata<'_>, record: impl FnOnce(&mut Line<'_>)) {
    // Written apart from what is heard: a value's `Debug` may itself have something to say.
    let mut text = format!("{kind} {} {} {}", metadata.level(), metadata.target(), metadata.name());
    record(&mut Line(&mut text));
    add(&text);
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        line("SPAN", span.metadata(), |line| span.record(line));
        Id::from_u64(SPANS.fetch_add(1, Ordering::Relaxed))
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = "RECORD".to_owned();
        values.record(&mut Line(&mut text));
        add(&text);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        line("EVENT", event.metadata(), |line| event.record(line));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl log::Log for Everything {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        add(&format!("LOG {} {} {}", record.level(), record.target(), record.args()));
    }
    fn flush(&self) {}
}
