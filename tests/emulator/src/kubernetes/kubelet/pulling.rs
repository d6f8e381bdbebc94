//! The steps of a container: pull, wait, start.

use serde_json::Value;

use super::super::object::{list, namespace, text};
use super::super::recorder::Happening;
use super::container::Phase;
use super::ending::{end_container, restart_container};
use super::program::Program;
use super::{Api, PodWork, STEP, SYNC, record_of_pod};
use crate::cluster::account_pulls::ANNOTATION;
use crate::node::{Image, Kubelet, Network, PullSecret, credentials_for};

/// Begins with a container: it needs its image first.
pub(super) fn begin(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize) {
    let container = &work.containers[index];
    let text = container.image.clone();
    let image = match Image::parse(&text) {
        Ok(image) => image,
        Err(error) => {
            let message =
                format!("Failed to apply default image tag \"{text}\": couldn't parse image name \"{text}\": {error}");
            return stick(api, pod, work, index, "InvalidImageName", "InspectFailed", message);
        }
    };
    let secrets = pull_secrets(api, pod, &image);
    let (node, kubelet) = (api.workers().worker(&work.node).map(|worker| &worker.node), kubelet_of(api, work));
    let present = node.and_then(|node| node.present(&image, &secrets)).map(|digest| image.with_digest(digest));
    match (container.policy.as_str(), present) {
        ("IfNotPresent" | "Never", Some(id)) => {
            let message = kubelet.present(&text);
            record_of_pod(api, pod, work, &work.containers[index], (false, "Pulled", &message));
            let container = &mut work.containers[index];
            container.image_id = id;
            container.phase = Phase::Starting;
        }
        ("Never", None) => {
            let message = format!("Container image \"{text}\" is not present with pull policy of Never");
            return stick(api, pod, work, index, "ErrImageNeverPull", "ErrImageNeverPull", message);
        }
        _ => begin_pull(api, pod, work, index),
    }
    work.containers[index].due = Some(api.now() + STEP);
}

/// The kubelet of a pod's node.
fn kubelet_of(api: &dyn Api, work: &PodWork) -> Kubelet {
    api.workers().worker(&work.node).map_or_else(|| Kubelet::of(&api.workers().version), |worker| worker.node.kubelet)
}

fn begin_pull(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize) {
    report_missing_secrets(api, pod, work);
    let message = format!("Pulling image \"{}\"", work.containers[index].image);
    record_of_pod(api, pod, work, &work.containers[index], (false, "Pulling", &message));
    work.containers[index].phase = Phase::Pulling;
}

fn stick(
    api: &mut dyn Api,
    pod: &Value,
    work: &mut PodWork,
    index: usize,
    reason: &'static str,
    event: &str,
    message: String,
) {
    record_of_pod(api, pod, work, &work.containers[index], (true, event, &message));
    record_of_pod(api, pod, work, &work.containers[index], (true, "Failed", &format!("Error: {reason}")));
    let container = &mut work.containers[index];
    container.phase = Phase::Stuck(reason, message);
    container.due = Some(api.now() + SYNC);
}

/// What is due for a container.
pub(super) fn step(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize, network: &mut dyn Network) {
    let now = api.now();
    let container = &mut work.containers[index];
    match container.phase.clone() {
        Phase::Pulling => finish_pull(api, pod, work, index, network),
        Phase::Failed => back_off(api, pod, work, index),
        Phase::BackOff if container.backs_off(now) => back_off(api, pod, work, index),
        Phase::BackOff => {
            begin_pull(api, pod, work, index);
            work.containers[index].due = Some(now + STEP);
        }
        Phase::Starting => start(api, pod, work, index),
        Phase::Running(since) => end_container(api, work, index, since),
        Phase::Ended(..) | Phase::NotStarted(..) | Phase::CrashLoop => restart_container(api, pod, work, index),
        Phase::Stuck(..) => begin(api, pod, work, index),
        Phase::Waiting => container.due = None,
    }
}

/// Waits before the next pull, and says so each time that kubelet looks after the pod.
fn back_off(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize) {
    let container = &mut work.containers[index];
    container.phase = Phase::BackOff;
    container.due = container.retry_at.map(|at| at.min(api.now() + SYNC));
    let message = format!("Back-off pulling image \"{}\"", container.image);
    record_of_pod(api, pod, work, &work.containers[index], (false, "BackOff", &message));
    record_of_pod(api, pod, work, &work.containers[index], (true, "Failed", "Error: ImagePullBackOff"));
}

fn finish_pull(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize, network: &mut dyn Network) {
    let text = work.containers[index].image.clone();
    let now = api.now();
    let result = Image::parse(&text).and_then(|image| {
        let secrets = pull_secrets(api, pod, &image);
        let annotated = account_annotation(api, pod);
        let worker = api.workers_mut().worker_mut(&work.node);
        let node = &mut worker.ok_or_else(|| format!("node {} is gone", work.node))?.node;
        let digest = node.pull_for(annotated.as_deref(), &image, secrets, now, network)?;
        Ok((image.with_digest(&digest), node.size(&image)))
    });
    work.containers[index].due = Some(now + STEP);
    match result {
        Ok((id, size)) => {
            let container = &mut work.containers[index];
            container.image_id = id;
            container.cause = None;
            container.phase = Phase::Starting;
            let message =
                format!("Successfully pulled image \"{text}\" in 1s (1s including waiting). Image size: {size} bytes.");
            record_of_pod(api, pod, work, &work.containers[index], (false, "Pulled", &message));
            if let Some(images) = api.workers().worker(&work.node).map(|worker| worker.node.listed()) {
                api.write_images(&work.node, images);
            }
        }
        Err(cause) => {
            let message = format!("Failed to pull image \"{text}\": {cause}");
            work.containers[index].fail(cause, now);
            record_of_pod(api, pod, work, &work.containers[index], (true, "Failed", &message));
            record_of_pod(api, pod, work, &work.containers[index], (true, "Failed", "Error: ErrImagePull"));
        }
    }
}

/// Each time that kubelet works on a pod, it looks its secrets up and goes on without those that it does not find:
/// `getPullSecretsForPod` in [kubelet_pods.go](https://github.com/kubernetes/kubernetes/blob/v1.33.3/pkg/kubelet/kubelet_pods.go#L1006).
fn report_missing_secrets(api: &mut dyn Api, pod: &Value, work: &PodWork) {
    let names = list(pod, "/spec/imagePullSecrets").iter().map(|secret| text(secret, "/name"));
    let names = names.filter(|name| !name.is_empty() && api.object("secrets", namespace(pod), name).is_none());
    let missing = names.collect::<Vec<_>>().join(", ");
    if missing.is_empty() {
        return;
    }
    let message = format!(
        "Unable to retrieve some image pull secrets ({missing}); attempting to pull the image may not succeed."
    );
    let (host, reason, message) = (work.node.as_str(), "FailedToRetrieveImagePullSecret", message.as_str());
    api.record(pod, &Happening { component: "kubelet", host, part: "", warning: true, reason, message });
}

/// The identity that the pod's service account names.
fn account_annotation(api: &dyn Api, pod: &Value) -> Option<String> {
    let account = api.object("serviceaccounts", namespace(pod), text(pod, "/spec/serviceAccountName"))?;
    account["metadata"]["annotations"][ANNOTATION].as_str().map(str::to_owned)
}

fn pull_secrets(api: &dyn Api, pod: &Value, image: &Image) -> Vec<PullSecret> {
    let names = list(pod, "/spec/imagePullSecrets").iter().map(|secret| text(secret, "/name"));
    let secrets = names.filter_map(|name| api.object("secrets", namespace(pod), name));
    credentials_for(image, &secrets.collect::<Vec<_>>())
}

fn start(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize) {
    let (name, kubelet) = (work.containers[index].name.clone(), kubelet_of(api, work));
    record_of_pod(api, pod, work, &work.containers[index], (false, "Created", &kubelet.created(&name)));
    if let Some(program) = work.containers[index].missing_program.clone() {
        return refuse_start(api, pod, work, index, &program);
    }
    record_of_pod(api, pod, work, &work.containers[index], (false, "Started", &kubelet.started(&name)));
    let image = Image::parse(&work.containers[index].image);
    let runs =
        image.is_ok_and(|image| api.workers().worker(&work.node).is_some_and(|worker| worker.node.can_run(&image)));
    let container = &mut work.containers[index];
    container.run = if runs { container.program } else { Program::FOREIGN };
    container.phase = Phase::Running(api.time());
    container.due = (container.ends || !runs).then(|| api.now() + container.run.runs);
}

/// The runtime does not find the program. The text is that of runc 1.1 under containerd 2.
fn refuse_start(api: &mut dyn Api, pod: &Value, work: &mut PodWork, index: usize, program: &str) {
    let message = format!(
        "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
         unable to start container process: exec: \"{program}\": stat {program}: no such file or directory: unknown"
    );
    record_of_pod(api, pod, work, &work.containers[index], (true, "Failed", &format!("Error: {message}")));
    let (now, until) = (api.now(), api.time());
    let container = &mut work.containers[index];
    container.phase = Phase::NotStarted(until, message);
    container.due = container.is_restarted().then_some(now + STEP);
}
