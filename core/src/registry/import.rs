//! The import operation of a registry: one request, then polls of a link until it is done.

use super::{Registry, import_failure, lookup::API};
use crate::{
    action::IMPORT,
    call::Call,
    error::{Error, ErrorKind, Result},
    http::{Arm, ArmRequest, CORRELATION_ID, Operation, Progressed},
    id::ResourceId,
    image::{Digest, ImageReference},
};
use azure_core::{credentials::Secret, http::Method};
use backon::{BackoffBuilder, ExponentialBuilder};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, time::Duration};

const STEP: &str = "importing the image";
const TRIES: usize = 20;

/// An import: the source and its names in the target registry.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportRequest {
    /// The source image. Its digest is imported, if it has one; otherwise its tag.
    pub source: ImageReference,
    /// The source registry, if it is an Azure registry that the caller can name.
    /// Otherwise the image is pulled anonymously.
    pub source_registry: Option<ResourceId>,
    /// Credentials for the source; only without `source_registry`.
    pub credentials: Option<ImportCredentials>,
    /// The targets, each `repository:tag`.
    pub targets: Vec<String>,
    /// Repositories in the target registry that get the image without a tag.
    pub untagged: Vec<String>,
    /// Whether to move an existing tag.
    /// If not, one existing tag fails the whole import before anything is copied.
    pub replace: bool,
}

impl ImportRequest {
    /// An import of one image to one tag, which must not exist.
    #[must_use]
    pub fn new(source: ImageReference, target: impl Into<String>) -> Self {
        Self {
            source,
            source_registry: None,
            credentials: None,
            targets: vec![target.into()],
            untagged: Vec::new(),
            replace: false,
        }
    }
}

/// The credentials with which Azure pulls the source of an import. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImportCredentials {
    /// The user name; left out if the password is a token for the registry.
    pub username: Option<String>,
    /// The password or the token.
    pub password: Secret,
}

impl ImportCredentials {
    /// A user name and password, for example for Docker Hub, or those of a registry's admin user or of a service principal.
    #[must_use]
    pub fn user(username: impl Into<String>, password: Secret) -> Self {
        Self { username: Some(username.into()), password }
    }

    /// An Entra ID token for the source, which must be an Azure registry.
    #[must_use]
    pub fn token(token: Secret) -> Self {
        Self { username: None, password: token }
    }
}

/// A handle to a running import. It can be stored and polled later, even by another process.
///
/// It contains a link that Azure has signed: anyone with the link can follow the import, so keep it secret. Printing or logging the
/// handle does not show the link.
///
/// The stored form has a version. A version that this library does not know is rejected; a handle without a version counts as
/// version 1.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct ImportHandle {
    version: u32,
    /// The target registry.
    pub registry: ResourceId,
    /// `repository:tag` of each target, or only the repository if it has no tag.
    pub targets: Vec<String>,
    /// `x-ms-correlation-request-id` of the request that started it, for Azure's activity log.
    pub correlation_id: Option<String>,
    link: String,
    /// Distinguishes a target that another import of the same image has created from a tag of another image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arriving: Option<ExpectedImage>,
    #[serde(skip)]
    wait: Option<Duration>,
}

/// The format version of a stored handle.
const VERSION: u32 = 1;

/// A stored handle, before its version is checked.
#[derive(Deserialize)]
#[serde(transparent)]
struct Stored(Value);

impl TryFrom<Stored> for ImportHandle {
    type Error = Error;

    fn try_from(Stored(stored): Stored) -> Result<Self> {
        #[derive(Deserialize)]
        struct First {
            registry: ResourceId,
            targets: Vec<String>,
            correlation_id: Option<String>,
            link: String,
            arriving: Option<ExpectedImage>,
        }
        match stored.get("version") {
            None => {}
            Some(version) if *version == VERSION => {}
            Some(version) => {
                let text = "the import handle has an unknown format version";
                return Err(Error::invalid(text, "version", version.to_string()));
            }
        }
        // The reader's own words may quote what was stored, and with it the link.
        let first = serde_json::from_value::<First>(stored);
        let first = first.map_err(|_| Error::new(ErrorKind::InvalidInput, "invalid import handle"))?;
        Ok(Self {
            version: VERSION,
            registry: first.registry,
            targets: first.targets,
            correlation_id: first.correlation_id,
            link: first.link,
            arriving: first.arriving,
            wait: None,
        })
    }
}

/// The image that an import creates.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpectedImage {
    pub images: Vec<ImageReference>,
    pub digest: Digest,
}

impl ImportHandle {
    /// Creates a handle for your own implementation, with the link that it polls.
    #[must_use]
    pub fn new(registry: ResourceId, targets: Vec<String>, link: impl Into<String>) -> Self {
        let link = link.into();
        Self { version: VERSION, registry, targets, correlation_id: None, link, arriving: None, wait: None }
    }

    /// How long Azure asked the caller to wait before the next poll, if it did.
    #[must_use]
    pub fn asked_wait(&self) -> Option<Duration> {
        self.wait
    }
}

impl fmt::Debug for ImportHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportHandle")
            .field("registry", &self.registry)
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

/// The state of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImportStatus {
    /// The import is running. The states of its tags are passed on as Azure reports them.
    Running {
        /// `repository:tag` and its state.
        tags: BTreeMap<String, String>,
    },
    /// Everything is copied.
    Succeeded,
}

pub(super) async fn start(
    arm: &Arm,
    registry: &Registry,
    request: &ImportRequest,
    call: &Call,
) -> Result<ImportHandle> {
    // What was throttled was not accepted, so it may be sent again; nothing else may.
    let waits = ExponentialBuilder::default().with_min_delay(Duration::from_secs(2)).with_max_times(TRIES).build();
    let is_throttled = |err: &Error| err.status() == Some(429);
    let sent = call.retry(STEP, waits, is_throttled, || arm.send(post_import(registry, request), call)).await;
    let answer = sent.map_err(import_failure::explain)?;
    let operation = Operation::begun_by(arm, &answer, STEP)?;
    let operation = operation.ok_or_else(|| {
        Error::new(ErrorKind::Unexpected, "Azure accepted the import but returned no link to poll it")
            .with_context("HTTP status", answer.status.to_string())
    })?;
    Ok(ImportHandle {
        version: VERSION,
        registry: registry.id.clone(),
        targets: request.targets.iter().chain(&request.untagged).cloned().collect(),
        correlation_id: answer.header(CORRELATION_ID).map(str::to_owned),
        link: operation.link().to_owned(),
        arriving: None,
        wait: operation.asked_wait(),
    })
}

pub(super) async fn poll(arm: &Arm, handle: &mut ImportHandle, call: &Call) -> Result<ImportStatus> {
    let mut operation = Operation::resume(arm, &handle.link, STEP)?.begun_with(handle.correlation_id.clone());
    let (progressed, answer) = operation.poll(arm, call).await.map_err(import_failure::explain_end)?;
    operation.link().clone_into(&mut handle.link);
    handle.wait = operation.asked_wait();
    Ok(match progressed {
        Progressed::Done => ImportStatus::Succeeded,
        Progressed::Running(_) => ImportStatus::Running { tags: read_tags(&answer.body, &handle.targets) },
    })
}

/// The body has the targets as keys, next to `status`.
fn read_tags(body: &[u8], targets: &[String]) -> BTreeMap<String, String> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let state = |target: &String| Some((target.clone(), body.get(target)?.as_str()?.to_owned()));
    targets.iter().filter_map(state).collect()
}

/// See [Import image](https://learn.microsoft.com/rest/api/container-registry/registries/import-image). It is sent once: sending an
/// accepted import again reports that its tag exists.
fn post_import(registry: &Registry, request: &ImportRequest) -> ArmRequest {
    let from = &request.source;
    let version = match (from.digest().map(Digest::as_str), from.tag()) {
        (Some(digest), _) => format!("@{digest}"),
        (None, tag) => format!(":{}", tag.unwrap_or("latest")),
    };
    let mut source = json!({ "sourceImage": format!("{}{version}", from.repository()) });
    match &request.source_registry {
        Some(id) => source["resourceId"] = json!(id),
        None => source["registryUri"] = json!(from.registry()),
    }
    if let Some(credentials) = request.credentials.as_ref().filter(|_| request.source_registry.is_none()) {
        source["credentials"] = json!({ "password": credentials.password.secret() });
        if let Some(username) = &credentials.username {
            source["credentials"]["username"] = json!(username);
        }
    }
    let mut body = json!({ "source": source, "mode": if request.replace { "Force" } else { "NoForce" } });
    // An empty list is left out: Azure would then use the source's name.
    for (name, list) in [("targetTags", &request.targets), ("untaggedTargetRepositories", &request.untagged)] {
        if !list.is_empty() {
            body[name] = json!(list);
        }
    }
    ArmRequest::new(Method::Post, format!("{}/importImage", registry.id), API)
        .body(body)
        .step(STEP)
        .needs(IMPORT, registry.id.as_str())
        .once()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handle() -> ImportHandle {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g/providers/\
                  Microsoft.ContainerRegistry/registries/myreg";
        ImportHandle::new(id.parse().unwrap(), vec!["app:v1".to_owned()], "https://management.azure.com/x?s=hush")
    }

    #[test]
    fn a_stored_handle_has_a_version_and_another_one_is_refused() {
        let stored = serde_json::to_value(handle()).unwrap();
        assert_eq!(stored["version"], 1);
        assert!(serde_json::from_value::<ImportHandle>(stored.clone()).unwrap() == handle());
        for other in [json!(2), json!(0), json!(-1), json!("1"), json!(null), json!(1.5), json!({})] {
            let mut odd = stored.clone();
            odd["version"] = other.clone();
            let text = serde_json::from_value::<ImportHandle>(odd).unwrap_err().to_string();
            assert!(text.contains("an unknown format version") && !text.contains("hush"), "{other}: {text}");
        }
        // A later format may have entirely different fields, but always a version.
        let text = serde_json::from_value::<ImportHandle>(json!({"links": [], "version": 2})).unwrap_err().to_string();
        assert!(text.contains("version: 2"), "{text}");
    }

    #[test]
    fn a_handle_without_a_version_is_accepted() {
        let mut stored = serde_json::to_value(handle()).unwrap();
        stored.as_object_mut().unwrap().remove("version");
        assert!(serde_json::from_value::<ImportHandle>(stored.clone()).unwrap() == handle());
        stored["targets"] = json!("app:v1 hush");
        let text = serde_json::from_value::<ImportHandle>(stored).unwrap_err().to_string();
        assert!(text.contains("invalid import handle") && !text.contains("hush"), "{text}");
        assert!(serde_json::from_value::<ImportHandle>(json!([1])).is_err());
    }

    #[test]
    fn the_states_of_tags_are_read_as_far_as_they_are_texts() {
        let targets = ["a:1".to_owned(), "b:1".to_owned(), "c:1".to_owned()];
        let read = |body: &str| read_tags(body.as_bytes(), &targets);
        assert_eq!(read(r#"{"a:1":"Pending","b:1":5,"status":"Accepted"}"#).len(), 1);
        for odd in ["", "null", "[]", "\"text\"", "{"] {
            assert!(read(odd).is_empty(), "{odd}");
        }
    }
}
