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
use kube::{
    Client, Resource,
    api::{DynamicObject, Patch, PatchParams, ValidationDirective},
    core::{ApiResource, GroupVersionKind, Request, TypeMeta},
    discovery::{self, Scope},
};
use serde_json::{Map, Value, json};
use std::{collections::HashMap, time::Duration};

/// The name of our field manager.
const FIELD_MANAGER: &str = "aks-acr";
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
        let mut kinds = known_kinds(&client, manifests, options, call).await?;
        let mut applied = Vec::with_capacity(manifests.len());
        for (place, manifest) in in_order(manifests) {
            let target = Target { client: &client, cluster, guard: &self.guard };
            let step = format!("applying {manifest}");
            let done = call.step(&step, apply_one(&target, &mut kinds, manifest, options, call)).await;
            let done = done.map_err(|err| {
                err.with_context("object", manifest.to_string())
                    .with_context("applied before it", applied.len().to_string())
            })?;
            applied.push((place, done));
        }
        applied.sort_by_key(|(place, _)| *place);
        Ok(applied.into_iter().map(|(_, done)| done).collect())
    }
}

/// The manifests and their places, in the order in which they are applied: what others need comes first.
fn in_order(manifests: &[Manifest]) -> impl Iterator<Item = (usize, &Manifest)> {
    let (first, others): (Vec<_>, Vec<_>) = manifests.iter().enumerate().partition(|(_, manifest)| is_needed(manifest));
    first.into_iter().chain(others)
}

fn is_needed(manifest: &Manifest) -> bool {
    let group = manifest.api_version().split_once('/').map_or("", |(group, _)| group);
    matches!((group, manifest.kind()), ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition"))
}

/// Looks up all kinds before anything is written, except those that the manifests themselves define: a dry run defines none.
async fn known_kinds(client: &Client, manifests: &[Manifest], options: &ApplyOptions, call: &Call) -> Result<Kinds> {
    let mut kinds = Kinds::new();
    for manifest in manifests {
        let kind = kind_of(manifest)?;
        if kinds.contains_key(&kind) || (!options.dry_run && manifests.iter().any(|other| defines(other, &kind))) {
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

fn defines(manifest: &Manifest, kind: &GroupVersionKind) -> bool {
    let spec = manifest.object().get("spec").unwrap_or(&Value::Null);
    manifest.kind() == "CustomResourceDefinition"
        && spec["group"] == kind.group.as_str()
        && spec["names"]["kind"] == kind.kind.as_str()
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
    kinds: &mut Kinds,
    manifest: &Manifest,
    options: &ApplyOptions,
    call: &Call,
) -> Result<Applied> {
    let kind = kind_of(manifest)?;
    if !kinds.contains_key(&kind) {
        let found = find_new_kind(target.client, &kind, call).await?;
        kinds.insert(kind.clone(), found);
    }
    let (resource, scope) = kinds.get(&kind).ok_or_else(|| unknown_kind(&kind))?;
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
