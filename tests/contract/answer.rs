//! What a call came to, as JSON.

use aks_acr::{CallOptions, CancellationToken, Error, Event};
use aks_acr_tests::operate::facts;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

/// The result or the error of a call, and the events on the way.
pub struct Answer {
    pub outcome: Result<Value, Value>,
    pub events: Vec<Value>,
    /// The text of the error, if it is one.
    pub text: String,
}

/// Hears of a call's events, and cancels it where the step says so.
pub struct Listener {
    heard: Arc<Mutex<Vec<Event>>>,
    pub options: CallOptions,
}

impl Listener {
    /// `cancel` is `before`, `on_event` or nothing.
    pub fn new(cancel: Option<&str>) -> Result<Self, String> {
        let token = CancellationToken::new();
        let on_event = match cancel {
            None => false,
            Some("on_event") => true,
            Some("before") => {
                token.cancel();
                false
            }
            Some(other) => return Err(format!("there is no cancelling {other}")),
        };
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (ear, stops) = (heard.clone(), token.clone());
        let listen = move |event| {
            ear.lock().expect("nobody panics with it").push(event);
            if on_event {
                stops.cancel();
            }
        };
        Ok(Self { heard, options: CallOptions::default().with_cancel(token).with_progress(listen) })
    }

    /// Puts it together.
    pub fn answer(self, result: Result<Value, Error>) -> Answer {
        let heard = self.heard.lock().expect("nobody panics with it");
        let events = heard.iter().map(|event| json!(event)).collect();
        let text = result.as_ref().err().map(|err| format!("{err:#}")).unwrap_or_default();
        Answer { outcome: result.map_err(|err| facts(&err)), events, text }
    }
}
