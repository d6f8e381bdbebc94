//! The volumes of a pod that hold config maps and secrets. Until all of them are mounted, there is no sandbox and no container begins;
//! only events say why (`WaitForAttachAndMount` in `pkg/kubelet/kubelet.go`, v1.33.3, returns an interrupted wait, which it does not
//! report).

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::super::object::{list, namespace, text};
use super::super::recorder::Happening;
use super::{Api, PodWork};

/// The wait after the first failure, which doubles with each: `pkg/util/goroutinemap/exponentialbackoff` (v1.33.3).
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(122);

/// A volume that is not mounted yet.
#[derive(Debug)]
pub(super) struct Unmounted {
    volume: Value,
    wait: Duration,
    pub(super) due: Instant,
}

impl Unmounted {
    /// The volumes that a pod needs from objects of its namespace.
    pub(super) fn of(pod: &Value, now: Instant) -> Vec<Self> {
        let volumes = list(pod, "/spec/volumes").iter().filter(|volume| !sources(volume).is_empty());
        volumes.map(|volume| Self { volume: volume.clone(), wait: Duration::ZERO, due: now }).collect()
    }

    fn fail(&mut self, now: Instant) {
        self.wait = if self.wait.is_zero() { FIRST_WAIT } else { (self.wait * 2).min(LONGEST_WAIT) };
        self.due = now + self.wait;
    }
}

/// A ConfigMap or Secret of a volume: its resource, the name of the object, and the source itself.
type Source<'a> = (&'static str, &'a str, &'a Value);

fn sources(volume: &Value) -> Vec<Source<'_>> {
    let projected = list(volume, "/projected/sources").iter();
    let direct = [("configmaps", "configMap", "/name"), ("secrets", "secret", "/secretName")];
    let direct = direct.into_iter().filter_map(|(resource, field, name)| {
        let source = volume.get(field)?;
        Some((resource, text(source, name), source))
    });
    let projected = projected.flat_map(|of| {
        let fields = [("configmaps", "configMap"), ("secrets", "secret")];
        fields.into_iter().filter_map(|(resource, field)| {
            let source = of.get(field)?;
            Some((resource, text(source, "/name"), source))
        })
    });
    direct.chain(projected).collect()
}

/// Tries to mount the volumes that are due.
pub(super) fn mount(api: &mut dyn Api, pod: &Value, work: &mut PodWork) {
    let mut left = Vec::new();
    for mut one in std::mem::take(&mut work.unmounted) {
        if one.due > api.now() {
            left.push(one);
        } else if let Some(failure) = failure_of(api, pod, &one.volume) {
            let volume = text(&one.volume, "/name");
            let message = format!("MountVolume.SetUp failed for volume \"{volume}\" : {failure}");
            let (host, reason) = (work.node.as_str(), "FailedMount");
            let message = message.as_str();
            api.record(pod, &Happening { component: "kubelet", host, part: "", warning: true, reason, message });
            one.fail(api.now());
            left.push(one);
        }
    }
    work.unmounted = left;
}

/// Why a volume cannot be mounted; several reasons are written as Go writes a list of errors.
fn failure_of(api: &dyn Api, pod: &Value, volume: &Value) -> Option<String> {
    let mut failures: Vec<String> = Vec::new();
    for failure in sources(volume).into_iter().filter_map(|source| lack(api, namespace(pod), source)) {
        if !failures.contains(&failure) {
            failures.push(failure);
        }
    }
    match failures.len() {
        0 | 1 => failures.pop(),
        _ => Some(format!("[{}]", failures.join(", "))),
    }
}

/// What a source lacks. The texts are those of `pkg/volume/{configmap,secret}` and of the API server (v1.33.3).
fn lack(api: &dyn Api, namespace: &str, (resource, name, source): Source<'_>) -> Option<String> {
    if source["optional"] == true {
        return None;
    }
    let Some(object) = api.object(resource, namespace, name) else {
        return Some(format!("{} \"{name}\" not found", resource.trim_end_matches('s')));
    };
    let has = |key: &str| ["data", "binaryData"].iter().any(|field| object[*field].get(key).is_some());
    let missing = list(source, "/items").iter().map(|item| text(item, "/key")).find(|key| !has(key))?;
    Some(match resource {
        "configmaps" => format!("configmap references non-existent config key: {missing}"),
        _ => format!("references non-existent secret key: {missing}"),
    })
}
