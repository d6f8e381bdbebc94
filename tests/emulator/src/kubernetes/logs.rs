//! What a container has written. No program runs, so this is only that it was started.

use bytes::Bytes;
use http::Response;
use serde_json::Value;

use super::Kubernetes;
use super::kinds::Kind;
use super::object::{list, name, text};
use super::refusal::Refusal;
use super::request::{Query, Target};

impl Kubernetes {
    /// `GET …/pods/{name}/log`. A client that follows gets what exists; nothing more ever follows.
    pub(super) fn logs(&self, kind: &Kind, target: &Target, query: &Query) -> Result<Response<Bytes>, Refusal> {
        of_pod(&self.found(kind, target)?, query)
    }
}

/// What a container of a pod has written.
pub(super) fn of_pod(pod: &Value, query: &Query) -> Result<Response<Bytes>, Refusal> {
    let container = chosen(pod, query.get("container"))?;
    let bytes = written(pod, &container, query).map_err(Refusal::bad_request)?;
    let mut response = Response::new(Bytes::from(bytes));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/plain"));
    Ok(response)
}

/// The container that is meant: the one that is named, or the only one.
fn chosen(pod: &Value, named: &str) -> Result<String, Refusal> {
    let of = |pointer| list(pod, pointer).iter().map(|one| text(one, "/name").to_owned()).collect::<Vec<_>>();
    let (containers, init) = (of("/spec/containers"), of("/spec/initContainers"));
    if !named.is_empty() {
        let known = containers.iter().chain(&init).any(|one| one == named);
        let missing = || Refusal::bad_request(format!("container {named} is not valid for pod {}", name(pod)));
        return known.then(|| named.to_owned()).ok_or_else(missing);
    }
    if let [only] = &containers[..] {
        return Ok(only.clone());
    }
    let also =
        if init.is_empty() { String::new() } else { format!(" or one of the init containers: [{}]", init.join(" ")) };
    Err(Refusal::bad_request(format!(
        "a container name must be specified for pod {}, choose one of: [{}]{also}",
        name(pod),
        containers.join(" ")
    )))
}

/// The lines that are asked for, or why there are none.
fn written(pod: &Value, container: &str, query: &Query) -> Result<Vec<u8>, String> {
    let statuses = list(pod, "/status/containerStatuses").iter().chain(list(pod, "/status/initContainerStatuses"));
    let Some(status) = statuses.into_iter().find(|status| text(status, "/name") == container) else {
        return Err(format!("container \"{container}\" in pod \"{}\" is not available", name(pod)));
    };
    if query.is_set("previous") {
        return Err(format!("previous terminated container \"{container}\" in pod \"{}\" not found", name(pod)));
    }
    let has_crashed = |state: &str| status[state]["terminated"]["exitCode"] == 255;
    if has_crashed("state") || has_crashed("lastState") {
        return Ok(b"exec /run: exec format error\n".to_vec());
    }
    let waits = text(status, "/state/waiting/reason");
    if !waits.is_empty() {
        let why = match waits {
            "ErrImagePull" => "image can't be pulled",
            "ImagePullBackOff" => "trying and failing to pull image",
            other => other,
        };
        return Err(format!("container \"{container}\" in pod \"{}\" is waiting to start: {why}", name(pod)));
    }
    let started = ["/state/running/startedAt", "/state/terminated/startedAt"].map(|place| text(status, place));
    let started = started.into_iter().find(|time| !time.is_empty()).unwrap_or_default();
    let mut line = format!("{container}: started from {}\n", text(status, "/imageID"));
    if query.is_set("timestamps") {
        line = format!("{started} {line}");
    }
    if query.get("tailLines") == "0" {
        line.clear();
    }
    let mut bytes = line.into_bytes();
    if let Ok(limit) = query.get("limitBytes").parse() {
        bytes.truncate(limit);
    }
    Ok(bytes)
}
