//! One seed: the story in its storm, and what has to hold of its end.

use crate::{
    stage::{Play, Stage},
    teller::{Stop, Timed},
};
use aks_acr::{Error, ErrorKind};
use aks_acr_emulator::{Request, Service};

pub struct Run {
    /// What was wrong, if something was.
    pub verdict: Result<(), String>,
    /// How the story ended in the storm: at which step and as what, or right.
    pub stopped: Option<(&'static str, ErrorKind, String)>,
    pub requests: Vec<Request>,
    pub calls: Vec<Timed>,
}

/// In one of four storms nodes are struck, too: then most stories end where a pull has failed too often.
pub fn strikes_nodes(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

pub fn run(play: Play, seed: u64, share: f64, wanted: &str) -> Run {
    let stage = Stage::new(play, seed);
    let told = stage.stormy(share);
    let requests = stage.azure.requests();
    let (stopped, verdict) = match told.stopped {
        None => (None, compare(&stage.end(), wanted)),
        Some(stop @ Stop::Broken { .. }) => (None, Err(stop.to_string())),
        Some(Stop::Failed { step, err }) => {
            let verdict = clear(step, &err, &stage).and_then(|()| match stage.calm_end_later() {
                Ok(end) => compare(&end, wanted),
                Err(stop) => Err(format!("after {step} had failed ({err:#}), not even in calm weather: {stop}")),
            });
            (Some((step, err.kind(), err.to_string())), verdict)
        }
    };
    let verdict = verdict.and_then(|()| stays(&requests));
    Run { verdict, stopped, requests, calls: told.calls }
}

/// No request goes to where a redirect leads that no client has business with. A manifest may be elsewhere, as those of some registries
/// are: it is read there without a token, which `tests/promises/trust` holds.
fn stays(requests: &[Request]) -> Result<(), String> {
    let of_manifests = |one: &Request| {
        let sent_there = |from: &Request| {
            let is_redirect = from.status.is_some_and(|status| (300..400).contains(&status));
            is_redirect
                && from.service == Service::Registry
                && from.method == one.method
                && from.path.contains("/manifests/")
        };
        matches!(one.method.as_str(), "GET" | "HEAD") && requests.iter().any(sent_there)
    };
    let astray = requests.iter().find(|one| one.service == Service::Unknown && !of_manifests(one));
    astray.map_or(Ok(()), |one| Err(format!("a redirect was followed elsewhere: {} {}", one.method, one.path)))
}

fn compare(end: &str, wanted: &str) -> Result<(), String> {
    if end == wanted { Ok(()) } else { Err(format!("another end than in calm weather: {end}\n  wanted: {wanted}")) }
}

/// A storm takes no right away and deletes nothing: an error may say that something is unavailable, slow or unreadable, and
/// has to say what was being done then.
fn clear(step: &str, err: &Error, stage: &Stage) -> Result<(), String> {
    let is_told = match err.kind() {
        ErrorKind::Unavailable
        | ErrorKind::RateLimited
        | ErrorKind::DeadlineExceeded
        | ErrorKind::Unauthenticated
        | ErrorKind::Unexpected => err.context().next().is_some(),
        // A pull that failed on the nodes is reported as a failed pull.
        ErrorKind::PullFailed => strikes_nodes(stage.seed) && err.pull_failure().is_some(),
        // Or, between two of their tries, as the progress that Kubernetes does not see.
        ErrorKind::OperationFailed => {
            strikes_nodes(stage.seed) && err.context().any(|(name, _)| name == "Kubernetes says")
        }
        // A list that left something out when the plan was made: then nothing is written.
        ErrorKind::Conflict => {
            step.starts_with("apply_") && stage.has_left_out(None) && err.to_string().contains("nothing was written")
        }
        _ => false,
    };
    if is_told {
        Ok(())
    } else {
        Err(format!("{step} failed as {:?}, which is no word for a storm: {err:#}", err.kind()))
    }
}
