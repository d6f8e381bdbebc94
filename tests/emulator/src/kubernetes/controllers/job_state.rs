//! What a job's pods amount to, and what its status says of it.

use serde_json::{Value, json};

use super::super::object::{self, is_deleting, is_true, list, map, number, text};
use super::job::TRACKING;
use super::job_index;

/// How a job ended, or is about to.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) success: bool,
    pub(super) reason: String,
    pub(super) message: String,
}

impl Verdict {
    pub(super) fn failure(reason: &str, message: &str) -> Self {
        Self { success: false, reason: reason.to_owned(), message: message.to_owned() }
    }
}

/// The pods of a job, by how far they are.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) active: Vec<Value>,
    /// Finished and counted now.
    pub(super) counted: Vec<Value>,
    /// Deleted because the job ended.
    pub(super) ended: Vec<Value>,
    /// All that failed or succeeded and still exist.
    finished: Vec<Value>,
    pub(super) ready: usize,
    pub(super) terminating: usize,
    succeeded: i64,
    failed: i64,
}

impl Tally {
    pub(super) fn of(job: &Value, pods: Vec<Value>) -> Self {
        let count = |field: &str| number(job, &format!("/status/{field}")).unwrap_or(0);
        let mut tally = Self { succeeded: count("succeeded"), failed: count("failed"), ..Self::default() };
        let only_failed = text(job, "/spec/podReplacementPolicy") == "Failed";
        for pod in pods {
            let phase = text(&pod, "/status/phase");
            let is_terminal = matches!(phase, "Succeeded" | "Failed");
            let is_new = list(&pod, "/metadata/finalizers").iter().any(|held| held == TRACKING);
            // No kubelet ends a pod that has no node: the garbage collector of pods gives it the phase Failed.
            let is_lost = is_deleting(&pod) && text(&pod, "/spec/nodeName").is_empty();
            tally.terminating += usize::from(is_deleting(&pod) && !is_terminal && !is_lost);
            let has_failed =
                phase == "Failed" || (is_deleting(&pod) && phase != "Succeeded" && (is_lost || !only_failed));
            if phase == "Succeeded" || has_failed {
                tally.succeeded += i64::from(is_new && phase == "Succeeded");
                tally.failed += i64::from(is_new && has_failed);
                if is_new {
                    tally.counted.push(pod.clone());
                }
                tally.finished.push(pod);
            } else if !is_deleting(&pod) {
                tally.ready += usize::from(is_true(&pod, "Ready"));
                tally.active.push(pod);
            }
        }
        tally
    }

    /// How many pods there are to be.
    pub(super) fn wanted(&self, job: &Value) -> usize {
        let parallel = number(job, "/spec/parallelism").unwrap_or(1);
        let wanted = match number(job, "/spec/completions") {
            Some(completions) => parallel.min(completions - self.succeeded),
            // Without a number, one success ends the work.
            None if self.succeeded > 0 => self.active.len().try_into().unwrap_or(parallel).min(parallel),
            None => parallel,
        };
        let waiting = if text(job, "/spec/podReplacementPolicy") == "Failed" { self.terminating } else { 0 };
        usize::try_from(wanted).unwrap_or(0).saturating_sub(waiting)
    }

    /// The pod that goes first.
    pub(super) fn take_youngest(&mut self) -> Option<Value> {
        self.active.sort_by_cached_key(|pod| {
            (
                text(pod, "/status/phase") == "Running",
                std::cmp::Reverse(text(pod, "/metadata/creationTimestamp").to_owned()),
            )
        });
        if self.active.is_empty() { None } else { Some(self.active.remove(0)) }
    }

    /// Failures since the last success, and when the last of them was.
    pub(super) fn failures_in_a_row(&self, job: &Value) -> Option<(u32, String)> {
        let ends = |phase: &str| -> Vec<String> {
            self.finished.iter().filter(|pod| text(pod, "/status/phase") == phase).map(finished_at).collect()
        };
        let success = ends("Succeeded").into_iter().max().unwrap_or_default();
        let since = text(job, "/status/startTime");
        let failures: Vec<_> = ends("Failed").into_iter().filter(|at| *at > success && at.as_str() >= since).collect();
        Some((u32::try_from(failures.len()).ok()?, failures.into_iter().max()?))
    }

    pub(super) fn completed(&self, job: &Value) -> Option<Verdict> {
        let complete = match number(job, "/spec/completions") {
            Some(completions) => self.succeeded >= completions,
            None => self.succeeded > 0 && self.active.is_empty(),
        };
        let (reason, message) = ("CompletionsReached", "Reached expected number of succeeded pods");
        complete.then(|| Verdict { success: true, reason: reason.to_owned(), message: message.to_owned() })
    }

    /// What a failed job deletes has failed too.
    pub(super) fn count_all_as_failed(&mut self, fails: bool) {
        if fails {
            let is_new = |pod: &&Value| list(pod, "/metadata/finalizers").iter().any(|held| held == TRACKING);
            self.failed += i64::try_from(self.ended.iter().filter(is_new).count()).unwrap_or(0);
        }
    }

    pub(super) fn write(&self, job: &mut Value) {
        let indexes = job_index::completed(job, &self.finished);
        let status = map(job, &["status"]);
        let active = i64::try_from(self.active.len()).unwrap_or(0);
        for (field, count) in [("active", active), ("succeeded", self.succeeded), ("failed", self.failed)] {
            if count > 0 {
                status.insert(field.to_owned(), json!(count));
            } else {
                status.remove(field);
            }
        }
        status.insert("ready".to_owned(), json!(self.ready));
        status.insert("terminating".to_owned(), json!(self.terminating));
        status.insert("uncountedTerminatedPods".to_owned(), json!({}));
        if let Some(indexes) = indexes {
            status.insert("completedIndexes".to_owned(), json!(indexes));
        }
    }
}

/// What its status or its failures say of a job's end.
pub(super) fn verdict(job: &Value, tally: &Tally) -> Option<Verdict> {
    for (kind, success) in [("FailureTarget", false), ("SuccessCriteriaMet", true)] {
        if let Some(known) = object::condition(job, kind) {
            let part = |field: &str| text(known, field).to_owned();
            return Some(Verdict { success, reason: part("/reason"), message: part("/message") });
        }
    }
    let limit = number(job, "/spec/backoffLimit").unwrap_or(6);
    let has_failed = tally.failed > limit || restarted_too_often(job, tally, limit);
    has_failed.then(|| Verdict::failure("BackoffLimitExceeded", "Job has reached the specified backoff limit"))
}

fn restarted_too_often(job: &Value, tally: &Tally, limit: i64) -> bool {
    if text(job, "/spec/template/spec/restartPolicy") != "OnFailure" {
        return false;
    }
    let of_pod = |pod: &Value| -> i64 {
        ["/status/initContainerStatuses", "/status/containerStatuses"]
            .iter()
            .flat_map(|containers| list(pod, containers))
            .filter_map(|container| number(container, "/restartCount"))
            .sum()
    };
    let restarts: i64 = tally.active.iter().map(of_pod).sum();
    restarts > 0 && restarts >= limit
}

/// Notes the end that is near and, once no pod is left, the end.
pub(super) fn finish(job: &mut Value, verdict: &Verdict, now: &str, is_over: bool) {
    let (near, end) = if verdict.success { ("SuccessCriteriaMet", "Complete") } else { ("FailureTarget", "Failed") };
    let why = (verdict.reason.as_str(), verdict.message.as_str());
    set_condition(job, near, "True", why, now);
    if is_over {
        set_condition(job, end, "True", why, now);
        if verdict.success {
            map(job, &["status"]).insert("completionTime".to_owned(), json!(now));
        }
    }
}

pub(super) fn set_condition(job: &mut Value, kind: &str, status: &str, (reason, message): (&str, &str), now: &str) {
    if object::condition(job, kind).is_some_and(|known| known["status"] == status) {
        return;
    }
    let condition = json!({"type": kind, "status": status, "reason": reason, "message": message,
        "lastProbeTime": now, "lastTransitionTime": now});
    let conditions = map(job, &["status"]).entry("conditions").or_insert_with(|| json!([]));
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.retain(|one| one["type"] != kind);
        conditions.push(condition);
    }
}

pub(super) fn is_finished(job: &Value) -> bool {
    is_true(job, "Complete") || is_true(job, "Failed")
}

pub(super) fn is_suspended(job: &Value) -> bool {
    job["spec"]["suspend"] == true
}

fn finished_at(pod: &Value) -> String {
    let ends = list(pod, "/status/containerStatuses").iter().map(|one| text(one, "/state/terminated/finishedAt"));
    let last = ends.max().filter(|end| !end.is_empty());
    let deleted = text(pod, "/metadata/deletionTimestamp");
    last.unwrap_or(if deleted.is_empty() { text(pod, "/metadata/creationTimestamp") } else { deleted }).to_owned()
}
