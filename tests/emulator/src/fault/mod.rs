//! Faults on demand.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use serde_json::Value;

use crate::reply::Broken;

/// What goes wrong with the requests it is made for.
///
/// ```
/// use aks_acr_emulator::{Emulator, Fault};
///
/// let azure = Emulator::new();
/// azure.fault(Fault::on("PUT", "/roleAssignments/").status(429).header("retry-after", "2").times(2));
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    part: String,
    times: usize,
    pub(crate) outcome: Outcome,
    pub(crate) after_effect: bool,
    pub(crate) delay: Duration,
}

/// What the client gets.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// What it would have got anyhow: the fault is a delay.
    Unchanged,
    /// The connection fails.
    Broken(Broken),
    /// Another answer.
    Answer { status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Option<Value> },
}

impl Fault {
    /// A fault of requests with this method (`*` for any) whose host, path and query hold `part`, in whatever case.
    /// It happens once, unless [`times`](Self::times) says otherwise.
    #[must_use]
    pub fn on(method: &str, part: &str) -> Self {
        Self {
            method: method.to_ascii_uppercase(),
            part: part.to_ascii_lowercase(),
            times: 1,
            outcome: Outcome::Unchanged,
            after_effect: false,
            delay: Duration::ZERO,
        }
    }

    /// Answers with this status. A number that is no status becomes 500.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.outcome = match self.outcome {
            Outcome::Answer { headers, body, .. } => Outcome::Answer { status, headers, body },
            _ => Outcome::Answer { status, headers: Vec::new(), body: None },
        };
        self
    }

    /// Adds a header to the answer, which is a 500 unless [`status`](Self::status) says otherwise. What cannot stand in
    /// a header is left out.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self = self.answering();
        if let (Ok(name), Ok(value), Outcome::Answer { headers, .. }) = (name.parse(), value.parse(), &mut self.outcome)
        {
            headers.push((name, value));
        }
        self
    }

    /// Answers with this body, with status 500 unless [`status`](Self::status) says otherwise.
    #[must_use]
    pub fn body(mut self, json: Value) -> Self {
        self = self.answering();
        if let Outcome::Answer { body, .. } = &mut self.outcome {
            *body = Some(json);
        }
        self
    }

    /// Happens to so many requests, then no more.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Lets the request do its work first: only the answer is lost or changed.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Cuts the connection instead of answering.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.outcome = Outcome::Broken(Broken::Reset);
        self
    }

    /// Shows a certificate that is not trusted, instead of answering; `why` is what the other side says of it.
    #[must_use]
    pub fn untrusted(mut self, why: &str) -> Self {
        self.outcome = Outcome::Broken(Broken::Untrusted(why.to_owned()));
        self
    }

    /// Waits first, in time of the emulator's clock. Requests of nodes do not wait.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    fn answering(self) -> Self {
        if matches!(self.outcome, Outcome::Answer { .. }) { self } else { self.status(500) }
    }

    fn hits(&self, method: &Method, uri: &Uri) -> bool {
        let place = uri.to_string().to_ascii_lowercase();
        (self.method == "*" || self.method == method.as_str()) && place.contains(&self.part)
    }
}

/// The answer of a fault.
pub(crate) fn answer(
    status: StatusCode,
    headers: &[(HeaderName, HeaderValue)],
    body: Option<&Value>,
) -> Response<Bytes> {
    let mut response = match body {
        Some(body) => crate::reply::json(status, body),
        None => crate::reply::empty(status),
    };
    for (name, value) in headers {
        response.headers_mut().append(name.clone(), value.clone());
    }
    response
}

/// The faults still to happen.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// Takes the first fault that this request meets, and counts it down.
    pub(crate) fn take(&mut self, method: &Method, uri: &Uri) -> Option<Fault> {
        let fault = self.0.iter_mut().find(|fault| fault.times > 0 && fault.hits(method, uri))?;
        fault.times -= 1;
        Some(fault.clone())
    }
}
