//! Faults by chance, the same ones for the same seed.

use std::collections::HashMap;
use std::time::Duration;

use http::{Method, Uri};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::lag::Replicas;
use super::{Fault, Oddity};
use crate::emulator::Emulator;
use crate::log::{From, Service};

/// A host that no client has business with.
const ELSEWHERE: &str = "https://elsewhere.example/";

/// Makes a share of all requests fail: to Azure, Entra, registries and clusters, from clients and from nodes.
///
/// The fault of a request depends on the seed, on the request's method and URL without IDs, and on how many such requests came
/// before. So the order of concurrent requests does not matter, and the same seed gives the same faults.
///
/// ```
/// use aks_acr_emulator::{Emulator, Storm};
///
/// let azure = Emulator::new();
/// azure.storm(Storm::new(7, 0.3));
/// azure.calm();
/// ```
#[derive(Clone, Debug)]
pub struct Storm {
    seed: u64,
    share: f64,
    spares_nodes: bool,
    seen: HashMap<String, u32>,
}

impl Storm {
    /// A storm that makes `share` of the requests (from 0 to 1) fail.
    #[must_use]
    pub fn new(seed: u64, share: f64) -> Self {
        Self { seed, share, spares_nodes: false, seen: HashMap::new() }
    }

    /// Spares requests from nodes to registries: a node retries a failed pull only minutes later.
    #[must_use]
    pub fn sparing_nodes(mut self) -> Self {
        self.spares_nodes = true;
        self
    }

    /// The fault that the next such request meets, if it meets one.
    pub(super) fn strike(&mut self, service: Service, from: From, method: &Method, uri: &Uri) -> Option<Fault> {
        if self.spares_nodes && from == From::Node {
            return None;
        }
        let address = address(service, from, method, uri);
        let times = self.seen.entry(address.clone()).or_default();
        *times += 1;
        let mut dice = Dice::new(&format!("{} {times} {address}", self.seed));
        let is_read = method == Method::GET || method == Method::HEAD;
        (dice.share() < self.share).then(|| fault(service, from, (is_read, is_list(method, uri)), &mut dice))
    }
}

/// What is the same for the same request in every run.
fn address(service: Service, from: From, method: &Method, uri: &Uri) -> String {
    let is_name = |segment: &&str| segment.len() <= 40 && Uuid::try_parse(segment).is_err();
    let path: Vec<&str> = uri.path().split('/').filter(is_name).collect();
    format!("{service:?} {from:?} {method} {}", path.join("/").to_ascii_lowercase())
}

/// Whether it asks Resource Manager for a list: the path ends with a type and not with a name.
pub(super) fn is_list(method: &Method, uri: &Uri) -> bool {
    let path = uri.path().to_ascii_lowercase();
    let types = path.rsplit_once("/providers/").map(|(_, rest)| rest.split('/').skip(1).count());
    method == Method::GET && types.is_some_and(|count| count % 2 == 1)
}

/// What may strike, as often as it stands here.
fn fault(service: Service, from: From, (is_read, is_list): (bool, bool), dice: &mut Dice) -> Fault {
    let fault = Fault::on("*", "");
    // A list meets its own faults more often: there are few of them.
    if is_list && service == Service::Arm {
        match dice.below(4) {
            0 => return fault.repeated_page(),
            1 | 2 => return fault.lagging(),
            3.. => {}
        }
    }
    let may_lag = from == From::Client && matches!(service, Service::Arm | Service::Registry);
    // Few reads come soon after a write; a replica that lags answers any other as it is. A cluster's API server has one store.
    if may_lag && is_read && dice.below(8) == 0 {
        return fault.lagging();
    }
    if from == From::Client && dice.below(16) == 0 {
        return grave(fault, dice);
    }
    match dice.below(if from == From::Node { 4 } else { 7 }) {
        0 => throttled(fault, service, dice),
        1 => broken(fault, service, dice),
        2 => perhaps_after(fault.reset(), dice),
        3 => wrong_type(fault, dice),
        4 => fault.truncated(),
        5 => fault.slow_body(slow(dice)),
        // Entra gives tokens and takes none.
        _ if service == Service::Entra => perhaps_after(fault.reset(), dice),
        _ => perhaps_after(fault.expired_token(), dice),
    }
}

/// What no second try mends: rare, or no story would come to its end.
fn grave(fault: Fault, dice: &mut Dice) -> Fault {
    match dice.below(3) {
        0 => silent(fault, dice),
        1 => odd(fault, dice),
        _ => redirected(fault, dice),
    }
}

/// A client that gets no response waits until its own timeout.
fn silent(fault: Fault, dice: &mut Dice) -> Fault {
    match dice.below(3) {
        0 => perhaps_after(fault.silent(), dice),
        1 => fault.silent_body(),
        _ => fault.silent_after(Duration::from_secs(dice.between(1, 60))),
    }
}

/// An answer that is not what belongs there.
fn odd(fault: Fault, dice: &mut Dice) -> Fault {
    let pick = dice.next();
    fault.odd(match dice.below(4) {
        0 => Oddity::Null,
        1 => Oddity::Sentence,
        2 => Oddity::NullWithin(pick),
        _ => Oddity::SentenceWithin(pick),
    })
}

/// To another address, where nothing answers, or in a circle.
fn redirected(fault: Fault, dice: &mut Dice) -> Fault {
    let status = [301, 302, 307, 308][dice.below(4)];
    let place = if dice.below(2) == 0 { ELSEWHERE } else { "/" };
    fault.status(status).header("location", place)
}

/// What was throttled has had no effect.
fn throttled(fault: Fault, service: Service, dice: &mut Dice) -> Fault {
    let fault = fault.status(429).body(body(service, 429));
    match dice.below(4) {
        0 => fault,
        1 => fault.header("retry-after", &dice.between(30, 120).to_string()),
        _ => fault.header("retry-after", &dice.between(1, 10).to_string()),
    }
}

fn broken(fault: Fault, service: Service, dice: &mut Dice) -> Fault {
    let status = [500, 502, 503, 504][dice.below(4)];
    let fault = fault.status(status);
    let fault = if dice.below(2) == 0 { fault.body(body(service, status)) } else { fault };
    let fault = if dice.below(4) == 0 { fault.header("retry-after", "3") } else { fault };
    perhaps_after(fault, dice)
}

fn wrong_type(fault: Fault, dice: &mut Dice) -> Fault {
    match dice.below(3) {
        0 => fault.content_type("text/html"),
        1 => perhaps_after(fault.page().status(200), dice),
        _ => perhaps_after(fault.page().status(502), dice),
    }
}

/// Some seconds; once in a while longer than any client wants to wait.
fn slow(dice: &mut Dice) -> Duration {
    let seconds = if dice.below(20) == 0 { dice.between(300, 3600) } else { dice.between(1, 30) };
    Duration::from_secs(seconds)
}

fn perhaps_after(fault: Fault, dice: &mut Dice) -> Fault {
    if dice.below(2) == 0 { fault.after_effect() } else { fault }
}

/// An error in the shape of the service.
fn body(service: Service, status: u16) -> Value {
    let (code, message) = match status {
        429 => ("TooManyRequests", "Too many requests. Please try again after sometime."),
        _ => ("InternalServerError", "Encountered internal server error."),
    };
    match service {
        Service::Kubernetes => json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "reason": code, "message": message,
            "code": status,
        }),
        Service::Registry if status == 429 => {
            json!({"errors": [{"code": "TOOMANYREQUESTS", "message": "too many requests", "detail": null}]})
        }
        Service::Registry => json!({"errors": [{"code": "UNKNOWN", "message": message, "detail": null}]}),
        Service::Entra => json!({"error": "temporarily_unavailable", "error_description": message}),
        _ => json!({"error": {"code": code, "message": message}}),
    }
}

/// Numbers that follow from a text.
struct Dice {
    bytes: [u8; 32],
    at: usize,
}

impl Dice {
    fn new(text: &str) -> Self {
        Self { bytes: Sha256::digest(text).into(), at: 0 }
    }

    /// Two bytes at a time: no fault takes more than there are.
    fn next(&mut self) -> u16 {
        let pair = [self.bytes[self.at % 32], self.bytes[(self.at + 1) % 32]];
        self.at += 2;
        u16::from_be_bytes(pair)
    }

    /// From 0 up to 1.
    fn share(&mut self) -> f64 {
        f64::from(self.next()) / 65536.0
    }

    fn below(&mut self, count: u16) -> usize {
        usize::from(self.next() % count)
    }

    fn between(&mut self, from: u16, to: u16) -> u64 {
        u64::from(from + self.next() % (to - from + 1))
    }
}

impl Emulator {
    /// Starts a storm, in place of the current one, if any. [Requested faults](Emulator::fault) take precedence.
    pub fn storm(&self, storm: Storm) {
        self.act(|world| {
            world.faults.replicas = Replicas::default();
            world.faults.storm = Some(storm);
        });
    }

    /// Ends the storm.
    pub fn calm(&self) {
        self.act(|world| world.faults.storm = None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many that rare ones are among them.
    const MANY: usize = 4000;

    fn words(seed: u64, share: f64) -> Vec<Option<&'static str>> {
        let mut storm = Storm::new(seed, share);
        let uri: Uri = "https://management.azure.com/subscriptions/s/providers/Microsoft.ContainerRegistry/registries"
            .parse()
            .unwrap();
        let mut strike = || storm.strike(Service::Arm, From::Client, &Method::GET, &uri);
        (0..MANY).map(|_| strike().map(|fault| fault.word())).collect()
    }

    #[test]
    fn the_same_seed_is_the_same_weather_and_another_is_another() {
        assert_eq!(words(7, 0.3), words(7, 0.3));
        assert_ne!(words(7, 0.3), words(8, 0.3));
    }

    #[test]
    fn so_many_are_struck_as_was_asked_for_and_by_every_kind() {
        let struck: Vec<&str> = words(7, 0.3).into_iter().flatten().collect();
        assert!((MANY / 4..MANY * 7 / 20).contains(&struck.len()), "{}", struck.len());
        for kind in [
            "throttled",
            "server error",
            "reset",
            "truncated body",
            "slow body",
            "expired token",
            "wrong content type",
            "repeated page",
            "silent",
            "silent body",
            "odd body",
            "redirect",
            "lagging replica",
        ] {
            assert!(struck.contains(&kind), "{kind}");
        }
        assert_eq!(words(7, 0.0).into_iter().flatten().count(), 0);
    }

    #[test]
    fn ids_in_an_address_do_not_matter() {
        let of = |path: &str| address(Service::Arm, From::Client, &Method::PUT, &path.parse().unwrap());
        assert_eq!(of("/a/11111111-1111-4111-8111-111111111111"), of("/a/22222222-2222-4222-8222-222222222222"));
        assert_ne!(of("/a/b"), of("/a/c"));
    }
}
