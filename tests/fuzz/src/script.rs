//! Answers as the input has them, one after another.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::answers::Recorded;
use crate::{Answer, COUNT, Held};

/// What stands between two answers of an input.
const BETWEEN: &[u8] = b"\n%%\n";

/// What the input says, and what is said where it says nothing.
pub struct Script {
    /// Answers of the input, of which `None` is a good one.
    given: Vec<Option<Answer>>,
    /// Whether the last of them is the answer to all that is asked later.
    repeats: bool,
    /// Whether an answer of the input is only a body, with status and headers of the good answer.
    bodies: bool,
    good: Arc<Recorded>,
    asked: HashMap<String, usize>,
    requests: usize,
}

impl Script {
    /// Reads whole answers: `STATUS`, lines of headers, an empty line, the body. An empty part is a good answer.
    pub fn answers(data: &[u8], repeats: bool, good: Arc<Recorded>) -> Self {
        let given = split(data).into_iter().map(|part| (!part.is_empty()).then(|| read(part))).collect();
        Self { given, repeats, bodies: false, good, asked: HashMap::new(), requests: 0 }
    }

    /// Reads bodies. An empty part is a good answer.
    pub fn bodies(data: &[u8], repeats: bool, good: Arc<Recorded>) -> Self {
        let body = |part: &[u8]| Answer { status: 200, headers: Vec::new(), body: Bytes::copy_from_slice(part) };
        let given = split(data).into_iter().map(|part| (!part.is_empty()).then(|| body(part))).collect();
        Self { given, repeats, bodies: true, good, asked: HashMap::new(), requests: 0 }
    }

    /// How much was asked.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// The answer to what is asked now.
    pub fn next(&mut self, question: &str) -> Answer {
        let at = if self.repeats { self.requests.min(self.given.len().saturating_sub(1)) } else { self.requests };
        self.requests += 1;
        let times = self.asked.entry(question.to_owned()).or_default();
        let good = self.good.find(question, *times).cloned();
        *times += 1;
        let given = self.given.get(at).cloned().flatten();
        match (given, good) {
            (Some(given), Some(good)) if self.bodies => Answer { body: given.body, ..good },
            (Some(given), _) => given,
            (None, Some(good)) => good,
            (None, None) => Answer { status: 404, headers: Vec::new(), body: Bytes::new() },
        }
    }
}

fn split(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some(at) = find(rest, BETWEEN) {
        parts.push(&rest[..at]);
        rest = &rest[at + BETWEEN.len()..];
    }
    parts.push(rest);
    parts
}

fn find(data: &[u8], what: &[u8]) -> Option<usize> {
    data.windows(what.len()).position(|window| window == what)
}

fn read(part: &[u8]) -> Answer {
    let (head, body) = find(part, b"\n\n").map_or((part, &b""[..]), |at| (&part[..at], &part[at + 2..]));
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.parse().ok()).filter(|status| (100..600).contains(status));
    // No transport lets through what cannot be a header.
    let is_text = |text: &str| text.chars().all(|letter| (' '..='~').contains(&letter));
    let headers = lines.filter_map(|line| line.split_once(": ")).filter(|(name, value)| {
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') && is_text(value)
    });
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status: status.unwrap_or(500), headers, body: Bytes::copy_from_slice(body) }
}

/// Writes what to start from: each operation's good answers, whole or only their bodies, into the folder that `SEEDS` names, if it does.
pub fn write_seeds(held: &Held, bodies: bool) {
    let Some(folder) = std::env::var_os("SEEDS") else { return };
    for operation in 0..COUNT {
        let mut seed = vec![operation];
        let mut last = None;
        for (at, answer) in held.answers(operation).iter().enumerate() {
            if at > 0 {
                seed.extend_from_slice(BETWEEN);
            }
            // Answers to a poll are the same for long: one of them is enough to make others of.
            if last.replace(&answer.body) == Some(&answer.body) {
                continue;
            }
            if !bodies {
                seed.extend_from_slice(answer.status.to_string().as_bytes());
                for (name, value) in &answer.headers {
                    seed.extend_from_slice(format!("\n{name}: {value}").as_bytes());
                }
                seed.extend_from_slice(b"\n\n");
            }
            seed.extend_from_slice(&answer.body);
        }
        std::fs::write(Path::new(&folder).join(operation.to_string()), seed).expect("the folder of seeds");
    }
}
