//! What the control endpoint shows.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};

use super::{Refusal, done_with, missing, unclear};
use crate::dump;
use crate::emulator::Emulator;
use crate::entra::form_field;
use crate::log::{self, From, Mark, Request as Logged, Service};
use crate::reply::{self, Reply};

/// Answers what is asked for, over the wire: the log as lines of JSON.
pub(super) fn at(emulator: &Emulator, what: &str, query: &str) -> Result<Reply, Refusal> {
    let since = match form_field(query.as_bytes(), "since") {
        None => 0,
        Some(text) => {
            let wrong = |_| unclear(format!("invalid mark: since={text}"));
            text.parse().map_err(wrong)?
        }
    };
    let end = emulator.mark();
    let seen = look(emulator, what, since)?;
    match seen {
        Value::Array(lines) => {
            let text: String = lines.iter().flat_map(|line| [line.to_string(), String::from("\n")]).collect();
            let answer = reply::bytes(StatusCode::OK, "application/jsonl", Bytes::from(text));
            Ok(reply::with(answer, "x-emulator-mark", &end.0.to_string()))
        }
        seen => Ok(done_with(&seen)),
    }
}

/// What there is to see under a name, in the log from a mark on.
pub(in crate::serve) fn look(emulator: &Emulator, what: &str, since: usize) -> Result<Value, Refusal> {
    let requests = || emulator.requests_since(Mark(since));
    match what {
        "state" => Ok(dump::state(emulator)),
        "mark" => Ok(json!({"mark": emulator.mark().0})),
        "requests" => Ok(requests().iter().map(line).collect()),
        "summary" => {
            let sum = log::summary(&requests());
            let (count, depth, writes, tokens) = (sum.count, sum.depth, sum.writes, sum.tokens);
            Ok(json!({"count": count, "depth": depth, "writes": writes, "tokens": tokens}))
        }
        other => Err(missing(format!("unknown view: {other}"))),
    }
}

/// A request of the log.
pub(in crate::serve) fn line(request: &Logged) -> Value {
    let service = match request.service {
        Service::Entra => "entra",
        Service::Arm => "arm",
        Service::Graph => "graph",
        Service::Registry => "registry",
        Service::Kubernetes => "kubernetes",
        Service::Unknown => "unknown",
    };
    json!({
        "service": service,
        "method": request.method,
        "host": request.host,
        "path": request.path,
        "query": request.query,
        "status": request.status,
        "caller": request.caller,
        "started": request.started,
        "ended": request.ended,
        "from": match request.from { From::Client => "client", From::Node => "node" },
        "write": request.is_write(),
        "fault": request.fault,
    })
}
