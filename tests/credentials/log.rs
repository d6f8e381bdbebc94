//! What is written at the most verbose level.

use crate::{attach, azure, builder, ids, with};
use aks_acr_tests::hearing;
use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// Keeps all that is reported.
#[derive(Clone, Default)]
struct Everything(Arc<Mutex<String>>);

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?} ").unwrap();
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Line(&mut self.0.lock().unwrap()));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Line(&mut self.0.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut text = self.0.lock().unwrap();
        write!(text, "\n{} ", event.metadata().level()).unwrap();
        event.record(&mut Line(&mut text));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test(start_paused = true)]
async fn which_credential_was_used_is_told_and_no_secret() {
    let azure = azure();
    let (_, secret) = azure.client_secret_of("owner");
    let everything = Everything::default();
    let _guard = hearing::listen(everything.clone());
    let client = builder(&azure, with(ids(&azure), &[("AZURE_CLIENT_SECRET", &secret)])).build().unwrap();
    attach(&client).await.unwrap();
    let text = everything.0.lock().unwrap();
    let told = text.lines().filter(|line| line.starts_with("INFO") && line.contains("EnvironmentCredential")).count();
    assert_eq!(told, 1, "{text}");
    // Every token of the emulator begins with the same header.
    assert!(!text.contains(&secret) && !text.contains("eyJ"), "{text}");
}
