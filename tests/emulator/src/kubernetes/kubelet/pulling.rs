//! The steps of a container: pull, wait, start.

use serde_json::Value;

use super::super::Kubernetes;
use super::super::object::{list, namespace, text};
use super::super::store::Key;
use super::container::Phase;
use super::{PodWork, STEP};
use crate::node::{Credential, Image, Network, credentials_for};

impl Kubernetes {
    /// Begins with a container: it needs its image first.
    pub(super) fn begin(&mut self, pod: &Value, work: &mut PodWork, index: usize) {
        let container = &work.containers[index];
        let text = container.image.clone();
        let image = match Image::parse(&text) {
            Ok(image) => image,
            Err(error) => {
                let message = format!(
                    "Failed to apply default image tag \"{text}\": couldn't parse image name \"{text}\": {error}"
                );
                return self.stick(pod, work, index, "InvalidImageName", "InspectFailed", message);
            }
        };
        let present = self.workers[work.node].node.present(&image).map(|digest| image.with_digest(digest));
        match (container.policy.as_str(), present) {
            ("IfNotPresent" | "Never", Some(id)) => {
                let message = format!("Container image \"{text}\" already present on machine");
                self.tell(pod, work, &work.containers[index], (false, "Pulled", &message));
                let container = &mut work.containers[index];
                container.image_id = id;
                container.phase = Phase::Starting;
            }
            ("Never", None) => {
                let message = format!("Container image \"{text}\" is not present with pull policy of Never");
                return self.stick(pod, work, index, "ErrImageNeverPull", "ErrImageNeverPull", message);
            }
            _ => self.begin_pull(pod, work, index),
        }
        work.containers[index].due = Some(self.now + STEP);
    }

    fn begin_pull(&mut self, pod: &Value, work: &mut PodWork, index: usize) {
        let message = format!("Pulling image \"{}\"", work.containers[index].image);
        self.tell(pod, work, &work.containers[index], (false, "Pulling", &message));
        work.containers[index].phase = Phase::Pulling;
    }

    fn stick(
        &mut self,
        pod: &Value,
        work: &mut PodWork,
        index: usize,
        reason: &'static str,
        event: &str,
        message: String,
    ) {
        self.tell(pod, work, &work.containers[index], (true, event, &message));
        self.tell(pod, work, &work.containers[index], (true, "Failed", &format!("Error: {reason}")));
        let container = &mut work.containers[index];
        container.phase = Phase::Stuck(reason, message);
        container.due = None;
    }

    /// What is due for a container.
    pub(super) fn step(&mut self, pod: &Value, work: &mut PodWork, index: usize, network: &mut dyn Network) {
        let now = self.now;
        let container = &mut work.containers[index];
        match container.phase.clone() {
            Phase::Pulling => self.finish_pull(pod, work, index, network),
            Phase::Failed => {
                container.phase = Phase::BackOff;
                container.due = container.retry_at;
                let message = format!("Back-off pulling image \"{}\"", container.image);
                self.tell(pod, work, &work.containers[index], (false, "BackOff", &message));
                self.tell(pod, work, &work.containers[index], (true, "Failed", "Error: ImagePullBackOff"));
            }
            Phase::BackOff => {
                self.begin_pull(pod, work, index);
                work.containers[index].due = Some(now + STEP);
            }
            Phase::Starting => self.start(pod, work, index),
            Phase::Running(since) => {
                container.phase = Phase::Completed(since, self.clock.text(now));
                container.due = None;
            }
            Phase::Waiting | Phase::Stuck(..) | Phase::Completed(..) => container.due = None,
        }
    }

    fn finish_pull(&mut self, pod: &Value, work: &mut PodWork, index: usize, network: &mut dyn Network) {
        let text = work.containers[index].image.clone();
        let now = self.now;
        let result = Image::parse(&text).and_then(|image| {
            let secrets = self.pull_secrets(pod, &image);
            let digest = self.workers[work.node].node.pull(&image, secrets, now, network)?;
            Ok(image.with_digest(&digest))
        });
        work.containers[index].due = Some(now + STEP);
        match result {
            Ok(id) => {
                let container = &mut work.containers[index];
                container.image_id = id;
                container.cause = None;
                container.phase = Phase::Starting;
                let message = format!("Successfully pulled image \"{text}\" in 1s (1s including waiting)");
                self.tell(pod, work, &work.containers[index], (false, "Pulled", &message));
            }
            Err(cause) => {
                let message = format!("Failed to pull image \"{text}\": {cause}");
                work.containers[index].fail(cause, now);
                self.tell(pod, work, &work.containers[index], (true, "Failed", &message));
                self.tell(pod, work, &work.containers[index], (true, "Failed", "Error: ErrImagePull"));
            }
        }
    }

    fn pull_secrets(&self, pod: &Value, image: &Image) -> Vec<Credential> {
        let names = list(pod, "/spec/imagePullSecrets").iter().map(|secret| text(secret, "/name"));
        let secrets = names.filter_map(|name| self.store.get(&Key::new("secrets", namespace(pod), name)));
        secrets.flat_map(|secret| credentials_for(image, secret)).collect()
    }

    fn start(&mut self, pod: &Value, work: &mut PodWork, index: usize) {
        let name = work.containers[index].name.clone();
        self.tell(pod, work, &work.containers[index], (false, "Created", &format!("Created container: {name}")));
        self.tell(pod, work, &work.containers[index], (false, "Started", &format!("Started container {name}")));
        let container = &mut work.containers[index];
        container.phase = Phase::Running(self.clock.text(self.now));
        // Servers run for ever; init containers do their work and end.
        container.due = (container.init && !container.sidecar).then_some(self.now + STEP);
    }
}
