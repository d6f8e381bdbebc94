//! How a run ended: the emulator's whole dump and the files, and in what two ends may differ.

use crate::{line::Way, scene::Scene};
use aks_acr_emulator::{From, Request};
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    collections::BTreeSet,
    fs,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// How long after its start a run is examined: nothing is running any longer, and the same time has passed in each run.
const REST: Duration = Duration::from_secs(15 * 60);

/// A part of an end that may differ.
struct Allowed {
    /// How the names of its cases begin; empty for all.
    cases: &'static str,
    /// The only way of being cut that brings it about, if there is one.
    way: Option<Way>,
    /// A path through the end, in which `*` is any one step; for a write, a part of its line.
    place: &'static str,
    #[expect(dead_code, reason = "for who reads the list")]
    why: &'static str,
}

const fn always(place: &'static str, why: &'static str) -> Allowed {
    Allowed { cases: "", way: None, place, why }
}

const fn of(cases: &'static str, place: &'static str, why: &'static str) -> Allowed {
    Allowed { cases, way: None, place, why }
}

const fn if_lost(place: &'static str, why: &'static str) -> Allowed {
    Allowed { cases: "", way: Some(Way::ConnectionLost), place, why }
}

/// Where two ends may differ. Times may, anywhere.
const STATE: &[Allowed] = &[
    always("clusters.*.etag", "chance"),
    always("clusters.*.resource.eTag", "chance"),
    always("files.*.token", "chance: each emulator has keys of its own"),
    of("apply: nothing of it", "clusters.*.objects.*.metadata.resourceVersion", "how much happened before"),
    of("apply: nothing of it", "clusters.*.objects.*.involvedObject.resourceVersion", "how much happened before"),
    of("apply: nothing of it", "clusters.*.objects.*.metadata.uid", "how much happened before"),
    of("apply: nothing of it", "clusters.*.objects.*.metadata.name", "chance: an event's, which is not its key"),
    of("apply: nothing of it", "clusters.*.objects.*.spec.clusterIP", "the next address that is free"),
    of("apply: nothing of it", "clusters.*.objects.*.spec.clusterIPs", "the next address that is free"),
    of("prove_pull:", "clusters.*.objects.*.status.images", "the scheduler chooses the node that pulls"),
    of("prove_pull:", "clusters.*.objects.*.metadata.resourceVersion", "how much happened before"),
];

/// Writes that may have an effect more often than in the uncut run: a second time they have no effect, or a harmless one.
const WRITES: &[Allowed] = &[
    of("apply:", "PATCH dev-", "a server-side apply of what is there changes nothing"),
    of("prove_pull:", "/jobs/aks-acr-pull-", "each call proves anew, and deletes its Job"),
    of("apply_pull_secret:", "/secrets/ghcr", "a server-side apply of what is there changes nothing"),
    always("/register", "who registers a provider twice has registered it"),
    always(
        "/importimage",
        "what Azure copies cannot be seen: a second copy is of the same digest, or ends at the tag that is there",
    ),
    if_lost("/roleassignments/", "sent again, it makes or removes the one assignment of that name"),
    if_lost(
        "/userassignedidentities/kubelet",
        "a second deletion of what is gone has no effect, and is answered with 204",
    ),
    if_lost("registries/another", "sent again, it has the same body"),
    Allowed {
        cases: "apply_mode_change:",
        way: Some(Way::ConnectionLost),
        place: "PATCH management.",
        why: "sent again, it sets the mode that the registry has",
    },
    Allowed {
        cases: "update_registry:",
        way: Some(Way::ConnectionLost),
        place: "PATCH management.",
        why: "sent again, it sets what the registry has",
    },
];

static NEEDED: [AtomicBool; STATE.len()] = [const { AtomicBool::new(false) }; STATE.len()];
static NEEDED_WRITES: [AtomicBool; WRITES.len()] = [const { AtomicBool::new(false) }; WRITES.len()];

/// The rows of the two lists above that nothing needed.
pub fn idle() -> Vec<&'static str> {
    let all = STATE.iter().zip(&NEEDED).chain(WRITES.iter().zip(&NEEDED_WRITES));
    all.filter(|(_, needed)| !needed.load(Ordering::Relaxed)).map(|(row, _)| row.place).collect()
}

/// The run that an end is of.
#[derive(Clone, Copy, Debug)]
pub struct Of<'a> {
    /// The case's name.
    pub case: &'a str,
    /// `None`: it was not cut.
    pub way: Option<Way>,
}

impl Allowed {
    fn is_for(&self, run: Of<'_>) -> bool {
        run.case.starts_with(self.cases) && (self.way.is_none() || self.way == run.way)
    }
}

/// What there is when all is at rest, and what was written on the way.
#[derive(Debug)]
pub struct End {
    state: Value,
    writes: BTreeMap<String, usize>,
}

impl End {
    pub async fn of(scene: &Scene) -> Self {
        assert!(scene.since.elapsed() < REST, "it takes longer than it is waited for");
        tokio::time::sleep_until(scene.since + REST).await;
        let mut state = scene.azure.dump();
        assert_eq!(state["underWay"], 0, "it is looked at too early");
        state["files"] = files(scene);
        put_in_order(&mut state);
        let mut writes = BTreeMap::new();
        for write in scene.azure.requests_since(scene.begun).iter().filter(|one| had_effect(one)) {
            *writes.entry(format!("{} {}{}", write.method, write.host, write.path.to_lowercase())).or_insert(0) += 1;
        }
        Self { state, writes }
    }

    /// The files at this end.
    pub fn files(&self) -> &Value {
        &self.state["files"]
    }

    /// Says where this end of a run differs from the one that is wanted.
    pub fn differences(&self, wanted: &Self, run: Of<'_>) -> Vec<String> {
        let mut found = Vec::new();
        differences(&wanted.state, &self.state, "", &mut |place, wanted, is| {
            let row = STATE.iter().position(|row| row.is_for(run) && is_at(row.place, place));
            match row {
                Some(row) => NEEDED[row].store(true, Ordering::Relaxed),
                None => found.push(format!("{place}: wanted {wanted}, is {is}")),
            }
        });
        for (write, times) in &self.writes {
            let once = wanted.writes.get(write).copied().unwrap_or_default();
            if *times <= once {
                continue;
            }
            match WRITES.iter().position(|row| row.is_for(run) && write.contains(row.place)) {
                Some(row) => NEEDED_WRITES[row].store(true, Ordering::Relaxed),
                None => found.push(format!("{write}: {times} times instead of {once}")),
            }
        }
        found
    }
}

fn had_effect(request: &Request) -> bool {
    let is_done = request.status.is_some_and(|status| (200..300).contains(&status));
    request.from == From::Client && request.is_write() && is_done
}

/// Each file's lines and mode; a token beside them.
pub fn files(scene: &Scene) -> Value {
    let mut files = Map::new();
    for entry in fs::read_dir(scene.folder.path()).expect("a folder").map(|entry| entry.expect("an entry")) {
        let text = fs::read_to_string(entry.path()).expect("a text");
        let (tokens, lines): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.trim().starts_with("token: "));
        let shown = json!({ "mode": mode(&entry.path()), "lines": lines, "token": tokens });
        files.insert(entry.file_name().to_string_lossy().into_owned(), shown);
    }
    Value::Object(files)
}

#[cfg(unix)]
fn mode(file: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).expect("a file").permissions().mode()
}

#[cfg(not(unix))]
fn mode(_: &std::path::Path) -> u32 {
    0
}

/// Grants, identities and principals by their ids, and objects under what they are called: an event, whose name is chance, by what it
/// is about.
fn put_in_order(state: &mut Value) {
    if let Some(grants) = state["roleAssignments"].as_array_mut() {
        grants.sort_by_key(|one| one["resource"]["id"].to_string());
    }
    // Two that are created at once come in any order.
    for (list, key) in [("identities", "id"), ("principals", "objectId")] {
        if let Some(all) = state[list].as_array_mut() {
            all.sort_by_key(|one| one[key].to_string());
        }
    }
    for cluster in state["clusters"].as_array_mut().into_iter().flatten() {
        let mut objects = Map::new();
        let found: Vec<Value> = cluster["objects"].as_array_mut().into_iter().flatten().map(Value::take).collect();
        let uids: BTreeSet<String> =
            found.iter().filter_map(|one| one["object"]["metadata"]["uid"].as_str().map(str::to_owned)).collect();
        // What is said of objects that are gone is no part of the end: one may have been created twice.
        let is_left = |one: &Value| {
            one["resource"] != "events"
                || one["object"]["involvedObject"]["uid"].as_str().is_some_and(|uid| uids.contains(uid))
        };
        for one in found.iter().filter(|one| is_left(one)) {
            let (kind, object) = (one["resource"].as_str().unwrap_or_default(), &one["object"]);
            let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let name = match kind {
                "events" => format!("{} {} {}", text("/involvedObject/name"), text("/reason"), text("/message")),
                _ => format!("{} {}", text("/metadata/namespace"), text("/metadata/name")),
            };
            let known = objects.insert(format!("{kind} {}", name.replace('/', " ")), object.clone());
            assert!(known.is_none(), "two of {kind} {name}");
        }
        cluster["objects"] = Value::Object(objects);
        // They are among those.
        (cluster["deployments"], cluster["pods"]) = (Value::Null, Value::Null);
    }
}

/// Whether a place is at a path or below it.
fn is_at(pattern: &str, place: &str) -> bool {
    let mut steps = place.split('/');
    pattern.split('.').all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step))
}

/// Reports each place at which two values differ, except for times.
fn differences(wanted: &Value, is: &Value, place: &str, tell: &mut dyn FnMut(&str, &Value, &Value)) {
    let inside = |step: &str| if place.is_empty() { step.to_owned() } else { format!("{place}/{step}") };
    match (wanted, is) {
        _ if wanted == is || (is_time(wanted) && is_time(is)) => {}
        (Value::Object(one), Value::Object(other)) => {
            let more = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(more) {
                let [one, other] = [one, other].map(|map| map.get(key).unwrap_or(&Value::Null));
                differences(one, other, &inside(key), tell);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                differences(one, other, &inside(&number.to_string()), tell);
            }
        }
        _ => tell(place, wanted, is),
    }
}

/// RFC 3339, with or without parts of a second.
pub fn is_time(value: &Value) -> bool {
    let bytes = value.as_str().unwrap_or_default().as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[13] == b':' && bytes[0].is_ascii_digit()
}
