//! Jobs: pods that run to their end, as many as wanted, within limits of failures and of time.
//!
//! Policies for single failures and for single indexes are not emulated.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::Kubernetes;
use super::super::deletion::Deletion;
use super::super::object::{
    self, is_controlled_by, is_deleting, is_true, map, name, namespace, number, template_metadata, text, uid,
};
use super::super::recorder::Happening;
use super::MANAGER;
use super::job_index;
use super::job_state::{Tally, Verdict, finish, is_finished, is_suspended, set_condition, verdict};

/// Held by a pod until it is counted.
pub(super) const TRACKING: &str = "batch.kubernetes.io/job-tracking";

const COMPONENT: &str = "job-controller";

impl Kubernetes {
    pub(in super::super) fn sync_jobs(&mut self) {
        for job in self.snapshot("jobs.batch") {
            if is_finished(&job) {
                self.expire(&job);
            } else {
                self.sync_job(&job);
            }
        }
        self.release_pods_without_job();
    }

    fn sync_job(&mut self, before: &Value) {
        let mut job = before.clone();
        let now = self.clock.text(self.now);
        if !is_suspended(&job) {
            object::default_to(map(&mut job, &["status"]), "startTime", json!(now));
        }
        let mut tally = Tally::of(&job, self.pods_of_job(&job));
        let mut verdict = verdict(&job, &tally).or_else(|| self.overdue(&job));
        if verdict.is_some() {
            self.end_pods(&mut tally);
        } else if !is_deleting(&job) {
            self.manage_pods(&job, &mut tally);
            verdict = tally.completed(&job);
            if verdict.is_none() {
                self.report_suspension(&mut job, &now);
            }
        }
        let fails = verdict.as_ref().is_some_and(|verdict| !verdict.success);
        tally.count_all_as_failed(fails);
        tally.write(&mut job);
        if let Some(verdict) = verdict.filter(|_| !is_deleting(before)) {
            finish(&mut job, &verdict, &now, tally.terminating == 0);
            self.report_end(&job, &verdict);
        }
        self.release_pods(&tally, is_finished(&job) || fails || is_deleting(before));
        self.change_as(MANAGER, "jobs", "status", before, job);
    }

    fn pods_of_job(&self, job: &Value) -> Vec<Value> {
        self.store.list("pods", namespace(job)).filter(|pod| is_controlled_by(pod, job)).cloned().collect()
    }

    /// Whether the job has run for too long; if not, it is looked at again when it has.
    fn overdue(&mut self, job: &Value) -> Option<Verdict> {
        let seconds = number(job, "/spec/activeDeadlineSeconds").filter(|_| !is_suspended(job))?;
        let then = self.clock.instant(text(job, "/status/startTime"))? + Duration::from_secs(seconds.unsigned_abs());
        self.wake(then);
        (then <= self.now)
            .then(|| Verdict::failure("DeadlineExceeded", "Job was active longer than specified deadline"))
    }

    /// Starts as many pods as are missing, and deletes those too many.
    fn manage_pods(&mut self, job: &Value, tally: &mut Tally) {
        let wanted = if is_suspended(job) { 0 } else { tally.wanted(job) };
        while tally.active.len() > wanted {
            let Some(pod) = tally.take_youngest() else { return };
            self.delete_uncounted(job, &pod);
            tally.terminating += usize::from(self.store.get(&object::key("pods", &pod)).is_some());
        }
        let missing = wanted.saturating_sub(tally.active.len());
        if missing == 0 || self.has_to_wait(job, tally) {
            return;
        }
        for index in job_index::missing(job, tally, missing) {
            match self.make_job_pod(job, index) {
                Some(pod) => tally.active.push(pod),
                None => return,
            }
        }
    }

    /// After a failure the next pod waits: 10 seconds, then twice as long each time, ten minutes at most.
    fn has_to_wait(&mut self, job: &Value, tally: &Tally) -> bool {
        let Some((failures, last)) = tally.failures_in_a_row(job) else { return false };
        let seconds = 10_u64.saturating_mul(1 << (failures - 1).min(6)).min(600);
        let then = self.clock.instant(&last).map(|last| last + Duration::from_secs(seconds));
        let Some(then) = then.filter(|then| *then > self.now) else { return false };
        self.wake(then);
        true
    }

    fn make_job_pod(&mut self, job: &Value, index: Option<i64>) -> Option<Value> {
        let mut pod = job["spec"]["template"].clone();
        let metadata = template_metadata(&mut pod);
        metadata.insert("generateName".to_owned(), json!(format!("{}-", name(job))));
        metadata.insert("ownerReferences".to_owned(), object::owner_reference("batch/v1", "Job", job));
        object::add_finalizer(&mut pod, TRACKING);
        if let Some(index) = index {
            job_index::mark(job, &mut pod, index);
        }
        let prefix = text(&pod, "/metadata/generateName").to_owned();
        match self.write_as(MANAGER, "pods", namespace(job), pod) {
            Ok(pod) => {
                self.record_of_job(job, false, "SuccessfulCreate", &format!("Created pod: {}", name(&pod)));
                Some(pod)
            }
            Err(refusal) => {
                let message = format!("Error creating: {}", text(&refusal.body(), "/message"));
                self.record_failed_create(job, COMPONENT, &prefix, &message);
                None
            }
        }
    }

    /// Deletes a pod that is not to count as a failure.
    fn delete_uncounted(&mut self, job: &Value, pod: &Value) {
        self.release(pod);
        self.delete_pod(pod);
        self.record_of_job(job, false, "SuccessfulDelete", &format!("Deleted pod: {}", name(pod)));
    }

    /// Deletes what still runs of a job that has ended.
    fn end_pods(&mut self, tally: &mut Tally) {
        for pod in std::mem::take(&mut tally.active) {
            self.delete_pod(&pod);
            tally.ended.push(pod);
        }
        tally.ready = 0;
        let remains = |pod: &&Value| self.workers.work.contains_key(uid(pod));
        tally.terminating += tally.ended.iter().filter(remains).count();
    }

    fn delete_pod(&mut self, pod: &Value) {
        if let Ok(kind) = self.kind("pods").cloned() {
            // One that is gone by itself is as good as deleted.
            let _ = self.delete(&kind, &object::key("pods", pod), &Deletion::default());
        }
    }

    fn report_suspension(&mut self, job: &mut Value, now: &str) {
        let known = object::condition(job, "Suspended").map(|known| known["status"] == "True");
        match (is_suspended(job), known) {
            (true, None | Some(false)) => {
                set_condition(job, "Suspended", "True", ("JobSuspended", "Job suspended"), now);
                self.record_of_job(job, false, "Suspended", "Job suspended");
            }
            (false, Some(true)) => {
                set_condition(job, "Suspended", "False", ("JobResumed", "Job resumed"), now);
                // The deadline counts from here.
                map(job, &["status"]).insert("startTime".to_owned(), json!(now));
                self.record_of_job(job, false, "Resumed", "Job resumed");
            }
            _ => {}
        }
    }

    fn report_end(&mut self, job: &Value, verdict: &Verdict) {
        if !is_finished(job) {
            return;
        }
        if verdict.success {
            self.record_of_job(job, false, "Completed", "Job completed");
        } else {
            self.record_of_job(job, true, &verdict.reason, &verdict.message);
        }
    }

    /// Counted pods need not be held any longer.
    fn release_pods(&mut self, tally: &Tally, all: bool) {
        let rest = tally.active.iter().filter(|_| all);
        for pod in tally.counted.iter().chain(&tally.ended).chain(rest) {
            self.release(pod);
        }
    }

    /// Pods whose job was deleted are not counted.
    fn release_pods_without_job(&mut self) {
        let jobs: Vec<String> = self.store.list("jobs.batch", "").map(|job| uid(job).to_owned()).collect();
        let has_job = |pod: &Value| {
            object::controller(pod).is_some_and(|owner| jobs.iter().any(|job| job == text(owner, "/uid")))
        };
        for pod in self.snapshot("pods").iter().filter(|pod| !has_job(pod)) {
            self.release(pod);
        }
    }

    fn release(&mut self, pod: &Value) {
        let Some(before) = self.store.get(&object::key("pods", pod)).cloned() else { return };
        if let Some(after) = object::without_finalizer(&before, TRACKING) {
            self.change_as(MANAGER, "pods", "", &before, after);
        }
    }

    /// Deletes a job that ended long enough ago, if it says how long that is.
    fn expire(&mut self, job: &Value) {
        let Some(seconds) = number(job, "/spec/ttlSecondsAfterFinished").filter(|_| !is_deleting(job)) else { return };
        let ends =
            ["Complete", "Failed"].iter().find_map(|kind| object::condition(job, kind).filter(|_| is_true(job, kind)));
        let Some(end) = ends.and_then(|end| self.clock.instant(text(end, "/lastTransitionTime"))) else { return };
        let then = end + Duration::from_secs(seconds.unsigned_abs());
        self.wake(then);
        if let (true, Ok(kind)) = (then <= self.now, self.kind("jobs").cloned()) {
            let foreground = Deletion { propagation: "Foreground".to_owned(), ..Deletion::default() };
            // One that is gone by itself is as good as deleted.
            let _ = self.delete(&kind, &object::key("jobs.batch", job), &foreground);
        }
    }

    fn record_of_job(&mut self, job: &Value, warning: bool, reason: &str, message: &str) {
        self.record(job, &Happening { component: COMPONENT, host: "", part: "", warning, reason, message });
    }
}
