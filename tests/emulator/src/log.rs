//! The log of requests: their number, order and writes.

use std::{collections::VecDeque, fmt};

use http::Method;

/// The service that received a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Entra, which issues tokens.
    Entra,
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// The data plane of a registry, in Azure or outside.
    Registry,
    /// The API server of a cluster.
    Kubernetes,
    /// A host that the emulator does not have.
    Unknown,
}

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum From {
    /// The program under test.
    Client,
    /// A node of a cluster.
    Node,
}

/// A request and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// The service that received it.
    pub service: Service,
    /// The method, in upper case.
    pub method: String,
    /// The host, without port.
    pub host: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, decoded, without secrets.
    pub query: String,
    /// The status of the response; `None` if the connection was cut, the client gave up, or the request is still running.
    pub status: Option<u16>,
    /// The name of the principal whose token was sent, if any.
    pub caller: Option<String>,
    /// The position of its start among all starts and ends.
    pub started: u64,
    /// The position of its end in the same order; `None` if the client gave up or the request is still running.
    pub ended: Option<u64>,
    /// Who sent it.
    pub from: From,
    /// The fault that hit it, in a word or two, if any.
    pub fault: Option<&'static str>,
}

impl Request {
    /// Whether it is a write.
    ///
    /// A `POST` to Azure that only lists or checks, a token request and a dry run are not writes.
    #[must_use]
    pub fn is_write(&self) -> bool {
        if self.service == Service::Kubernetes && self.query.split('&').any(|part| part == "dryRun=All") {
            return false;
        }
        match self.method.as_str() {
            "PUT" | "PATCH" | "DELETE" => true,
            "POST" => match self.service {
                Service::Arm | Service::Graph => !only_asks(&self.path),
                Service::Kubernetes => true,
                Service::Entra | Service::Registry | Service::Unknown => false,
            },
            _ => false,
        }
    }
}

/// Whether a `POST` to this path of Resource Manager or Graph changes nothing.
pub(crate) fn only_asks(path: &str) -> bool {
    let verb = path.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    verb.starts_with("list")
        || verb == "checknameavailability"
        || verb == "resources"
        || verb == "logs"
        || verb == "getbyids"
        || verb == "checkmembergroups"
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} https://{}{}", self.method, self.host, self.path)?;
        if !self.query.is_empty() {
            write!(f, "?{}", self.query)?;
        }
        match self.status {
            Some(status) => write!(f, " {status}"),
            None => f.write_str(" no answer"),
        }
    }
}

/// A position in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(pub(crate) usize);

/// A summary of requests. Token requests and requests of nodes appear only in their own counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestSummary {
    /// How many requests there were.
    pub count: usize,
    /// The longest chain of requests that each started after the previous one had ended.
    pub depth: usize,
    /// How many were writes.
    pub writes: usize,
    /// How many requests went to Entra.
    pub tokens: usize,
}

/// Sums up requests: how many, how deep, how many writes.
///
/// ```
/// assert_eq!(aks_acr_emulator::summary(&[]).depth, 0);
/// ```
#[must_use]
pub fn summary(requests: &[Request]) -> RequestSummary {
    let sent = || requests.iter().filter(|request| request.from == From::Client);
    let counted: Vec<&Request> = sent().filter(|request| request.service != Service::Entra).collect();
    RequestSummary {
        count: counted.len(),
        depth: depth(&counted),
        writes: counted.iter().filter(|request| request.is_write()).count(),
        tokens: sent().count() - counted.len(),
    }
}

/// Walks along all starts and ends: a request is one deeper than the deepest that had ended when it started.
fn depth(requests: &[&Request]) -> usize {
    let mut steps: Vec<(u64, usize, bool)> = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        steps.push((request.started, at, true));
        steps.extend(request.ended.map(|ended| (ended, at, false)));
    }
    steps.sort_unstable();
    let mut depths = vec![0; requests.len()];
    let mut ended = 0;
    for (_, at, starts) in steps {
        if starts {
            depths[at] = ended + 1;
        } else {
            ended = ended.max(depths[at]);
        }
    }
    depths.into_iter().max().unwrap_or(0)
}

/// How many requests are remembered: a server that runs for weeks must not grow with each.
const REMEMBERED: usize = 100_000;

/// The requests so far, each with its place from the beginning. The oldest are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Log {
    requests: VecDeque<Request>,
    forgotten: usize,
    steps: u64,
}

impl Log {
    /// Notes that a request has come; the answer is its place.
    pub(crate) fn start(&mut self, service: Service, method: &Method, uri: &http::Uri, from: From) -> usize {
        let started = self.step();
        if self.requests.len() == REMEMBERED {
            self.requests.pop_front();
            self.forgotten += 1;
        }
        self.requests.push_back(Request {
            service,
            method: method.as_str().to_owned(),
            host: uri.host().unwrap_or_default().to_owned(),
            path: uri.path().to_owned(),
            query: shown_query(uri.query().unwrap_or_default()),
            status: None,
            caller: None,
            started,
            ended: None,
            from,
            fault: None,
        });
        self.next() - 1
    }

    /// The place of the next request.
    pub(crate) fn next(&self) -> usize {
        self.forgotten + self.requests.len()
    }

    /// The request at a place, unless it is forgotten.
    #[cfg(any(test, feature = "serve"))]
    pub(crate) fn get(&self, at: usize) -> Option<&Request> {
        self.requests.get(at.checked_sub(self.forgotten)?)
    }

    /// What is remembered from a place on.
    pub(crate) fn since(&self, at: usize) -> Vec<Request> {
        self.requests.iter().skip(at.saturating_sub(self.forgotten)).cloned().collect()
    }

    fn get_mut(&mut self, at: usize) -> Option<&mut Request> {
        self.requests.get_mut(at.checked_sub(self.forgotten)?)
    }

    /// Notes that a request has been answered, or cut off.
    pub(crate) fn end(&mut self, at: usize, status: Option<u16>, caller: Option<String>) {
        let ended = self.step();
        if let Some(request) = self.get_mut(at) {
            request.status = status;
            request.caller = caller;
            request.ended = Some(ended);
        }
    }

    /// Notes that a request has met a fault.
    pub(crate) fn meet(&mut self, at: usize, fault: &'static str) {
        if let Some(request) = self.get_mut(at) {
            request.fault = Some(fault);
        }
    }

    fn step(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }
}

/// The query without the signatures of polling URLs and without tokens.
fn shown_query(query: &str) -> String {
    let secret = |name: &str| matches!(name, "t" | "c" | "s" | "h" | "access_token" | "refresh_token" | "sig");
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let shown = pairs.map(|(name, value)| if secret(&name) { format!("{name}=…") } else { format!("{name}={value}") });
    shown.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(service: Service, method: &str, path: &str, started: u64, ended: u64) -> Request {
        Request {
            service,
            method: method.to_owned(),
            host: String::from("management.azure.com"),
            path: path.to_owned(),
            query: String::new(),
            status: Some(200),
            caller: None,
            started,
            ended: Some(ended),
            from: From::Client,
            fault: None,
        }
    }

    #[test]
    fn the_oldest_are_forgotten_and_places_stay() {
        let (mut log, uri) = (Log::default(), http::Uri::from_static("https://management.azure.com/a"));
        for at in 0..REMEMBERED + 3 {
            assert_eq!(log.start(Service::Arm, &Method::GET, &uri, From::Client), at);
        }
        log.end(1, Some(200), None);
        log.end(REMEMBERED + 1, Some(404), None);
        assert_eq!((log.next(), log.since(0).len(), log.since(REMEMBERED + 1).len()), (REMEMBERED + 3, REMEMBERED, 2));
        assert!(log.get(2).is_none());
        assert_eq!(log.get(REMEMBERED + 1).and_then(|one| one.status), Some(404));
    }

    #[test]
    fn requests_that_overlap_are_one_deep() {
        let requests = [request(Service::Arm, "GET", "/a", 1, 3), request(Service::Arm, "GET", "/b", 2, 4)];
        assert_eq!(summary(&requests).depth, 1);
    }

    #[test]
    fn a_request_after_two_that_overlap_is_two_deep() {
        let requests = [
            request(Service::Arm, "GET", "/a", 1, 3),
            request(Service::Arm, "GET", "/b", 2, 4),
            request(Service::Arm, "PUT", "/c", 5, 6),
        ];
        let sum = summary(&requests);
        assert_eq!((sum.count, sum.depth, sum.writes), (3, 2, 1));
    }

    #[test]
    fn tokens_are_counted_apart() {
        let requests = [request(Service::Entra, "POST", "/token", 1, 2), request(Service::Arm, "GET", "/a", 3, 4)];
        let sum = summary(&requests);
        assert_eq!((sum.count, sum.depth, sum.tokens), (1, 1, 1));
    }

    #[test]
    fn listing_credentials_is_no_write_and_importing_is_one() {
        let list = request(Service::Arm, "POST", "/x/listClusterUserCredential", 1, 2);
        let import = request(Service::Arm, "POST", "/x/importImage", 1, 2);
        assert!(!list.is_write());
        assert!(import.is_write());
    }

    #[test]
    fn the_signature_of_a_polling_address_is_not_shown() {
        assert_eq!(shown_query("api-version=1&s=secret"), "api-version=1&s=…");
    }
}
