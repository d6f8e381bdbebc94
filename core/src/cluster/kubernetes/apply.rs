//! Server-side apply of objects of any kind.

use super::client::Kubernetes;
use crate::{
    call::{Call, Poll, Polling},
    cluster::{Applied, ApplyOptions, Manifest},
    error::{Error, ErrorKind, Result},
    id::ResourceId,
    kubernetes::{Answer, Created, from_kube, repeated, send, send_write, within_a_try},
    write::{Guard, Write, WriteService},
};
use futures::{FutureExt, StreamExt, future::ready, stream};
use kube::{
    Client, Resource,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::{ApiResource, GroupVersionKind, Request, TypeMeta},
    discovery::{self, Scope},
};
use serde_json::{Map, Value, json};
use std::{
    collections::{HashMap, HashSet},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// The name of our field manager.
pub(super) const FIELD_MANAGER: &str = "aks-acr";
/// How many objects are applied at a time. An API server handles many more; its priority levels share them among its clients.
const AT_ONCE: usize = 8;
/// How long a new kind may take until it is served.
const KIND_APPEARS_WITHIN: Duration = Duration::from_secs(30);

type Kinds = HashMap<GroupVersionKind, (ApiResource, Scope)>;

impl Kubernetes {
    pub async fn apply(
        &self,
        cluster: &ResourceId,
        manifests: &[Manifest],
        options: &ApplyOptions,
        call: &Call,
    ) -> Result<Vec<Applied>> {
        let client = self.client(cluster, call).await?;
        let target = Target { client: &client, cluster, guard: &self.guard };
        let mut kinds = known_kinds(&client, manifests, options, call).await?;
        let mut applied = Vec::with_capacity(manifests.len());
        for batch in batches(manifests) {
            let kind = kind_of(batch[0].1)?;
            if !kinds.contains_key(&kind) {
                let first = batch[0].1;
                let found = find_new_kind(&client, &kind, call).await;
                kinds.insert(kind.clone(), found.map_err(|err| failed(err, first, applied.len()))?);
            }
            let found = kinds.get(&kind).ok_or_else(|| unknown_kind(&kind))?;
            apply_batch(&target, found, &batch, options, call, &mut applied).await?;
        }
        applied.sort_by_key(|(place, _)| *place);
        Ok(applied.into_iter().map(|(_, done)| done).collect())
    }
}

/// The manifests and their places, in the order in which they are applied: what others need comes first. Those of a batch follow each
/// other, are of one built-in kind, and do not have the same name: they do not need each other, and none is applied twice at a time,
/// whether or not its kind has namespaces.
fn batches(manifests: &[Manifest]) -> Vec<Vec<(usize, &Manifest)>> {
    let (first, others): (Vec<_>, Vec<_>) = manifests.iter().enumerate().partition(|(_, manifest)| is_needed(manifest));
    let mut batches: Vec<Vec<(usize, &Manifest)>> = Vec::new();
    let mut names = HashSet::new();
    for (place, manifest) in first.into_iter().chain(others) {
        let is_new = |batch: &&mut Vec<(usize, &Manifest)>| {
            are_independent(batch[0].1, manifest) && !names.contains(manifest.name())
        };
        let batch = batches.last_mut().filter(is_new);
        if let Some(batch) = batch {
            batch.push((place, manifest));
        } else {
            names.clear();
            batches.push(vec![(place, manifest)]);
        }
        names.insert(manifest.name());
    }
    batches
}

/// Custom resources may need others of their kind: a webhook may reject one that names a missing one.
fn are_independent(one: &Manifest, other: &Manifest) -> bool {
    one.is_built_in() && (one.api_version(), one.kind()) == (other.api_version(), other.kind())
}

/// Applies some at a time. After a failure none is started; those that were are waited for, so that what is said of them is true.
async fn apply_batch<'a>(
    target: &Target<'_>,
    kind: &(ApiResource, Scope),
    batch: &[(usize, &'a Manifest)],
    options: &ApplyOptions,
    call: &Call,
    applied: &mut Vec<(usize, Applied)>,
) -> Result<()> {
    let has_failed = &AtomicBool::new(false);
    let one = |(place, manifest): (usize, &'a Manifest)| {
        let work = async move {
            if has_failed.load(Ordering::Relaxed) {
                return None;
            }
            let step = format!("applying {manifest}");
            let done = call.step(&step, apply_one(target, kind, manifest, options, call)).await;
            if done.is_err() {
                has_failed.store(true, Ordering::Relaxed);
            }
            Some((place, manifest, done))
        };
        work.boxed()
    };
    let started: Vec<_> = batch.iter().copied().map(one).collect();
    let mut ended: Vec<_> = stream::iter(started).buffer_unordered(AT_ONCE).filter_map(ready).collect().await;
    ended.sort_by_key(|(place, ..)| *place);
    let mut failures = Vec::new();
    for (place, manifest, done) in ended {
        match done {
            Ok(done) => applied.push((place, done)),
            Err(err) => failures.push((manifest, err)),
        }
    }
    let mut failures = failures.into_iter();
    let Some((first, err)) = failures.next() else { return Ok(()) };
    let err = failures.fold(err, |err, (other, _)| err.with_context("also failed", other.to_string()));
    Err(failed(err, first, applied.len()))
}

fn failed(err: Error, manifest: &Manifest, applied: usize) -> Error {
    err.with_context("object", manifest.to_string()).with_context("already applied", applied.to_string())
}

fn is_needed(manifest: &Manifest) -> bool {
    matches!(
        (manifest.group(), manifest.kind()),
        ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// Looks up all kinds before anything is written, except those that the manifests themselves define. A dry run looks up those
/// too, because it creates no definitions.
async fn known_kinds(client: &Client, manifests: &[Manifest], options: &ApplyOptions, call: &Call) -> Result<Kinds> {
    let mut kinds = Kinds::new();
    let defined: HashSet<_> = manifests.iter().filter(|_| !options.dry_run).filter_map(defined).collect();
    for manifest in manifests {
        let kind = kind_of(manifest)?;
        if kinds.contains_key(&kind) || defined.contains(&(kind.group.as_str(), kind.kind.as_str())) {
            continue;
        }
        let found =
            find_kind(client, &kind, call).await.map_err(|err| err.with_context("object", manifest.to_string()))?;
        kinds.insert(kind, found);
    }
    Ok(kinds)
}

fn kind_of(manifest: &Manifest) -> Result<GroupVersionKind> {
    let types = TypeMeta { api_version: manifest.api_version().to_owned(), kind: manifest.kind().to_owned() };
    GroupVersionKind::try_from(types).map_err(|err| {
        Error::invalid("expected group/version", "apiVersion", manifest.api_version())
            .with_context("object", manifest.to_string())
            .with_source(err)
    })
}

/// The group and the kind that a definition defines.
fn defined(manifest: &Manifest) -> Option<(&str, &str)> {
    let spec = manifest.object().get("spec").filter(|_| manifest.kind() == "CustomResourceDefinition")?;
    Some((spec["group"].as_str()?, spec["names"]["kind"].as_str()?))
}

async fn find_kind(client: &Client, kind: &GroupVersionKind, call: &Call) -> Result<(ApiResource, Scope)> {
    let unknown = |err: kube::Error| match err {
        kube::Error::Discovery(_) => unknown_kind(kind),
        kube::Error::Api(status) if status.code == 404 => unknown_kind(kind),
        err => from_kube(err, "looking up a kind"),
    };
    let step = "looking up a kind";
    let look =
        || call.run(step, within_a_try(step, async { discovery::pinned_kind(client, kind).await.map_err(unknown) }));
    let (resource, capabilities) = repeated(step, call, look).await?;
    Ok((resource, capabilities.scope))
}

fn unknown_kind(kind: &GroupVersionKind) -> Error {
    let (name, version) = (kind.kind.escape_debug(), kind.api_version());
    Error::new(ErrorKind::NotFound, format!("the cluster has no kind '{name}' in apiVersion '{version}'"))
        .with_context("apiVersion", kind.api_version())
        .with_context("kind", kind.kind.clone())
}

async fn find_new_kind(client: &Client, kind: &GroupVersionKind, call: &Call) -> Result<(ApiResource, Scope)> {
    let poll = || async {
        match find_kind(client, kind, call).await {
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(Poll::Failed(err)),
            found => found.map(Poll::Ready),
        }
    };
    let polling = Polling::new("waiting for a new kind").at_most(KIND_APPEARS_WITHIN).quick();
    call.poll_until(polling, poll).await
}

/// Where an object goes, and what may prevent it.
struct Target<'a> {
    client: &'a Client,
    cluster: &'a ResourceId,
    guard: &'a Guard,
}

async fn apply_one(
    target: &Target<'_>,
    (resource, scope): &(ApiResource, Scope),
    manifest: &Manifest,
    options: &ApplyOptions,
    call: &Call,
) -> Result<Applied> {
    let namespace = (*scope == Scope::Namespaced).then(|| manifest.namespace().unwrap_or(&options.namespace));
    let path = DynamicObject::url_path(resource, namespace);
    let body = placed(manifest.object(), namespace);
    let request = Request::new(path).patch(manifest.name(), &parameters(options), &Patch::Apply(&body));
    let step = "applying an object";
    let Answer { is_new, warnings, .. } = if options.dry_run {
        send::<Created>(target.client, request, step, call).await?
    } else {
        let write = |request: &http::Request<Vec<u8>>| as_write(request, target.cluster, manifest, namespace, step);
        send_write(target.client, target.guard, write, request, step, call).await?
    };
    let (kind, name) = (manifest.kind().to_owned(), manifest.name().to_owned());
    Ok(Applied { kind, name, namespace: namespace.map(str::to_owned), is_new, warnings })
}

/// An object may contain a secret in any field: only its name is reported.
fn as_write(
    request: &http::Request<Vec<u8>>,
    cluster: &ResourceId,
    manifest: &Manifest,
    namespace: Option<&str>,
    step: &str,
) -> Write {
    let metadata = json!({ "name": manifest.name(), "namespace": namespace });
    Write {
        service: WriteService::Kubernetes,
        method: request.method().to_string(),
        target: format!("{cluster}{}", request.uri().path()),
        action: None,
        step: step.to_owned(),
        body: Some(json!({ "apiVersion": manifest.api_version(), "kind": manifest.kind(), "metadata": metadata })),
    }
}

fn parameters(options: &ApplyOptions) -> PatchParams {
    PatchParams {
        dry_run: options.dry_run,
        force: options.force,
        field_manager: Some(FIELD_MANAGER.to_owned()),
        field_validation: Some(ValidationDirective::Strict),
    }
}

fn placed(object: &Map<String, Value>, namespace: Option<&str>) -> Value {
    let mut object = Value::Object(object.clone());
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<Vec<usize>> {
        let manifests = Manifest::parse_all(text).unwrap();
        let batches = batches(&manifests);
        batches.iter().map(|batch| batch.iter().map(|(place, _)| *place).collect()).collect()
    }

    fn object(version: &str, kind: &str, name: &str, namespace: &str) -> String {
        format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: {name}, namespace: '{namespace}'}}}}\n---\n")
    }

    #[test]
    fn only_neighbors_of_a_built_in_kind_are_applied_together() {
        let text = [
            object("v1", "ConfigMap", "a", "x"),
            object("v1", "ConfigMap", "b", "x"),
            object("apps/v1", "Deployment", "a", "x"),
            object("v1", "ConfigMap", "c", "x"),
            object("example.com/v1", "Thing", "a", "x"),
            object("example.com/v1", "Thing", "b", "x"),
            object("gateway.networking.k8s.io/v1", "Gateway", "a", "x"),
            object("gateway.networking.k8s.io/v1", "Gateway", "b", "x"),
            object("rbac.authorization.k8s.io/v1", "Role", "a", "x"),
            object("rbac.authorization.k8s.io/v1", "Role", "b", "x"),
            object("v1", "Namespace", "x", ""),
        ];
        assert_eq!(
            places(&text.concat()),
            [vec![10], vec![0, 1], vec![2], vec![3], vec![4], vec![5], vec![6], vec![7], vec![8, 9]]
        );
    }

    #[test]
    fn an_object_that_occurs_twice_is_applied_twice_in_order() {
        let (a, b) = (object("v1", "Secret", "a", "x"), object("v1", "Secret", "b", "x"));
        assert_eq!(places(&[a.clone(), b, a.clone(), a].concat()), [vec![0, 1], vec![2], vec![3]]);
    }

    /// Which namespace it has is not known here, or whether its kind has any.
    #[test]
    fn objects_of_one_name_are_not_applied_together() {
        let text =
            [object("v1", "Secret", "a", "x"), object("v1", "Secret", "a", "y"), object("v1", "Secret", "b", "y")];
        assert_eq!(places(&text.concat()), [vec![0], vec![1, 2]]);
    }
}
