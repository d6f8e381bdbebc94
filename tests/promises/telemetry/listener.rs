//! Who receives what is reported.

use aks_acr_tests::hearing::{self, Listening};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// A span or an event.
#[derive(Clone, Debug)]
pub struct Told {
    pub name: String,
    pub target: String,
    pub level: Level,
    pub fields: BTreeMap<String, String>,
    /// A span's own number.
    pub number: u64,
    /// The span that it is in.
    pub span: Option<u64>,
    is_span: bool,
}

impl Told {
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }
}

/// Keeps what this crate reports.
#[derive(Clone, Default)]
pub struct Listener(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    told: Vec<Told>,
    spans: u64,
    /// The spans that are entered, the innermost last.
    entered: Vec<u64>,
}

impl Listener {
    /// Listens on this thread until the guard is dropped.
    pub fn listen(&self) -> Listening {
        hearing::listen(self.clone())
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.0.lock().unwrap()
    }

    /// The spans of this name.
    pub fn spans(&self, name: &str) -> Vec<Told> {
        self.heard().told.iter().filter(|one| one.is_span && one.name == name).cloned().collect()
    }

    /// The events for this target.
    pub fn events(&self, target: &str) -> Vec<Told> {
        self.heard().told.iter().filter(|one| !one.is_span && one.target == target).cloned().collect()
    }

    fn add(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields)) -> u64 {
        let mut fields = Fields::default();
        record(&mut fields);
        let mut heard = self.heard();
        if metadata.is_span() {
            heard.spans += 1;
        }
        let (number, span) = (heard.spans, heard.entered.last().copied());
        let (name, target) = (metadata.name().to_owned(), metadata.target().to_owned());
        let (level, is_span) = (*metadata.level(), metadata.is_span());
        heard.told.push(Told { name, target, level, fields: fields.0, number, span, is_span });
        number
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("aks_acr") && !metadata.target().starts_with("aks_acr_emulator")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        Id::from_u64(self.add(span.metadata(), |fields| span.record(fields)))
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        let mut heard = self.heard();
        let told = heard.told.iter_mut().find(|one| one.is_span && one.number == span.into_u64()).unwrap();
        told.fields.extend(fields.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.add(event.metadata(), |fields| event.record(fields));
    }

    fn enter(&self, span: &Id) {
        self.heard().entered.push(span.into_u64());
    }

    fn exit(&self, span: &Id) {
        let mut heard = self.heard();
        let at = heard.entered.iter().rposition(|one| *one == span.into_u64());
        at.map(|at| heard.entered.remove(at));
    }
}
