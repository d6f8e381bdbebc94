//! The output of the story.

use aks_acr::{Event, Progress};
use std::sync::{Arc, Mutex, PoisonError};

/// Prints lines with a label, and the steps of a call below them.
#[derive(Clone, Default)]
pub struct Screen {
    last: Arc<Mutex<String>>,
}

impl Screen {
    pub fn line(&self, label: &str, text: impl AsRef<str>) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clear();
        println!("{label:<9} {}", text.as_ref());
    }

    /// A listener that prints each step once.
    pub fn progress(&self) -> impl Progress + 'static {
        let screen = self.clone();
        move |event: Event| screen.step(&event)
    }

    fn step(&self, event: &Event) {
        let text = match event {
            Event::Started { step } => step.clone(),
            Event::Polling { step, status, .. } => format!("{step}: {status}"),
            Event::ImportingTag { tag, status } => format!("{tag}: {status}"),
            Event::Retrying { step, reason, .. } => format!("{step}: retrying after {reason}"),
            Event::Rollout { ready, wanted, cause: Some(cause) } => format!("{ready}/{wanted} ready; {cause}"),
            Event::Rollout { ready, wanted, cause: None } => format!("{ready}/{wanted} ready"),
            _ => return,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if *last != text {
            println!("{:<9} . {text}", "");
            *last = text;
        }
    }
}
