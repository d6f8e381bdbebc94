//! Faults on demand and at random.

pub(crate) mod arrival;
pub(crate) mod lag;
mod odd;
mod storm;

use std::time::Duration;

use base64::Engine as _;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, Uri};
use serde_json::Value;

pub(crate) use self::arrival::{Arrival, arrive};
pub(crate) use self::odd::Oddity;
pub use self::storm::Storm;
use crate::log::{From, Service};
use crate::reply::{self, Broken};

/// A page such as proxies show when they cannot pass on an answer.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Bad gateway</title></head>\n\
    <body><h1>The page cannot be shown</h1><p>The proxy got no answer.</p></body></html>\n";

/// A fault, and the requests that it hits.
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
    pub(crate) arrival: Arrival,
    pub(crate) labelled: Option<HeaderValue>,
}

/// What the client gets.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// What it would have got anyhow: the fault is a delay.
    Unchanged,
    /// The connection fails.
    Broken(Broken),
    /// Another answer.
    Answer { status: StatusCode, headers: Vec<(HeaderName, HeaderValue)>, body: Content },
    /// What the rules say once the token of the request has expired.
    ExpiredToken,
    /// What the rules say, but a page of a list names itself as the next.
    RepeatedPage,
    /// What the rules say, with a value of another kind than belongs there.
    Odd(Oddity),
    /// What a replica says that has not heard yet of what was made last.
    Lagging,
}

/// The body of another answer.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Nothing,
    Json(Value),
    Page,
}

/// Marks a request whose page of a list is to name itself as the next, and an answer that did so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeated;

impl Fault {
    /// A fault for requests with this method (`*` for any) whose host, path and query contain `part`, in any case.
    /// It hits once, unless [`times`](Self::times) is set.
    #[must_use]
    pub fn on(method: &str, part: &str) -> Self {
        Self {
            method: method.to_ascii_uppercase(),
            part: part.to_ascii_lowercase(),
            times: 1,
            outcome: Outcome::Unchanged,
            after_effect: false,
            delay: Duration::ZERO,
            arrival: Arrival::Whole,
            labelled: None,
        }
    }

    /// Responds with this status. An invalid status becomes 500.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.outcome = match self.outcome {
            Outcome::Answer { headers, body, .. } => Outcome::Answer { status, headers, body },
            _ => Outcome::Answer { status, headers: Vec::new(), body: Content::Nothing },
        };
        self
    }

    /// Adds a header to the response, which is a 500 unless [`status`](Self::status) is set. An invalid header is
    /// ignored.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self = self.answering();
        if let (Ok(name), Ok(value), Outcome::Answer { headers, .. }) = (name.parse(), value.parse(), &mut self.outcome)
        {
            headers.push((name, value));
        }
        self
    }

    /// Responds with this body, with status 500 unless [`status`](Self::status) is set.
    #[must_use]
    pub fn body(mut self, json: Value) -> Self {
        self = self.answering();
        if let Outcome::Answer { body, .. } = &mut self.outcome {
            *body = Content::Json(json);
        }
        self
    }

    /// Responds to a request for a cluster's kubeconfig with this text, valid or not.
    #[must_use]
    pub fn kubeconfig(self, text: &str) -> Self {
        let value = base64::engine::general_purpose::STANDARD.encode(text);
        self.status(200).body(serde_json::json!({"kubeconfigs": [{"name": "clusterUser", "value": value}]}))
    }

    /// Responds with an HTML page, as a proxy does, with status 500 unless [`status`](Self::status) is set. Some proxies
    /// send one with 200.
    #[must_use]
    pub fn page(mut self) -> Self {
        self = self.answering();
        if let Outcome::Answer { body, .. } = &mut self.outcome {
            *body = Content::Page;
        }
        self
    }

    /// Sets the content type of the response, whatever its body is. An invalid value is ignored.
    #[must_use]
    pub fn content_type(mut self, value: &str) -> Self {
        self.labelled = value.parse().ok().or(self.labelled);
        self
    }

    /// Ends the connection in the middle of the response's body, before its announced length. A response without a body is
    /// unchanged. A node sees no response.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.arrival = Arrival::Truncated;
        self
    }

    /// Sends the headers and half of the body immediately, and the other half after this time. Nodes do not wait.
    #[must_use]
    pub fn slow_body(mut self, time: Duration) -> Self {
        self.arrival = Arrival::Slow(time);
        self
    }

    /// Never responds: the connection stays open without even headers. With [`after_effect`](Self::after_effect) the request
    /// takes effect. A node sees a timeout.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.outcome = Outcome::Broken(Broken::Silent);
        self
    }

    /// Sends the headers and half of the body, then stalls: the connection stays open, as after a middlebox has silently dropped
    /// it. A watch sends no event. A response without a body is unchanged.
    #[must_use]
    pub fn silent_body(self) -> Self {
        self.silent_after(Duration::ZERO)
    }

    /// The same for a watch that stalls later: it sends its events for this time, then none.
    #[must_use]
    pub fn silent_after(mut self, time: Duration) -> Self {
        self.arrival = Arrival::Silent(time);
        self
    }

    /// Expires the request's token, for everyone who uses it; with [`after_effect`](Self::after_effect) just after the request.
    /// The rules decide the response to an expired token. A password that is not a token stays valid.
    #[must_use]
    pub fn expired_token(mut self) -> Self {
        self.outcome = Outcome::ExpiredToken;
        self
    }

    /// Makes a page of an Azure list link to itself as the next one, so that its items are returned twice.
    #[must_use]
    pub fn repeated_page(mut self) -> Self {
        self.outcome = Outcome::RepeatedPage;
        self
    }

    /// Hits this many requests.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Lets the request take effect first: only the response is lost or changed.
    #[must_use]
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Closes the connection instead of responding.
    #[must_use]
    pub fn reset(mut self) -> Self {
        self.outcome = Outcome::Broken(Broken::Reset);
        self
    }

    /// Presents an untrusted certificate instead of responding; `why` is the client's reason to reject it.
    #[must_use]
    pub fn untrusted(mut self, why: &str) -> Self {
        self.outcome = Outcome::Broken(Broken::Untrusted(why.to_owned()));
        self
    }

    /// Waits first, by the emulator's clock. Requests of nodes do not wait.
    #[must_use]
    pub fn delay(mut self, time: Duration) -> Self {
        self.delay = time;
        self
    }

    /// Puts a value into the answer that does not belong there. An answer without such a place comes as it is.
    pub(crate) fn odd(mut self, oddity: Oddity) -> Self {
        self.outcome = Outcome::Odd(oddity);
        self
    }

    /// Answers a read as before something was made; what it has never answered, it cannot answer again.
    pub(crate) fn lagging(mut self) -> Self {
        self.outcome = Outcome::Lagging;
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

impl Fault {
    /// What the log calls it.
    pub(crate) fn word(&self) -> &'static str {
        match (&self.outcome, self.arrival) {
            (Outcome::Broken(Broken::Reset), _) => "reset",
            (Outcome::Broken(Broken::Silent), _) => "silent",
            (Outcome::Broken(Broken::Untrusted(_)), _) => "untrusted",
            (Outcome::ExpiredToken, _) => "expired token",
            (Outcome::RepeatedPage, _) => "repeated page",
            (Outcome::Odd(_), _) => "odd body",
            (Outcome::Lagging, _) => "lagging replica",
            (Outcome::Answer { status, .. }, _) if status.is_redirection() => "redirect",
            (_, Arrival::Truncated) => "truncated body",
            (_, Arrival::Slow(_)) => "slow body",
            (_, Arrival::Silent(_)) => "silent body",
            (Outcome::Answer { body: Content::Page, .. }, _) => "wrong content type",
            _ if self.labelled.is_some() => "wrong content type",
            (Outcome::Answer { status, .. }, _) if *status == StatusCode::TOO_MANY_REQUESTS => "throttled",
            (Outcome::Answer { status, .. }, _) if status.is_server_error() => "server error",
            (Outcome::Answer { .. }, _) => "answer",
            (Outcome::Unchanged, _) => "delay",
        }
    }
}

impl Fault {
    /// Labels an answer and says how it is to come. Gives whether that makes the answer another than it was, or was not needed for it.
    pub(crate) fn dress(&self, answer: &mut Response<Bytes>) -> bool {
        let repeats = answer.extensions().get::<Repeated>().is_some();
        let has_body = !answer.body().is_empty();
        match self.outcome {
            Outcome::ExpiredToken | Outcome::Lagging => return false,
            Outcome::Odd(oddity) => return oddity.twist(answer),
            Outcome::RepeatedPage => return repeats,
            Outcome::Unchanged if self.shapes() && !has_body => return false,
            _ => {}
        }
        if let Some(label) = &self.labelled {
            answer.headers_mut().insert(CONTENT_TYPE, label.clone());
        }
        answer.extensions_mut().insert(self.arrival);
        true
    }

    /// The same for a watch: one that is cut off has sent the first of its events.
    pub(crate) fn dress_watch(&self, head: &mut http::response::Parts) -> bool {
        let is_for_lists = |outcome| matches!(outcome, &Outcome::RepeatedPage | &Outcome::Odd(_) | &Outcome::Lagging);
        if matches!(self.outcome, Outcome::ExpiredToken) || is_for_lists(&self.outcome) {
            return false;
        }
        if let Some(label) = &self.labelled {
            head.headers.insert(CONTENT_TYPE, label.clone());
        }
        head.extensions.insert(self.arrival);
        true
    }

    /// Whether it leaves an answer what it is and changes how it comes.
    fn shapes(&self) -> bool {
        self.labelled.is_some() || self.arrival != Arrival::Whole
    }
}

/// The answer of a fault.
pub(crate) fn answer(status: StatusCode, headers: &[(HeaderName, HeaderValue)], body: &Content) -> Response<Bytes> {
    let mut response = match body {
        Content::Json(body) => reply::json(status, body),
        Content::Page => reply::bytes(status, "text/html; charset=utf-8", Bytes::from_static(PAGE.as_bytes())),
        Content::Nothing => reply::empty(status),
    };
    for (name, value) in headers {
        response.headers_mut().append(name.clone(), value.clone());
    }
    response
}

/// The faults still to happen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    asked_for: Vec<Fault>,
    pub(crate) storm: Option<Storm>,
    /// What was read and written since the storm began.
    pub(crate) replicas: lag::Replicas,
}

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.asked_for.push(fault);
    }

    /// Whether every request to a host meets a fault that leaves it unanswered. A real node cannot connect to such a host.
    #[cfg(feature = "serve")]
    pub(crate) fn silences(&self, host: &str) -> bool {
        let silences = |fault: &Fault| {
            let part = fault.part.trim_start_matches("https://");
            let is_whole = part.trim_end_matches('/') == host;
            fault.times > 0
                && is_whole
                && fault.method == "*"
                && matches!(fault.outcome, Outcome::Broken(Broken::Silent))
        };
        self.asked_for.iter().any(silences)
    }

    /// Takes the first fault that this request meets, and counts it down; where none was asked for, chance decides.
    pub(crate) fn take(&mut self, service: Service, from: From, method: &Method, uri: &Uri) -> Option<Fault> {
        let asked_for = self.asked_for.iter_mut().find(|fault| fault.times > 0 && fault.hits(method, uri));
        if let Some(fault) = asked_for {
            fault.times -= 1;
            return Some(fault.clone());
        }
        self.storm.as_mut()?.strike(service, from, method, uri)
    }
}

#[cfg(test)]
#[cfg(feature = "serve")]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_silent_if_no_request_to_it_is_answered() {
        let mut faults = Faults::default();
        faults.asked_for.push(Fault::on("*", "https://One.azurecr.io/").silent().times(2));
        faults.asked_for.push(Fault::on("*", "two.azurecr.io/v2/app/").silent());
        faults.asked_for.push(Fault::on("GET", "three.azurecr.io/").silent());
        faults.asked_for.push(Fault::on("*", "four.azurecr.io").status(500));
        for (host, is_silent) in [("one", true), ("two", false), ("three", false), ("four", false), ("ne", false)] {
            assert_eq!(faults.silences(&format!("{host}.azurecr.io")), is_silent, "{host}");
        }
    }
}
