//! Server-side apply, as requests ask for it.

use serde_json::{Value, json};

use super::lifecycle::author;
use super::object::{map, name, text};
use super::refusal::Refusal;
use super::request::{body, without_nulls};
use super::writes::{Call, answer};
use super::{Answer, Kubernetes, apply, strict};

impl Kubernetes {
    pub(super) fn apply(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let given = call.query.get("fieldManager");
        if given.is_empty() {
            let message =
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
            return Err(Refusal::bad_request(message));
        }
        let (kind, target) = (call.kind, call.target);
        let configuration = applicable(call)?;
        let (api_version, time) = (kind.api_version(), self.clock.text(self.now));
        let author = author(kind, given, "Apply", &target.subresource, &api_version, &time);
        let before = match self.found(kind, target) {
            Ok(before) => Some(before),
            Err(refusal) if target.subresource.is_empty() && text(&configuration, "/metadata/uid").is_empty() => {
                drop(refusal);
                None
            }
            Err(refusal) => return Err(refusal),
        };
        let merged = apply::apply(before.as_ref(), &configuration, &author, call.query.is_set("force"))?;
        let Some(before) = before else {
            let made = self.create(kind, &target.namespace, merged, None, call.is_dry_run())?;
            return Ok(answer(201, &made, &[]));
        };
        let after = self.update(kind, &before, merged, None, &target.subresource, call.is_dry_run())?;
        Ok(answer(200, &after, &[]))
    }
}

/// The configuration of an apply: whole, for the object of the path, without anything that only a server writes.
fn applicable(call: &Call<'_>) -> Result<Value, Refusal> {
    let (kind, target) = (call.kind, call.target);
    let mut configuration = body(call.request.body())?;
    for field in ["apiVersion", "kind"] {
        if text(&configuration, &format!("/{field}")).is_empty() {
            return Err(Refusal::bad_request(format!("Object '{field}' is missing in the applied configuration")));
        }
    }
    if let Some(error) = strict::type_error(kind, &configuration) {
        let message = format!(
            "failed to create typed patch object ({}/{}; {}, Kind={}): {error}",
            target.namespace,
            target.name,
            kind.api_version(),
            kind.kind
        );
        return Err(Refusal::bad_request(message));
    }
    let unknown = strict::prune(kind, &mut configuration);
    if !unknown.is_empty() {
        let errors: Vec<_> = unknown.iter().map(|path| format!(".{path}: field not declared in schema")).collect();
        let message = format!(
            "failed to create typed patch object ({}/{}; {}, Kind={}): {}",
            target.namespace,
            target.name,
            kind.api_version(),
            kind.kind,
            errors.join("\n")
        );
        return Err(Refusal::bad_request(message));
    }
    if configuration.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    let given = name(&configuration).to_owned();
    if !given.is_empty() && given != target.name {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({})", target.name);
        return Err(Refusal::bad_request(message));
    }
    if kind.status && target.subresource != "status" {
        map(&mut configuration, &[]).remove("status");
    }
    without_nulls(&mut configuration);
    map(&mut configuration, &["metadata"]).insert("name".to_owned(), json!(target.name));
    Ok(configuration)
}
