//! The pods of a rollout: how many are ready, and what blocks the others. A change of one pod costs the same however many there are.

use super::{
    blocker::{Obstacle, obstacle_of},
    preparing::is_preparing,
};
use crate::{
    cluster::{Pod, RolloutBlocker},
    http::{Kept, TooLarge, weight_of},
    stored_time,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

/// Which pods belong to the newest template of a workload. Labels alone do not decide it: selectors may overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Belonging {
    /// The UID of the object that created them. Without a UID, no pod belongs to it.
    pub owner: Option<String>,
    /// A label that only the newest have.
    pub label: Option<(&'static str, String)>,
}

impl Belonging {
    fn has(&self, pod: &Pod, facts: &Facts) -> bool {
        let is_newest =
            |(name, value): &(&str, String)| pod.labels.iter().any(|(key, have)| key == name && have == value);
        facts.owner.is_some() && facts.owner == self.owner && self.label.as_ref().is_none_or(is_newest)
    }
}

/// What a rollout reads of a pod in addition to a [`Pod`].
pub(super) struct Facts {
    owner: Option<String>,
    pub created: Option<SystemTime>,
    pub obstacle: Option<Obstacle>,
    /// Whether only events can say why it does not start.
    pub is_preparing: bool,
}

impl Facts {
    pub fn of(pod: &Value) -> Self {
        Self {
            owner: controller(pod).map(str::to_owned),
            created: pod["metadata"]["creationTimestamp"].as_str().and_then(stored_time::parse),
            obstacle: obstacle_of(pod),
            is_preparing: is_preparing(pod),
        }
    }

    /// The bytes of its strings.
    pub fn weight(&self) -> usize {
        let obstacle = self.obstacle.as_ref().map_or(0, |(_, reason, message)| reason.len() + message.len());
        obstacle + self.owner.as_ref().map_or(0, String::len)
    }

    fn blocker(self, pod: &Pod) -> Option<RolloutBlocker> {
        if let Some(failure) = &pod.pull_failure {
            return Some(RolloutBlocker::of_pull(failure.clone()));
        }
        let (kind, reason, message) = self.obstacle?;
        Some(RolloutBlocker::new(kind, format!("Pod/{}", pod.name), reason, message))
    }
}

/// The UID of the controller that owns an object.
pub(in super::super) fn controller(object: &Value) -> Option<&str> {
    let owners = object["metadata"]["ownerReferences"].as_array()?;
    owners.iter().find(|owner| owner["controller"] == true)?["uid"].as_str()
}

struct Member {
    is_ready: bool,
    blocker: Option<RolloutBlocker>,
    weight: usize,
}

#[derive(Default)]
pub(super) struct Members {
    belonging: Belonging,
    pods: BTreeMap<String, Member>,
    /// The names of blocked pods, by the rank of what blocks them.
    blocked: BTreeSet<(u8, String)>,
    ready: u32,
    kept: Kept,
}

impl Members {
    pub fn new(belonging: Belonging) -> Self {
        Self { belonging, ..Self::default() }
    }

    pub fn has(&self, pod: &Pod, facts: &Facts) -> bool {
        self.belonging.has(pod, facts)
    }

    /// Takes why a pod does not start, which its status does not say.
    pub fn explain(&mut self, name: &str, (kind, reason, message): &Obstacle) -> Result<(), TooLarge> {
        let Some(member) = self.pods.get_mut(name) else { return Ok(()) };
        let blocker = RolloutBlocker::new(*kind, format!("Pod/{name}"), reason, message);
        if let Some(before) = member.blocker.take() {
            self.blocked.remove(&(before.rank(), name.to_owned()));
            self.kept.remove(weight_of_blocker(&before));
            member.weight -= weight_of_blocker(&before);
        }
        let weight = weight_of_blocker(&blocker);
        self.kept.add(weight)?;
        member.weight += weight;
        self.blocked.insert((blocker.rank(), name.to_owned()));
        member.blocker = Some(blocker);
        Ok(())
    }

    /// Takes a pod, if it belongs to the rollout; returns whether it does.
    pub fn put(&mut self, pod: &Pod, facts: Facts) -> Result<bool, TooLarge> {
        self.remove(&pod.name);
        if !self.belonging.has(pod, &facts) {
            return Ok(false);
        }
        // What a pod waited for does not matter once it is being deleted.
        let is_ending = pod.status == "Terminating";
        let blocker = facts.blocker(pod).filter(|_| !is_ending);
        let is_ready = pod.is_ready && pod.status == "Running";
        let weight = size_of::<Member>() + 2 * pod.name.len() + blocker.as_ref().map_or(0, weight_of_blocker);
        self.kept.add(weight)?;
        self.ready += u32::from(is_ready);
        if let Some(blocker) = &blocker {
            self.blocked.insert((blocker.rank(), pod.name.clone()));
        }
        self.pods.insert(pod.name.clone(), Member { is_ready, blocker, weight });
        Ok(true)
    }

    pub fn remove(&mut self, name: &str) {
        let Some(member) = self.pods.remove(name) else { return };
        self.kept.remove(member.weight);
        self.ready -= u32::from(member.is_ready);
        if let Some(blocker) = member.blocker {
            self.blocked.remove(&(blocker.rank(), name.to_owned()));
        }
    }

    pub const fn ready(&self) -> u32 {
        self.ready
    }

    /// The first blocked pod of each rank.
    pub fn blockers(&self) -> Vec<RolloutBlocker> {
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some((rank, name)) = self.blocked.range((from, String::new())..).next() {
            found.extend(self.pods.get(name).and_then(|member| member.blocker.clone()));
            from = rank + 1;
        }
        found
    }
}

fn weight_of_blocker(blocker: &RolloutBlocker) -> usize {
    let texts = blocker.object.len() + blocker.reason.len() + blocker.message.len();
    texts + blocker.pull.as_ref().map_or(0, weight_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{RolloutBlockerKind, pods::read_pod};
    use serde_json::json;

    fn put(members: &mut Members, object: &Value) {
        members.put(&read_pod(object), Facts::of(object)).unwrap();
    }

    fn pod(name: &str, owner: &str, state: &Value) -> Value {
        let is_ready = state.get("running").is_some();
        json!({
            "metadata": { "name": name, "labels": { "hash": "h" }, "ownerReferences": [{ "controller": true, "uid": owner }] },
            "status": {
                "phase": "Running",
                "conditions": [{ "type": "Ready", "status": if is_ready { "True" } else { "False" } }],
                "containerStatuses": [{ "name": "c", "ready": is_ready, "state": state }],
            },
        })
    }

    fn running(name: &str, owner: &str) -> Value {
        pod(name, owner, &json!({ "running": {} }))
    }

    fn waiting(name: &str, reason: &str, message: &str) -> Value {
        pod(name, "u", &json!({ "waiting": { "reason": reason, "message": message } }))
    }

    fn members(label: Option<(&'static str, String)>) -> Members {
        Members::new(Belonging { owner: Some("u".to_owned()), label })
    }

    #[test]
    fn pods_of_another_owner_or_template_do_not_count() {
        let mut all = members(None);
        put(&mut all, &running("a", "u"));
        put(&mut all, &running("b", "other"));
        put(&mut all, &json!({ "metadata": { "name": "alone" } }));
        assert_eq!(all.ready(), 1);
        let mut newest = members(Some(("hash", "new".to_owned())));
        put(&mut newest, &running("a", "u"));
        assert_eq!(newest.ready(), 0);
        let mut none = Members::default();
        put(&mut none, &running("a", "u"));
        assert_eq!(none.ready(), 0);
    }

    #[test]
    fn each_change_of_a_pod_counts_once() {
        let mut all = members(None);
        for _ in 0..3 {
            put(&mut all, &running("a", "u"));
            put(&mut all, &waiting("b", "ErrImagePull", "a:1: not found"));
        }
        assert_eq!((all.ready(), all.blockers().len()), (1, 1));
        put(&mut all, &waiting("a", "CrashLoopBackOff", "back-off"));
        put(&mut all, &running("b", "u"));
        assert_eq!((all.ready(), all.blockers()[0].kind), (1, RolloutBlockerKind::CrashLoop));
        all.remove("a");
        all.remove("b");
        all.remove("b");
        assert_eq!((all.ready(), all.blockers().len()), (0, 0));
    }

    #[test]
    fn the_blockers_are_the_first_of_each_rank_and_the_worst_come_first() {
        let mut all = members(None);
        for index in 0..100 {
            put(&mut all, &waiting(&format!("throttled-{index:02}"), "ErrImagePull", "429 Too Many Requests"));
            put(&mut all, &waiting(&format!("absent-{index:02}"), "ErrImagePull", "a:1: not found"));
        }
        let objects: Vec<String> = all.blockers().into_iter().map(|blocker| blocker.object).collect();
        assert_eq!(objects, ["Pod/absent-00", "Pod/throttled-00"]);
    }

    #[test]
    fn a_pod_that_is_being_deleted_blocks_nothing() {
        let mut all = members(None);
        let mut ending = waiting("a", "ErrImagePull", "a:1: not found");
        ending["metadata"]["deletionTimestamp"] = json!("2026-11-28T00:00:00Z");
        put(&mut all, &ending);
        assert!(all.blockers().is_empty());
    }
}
