//! What all runs came to.

use crate::{check::Run, teller::Timed};
use aks_acr_emulator::{From, Service};
use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

/// Every kind of fault, by the emulator's word for it.
pub const KINDS: [&str; 14] = [
    "throttled",
    "server error",
    "reset",
    "wrong content type",
    "truncated body",
    "slow body",
    "silent",
    "silent body",
    "odd body",
    "redirect",
    "lagging replica",
    "lagging list",
    "expired token",
    "repeated page",
];

#[derive(Default)]
pub struct Table {
    runs: u64,
    right: u64,
    wrong: u64,
    errors: BTreeMap<&'static str, u64>,
    steps: BTreeMap<&'static str, u64>,
    /// By kind and step, the first that was met.
    examples: BTreeMap<(&'static str, &'static str), String>,
    faults: BTreeMap<(&'static str, String), u64>,
    requests: BTreeMap<String, (u64, u64)>,
    calls: BTreeMap<&'static str, Timed>,
}

impl Table {
    pub fn add(&mut self, run: &Run) {
        self.runs += 1;
        match (&run.verdict, &run.stopped) {
            (Err(_), _) => self.wrong += 1,
            (Ok(()), None) => self.right += 1,
            (Ok(()), Some((step, kind, text))) => {
                *self.errors.entry(kind.as_str()).or_default() += 1;
                *self.steps.entry(step).or_default() += 1;
                self.examples.entry((kind.as_str(), step)).or_insert_with(|| text.clone());
            }
        }
        for request in &run.requests {
            let service = service(request.service, request.from);
            let (all, struck) = self.requests.entry(service.clone()).or_default();
            *all += 1;
            if let Some(fault) = request.fault {
                *struck += 1;
                *self.faults.entry((fault, service)).or_default() += 1;
            }
        }
        for call in &run.calls {
            let share = |call: &Timed| call.took.as_secs_f64() / call.allowed.as_secs_f64();
            let longest = self.calls.entry(call.step).or_insert(*call);
            if share(call) > share(longest) {
                *longest = *call;
            }
        }
    }

    /// How often a kind of fault has changed an answer.
    fn drawn(&self, kind: &str) -> u64 {
        self.faults.iter().filter(|((word, _), _)| *word == kind).map(|(_, count)| count).sum()
    }

    /// The faults that were drawn too seldom to show anything, of those that strike clients.
    pub fn seldom(&self, least: u64) -> Vec<String> {
        let seldom = KINDS.iter().map(|kind| (kind, self.drawn(kind))).filter(|(_, count)| *count < least);
        seldom.map(|(kind, count)| format!("{kind}: {count}")).collect()
    }

    pub fn shown(&self, took: Duration) -> String {
        let mut text = String::new();
        let each = |text: &mut String, title: &str, all: &BTreeMap<&'static str, u64>| {
            let listed: Vec<String> = all.iter().map(|(name, count)| format!("{name} {count}")).collect();
            let _ = writeln!(text, "{title:<22} {}", if listed.is_empty() { "none".into() } else { listed.join(", ") });
        };
        let failed: u64 = self.errors.values().sum();
        let _ = writeln!(text, "runs                   {} in {took:.1?}", self.runs);
        let _ = writeln!(text, "right ends             {}", self.right);
        let _ = writeln!(text, "errors, then right     {failed}");
        let _ = writeln!(text, "wrong                  {}", self.wrong);
        each(&mut text, "errors by kind", &self.errors);
        each(&mut text, "errors by step", &self.steps);
        for (service, (all, struck)) in &self.requests {
            let _ = writeln!(text, "{service:<22} {all:>9} requests, {struck:>8} met a fault");
        }
        let mut kinds: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
        for ((fault, service), count) in &self.faults {
            kinds.entry(fault).or_default().push(format!("{service} {count}"));
        }
        for (fault, counts) in kinds {
            let _ = writeln!(text, "{fault:<22} {:>9}: {}", self.drawn(fault), counts.join(", "));
        }
        let _ = writeln!(text, "what errors say, an example each");
        for ((kind, step), example) in &self.examples {
            let _ = writeln!(text, "  {kind} ({step}): {example}");
        }
        let _ = writeln!(text, "nearest to the deadline, by the emulator's clock");
        for Timed { step, took, allowed } in self.calls.values() {
            let _ = writeln!(text, "  {step:<20} {:>8.1} s of {:>6.0} s", took.as_secs_f64(), allowed.as_secs_f64());
        }
        text
    }
}

fn service(service: Service, from: From) -> String {
    match (service, from) {
        (Service::Arm, _) => "resource manager".to_owned(),
        (Service::Registry, From::Node) => "registry (nodes)".to_owned(),
        (other, _) => format!("{other:?}").to_lowercase(),
    }
}
