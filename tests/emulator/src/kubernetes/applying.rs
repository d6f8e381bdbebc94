//! Server-side apply, as requests ask for it.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::lifecycle::author;
use super::object::{map, name, text};
use super::refusal::Refusal;
use super::request::{body, without_nulls};
use super::writes::{Call, answer};
use super::{Answer, Kubernetes, apply, go_json, pod_warnings, typed};

impl Kubernetes {
    pub(super) fn apply(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let given = call.query.get("fieldManager");
        if given.is_empty() {
            let message =
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch";
            return Err(options_refused(message));
        }
        if given.len() > 128 {
            let message =
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Too long: may not be more than 128 bytes";
            return Err(options_refused(message));
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
            Err(refusal) if !target.subresource.is_empty() => return Err(refusal),
            Err(_) => {
                let uid = text(&configuration, "/metadata/uid");
                let why =
                    format!("uid mismatch: the provided object specified uid {uid}, and no existing object was found");
                return Err(Refusal::conflict(kind, &target.name, &why));
            }
        };
        let revision = text(&configuration, "/metadata/resourceVersion");
        if before
            .as_ref()
            .is_some_and(|live| !revision.is_empty() && revision != text(live, "/metadata/resourceVersion"))
        {
            return Err(Refusal::changed(kind, &target.name));
        }
        let merged = apply::apply(before.as_ref(), &configuration, &author, call.query.is_set("force"))?;
        if let Some(why) = typed::unconvertible(kind, &merged) {
            let why = if why.starts_with("illegal base64") { format!("error decoding from json: {why}") } else { why };
            let (object, types) = (described(call, &configuration), types(kind));
            return Err(Refusal::internal(format!(
                "failed to convert new object ({object}) to proper version: unable to convert unstructured object to {types}: {why}"
            )));
        }
        let mut warnings = self.pod_security_warnings(kind, &target.namespace, &merged);
        warnings.extend(pod_warnings::of(kind, &merged));
        let Some(before) = before else {
            let made = self.create(kind, &target.namespace, merged, None, call.is_dry_run())?;
            return Ok(answer(201, &made, &warnings));
        };
        let after = self.update(kind, &before, merged, None, &target.subresource, call.is_dry_run())?;
        Ok(answer(200, &after, &warnings))
    }
}

/// The configuration of an apply: whole, for the object of the path, without anything that only a server writes.
fn applicable(call: &Call<'_>) -> Result<Value, Refusal> {
    let (kind, target) = (call.kind, call.target);
    let mut configuration = body(call.request.body())?;
    if !configuration.is_object() && !configuration.is_null() {
        let why = go_json::type_error(&configuration, "map[string]interface {}");
        let reading = "error decoding YAML: error unmarshaling JSON: while decoding JSON";
        return Err(Refusal::bad_request(format!("{reading}: {why}")));
    }
    let (version, named) = (text(&configuration, "/apiVersion"), text(&configuration, "/kind"));
    if version != kind.api_version() || named != kind.kind {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        return Err(Refusal::bad_request(format!("invalid object type: {group}/{version}, Kind={named}")));
    }
    if configuration.pointer("/metadata/managedFields").is_some_and(|fields| !fields.is_null()) {
        return Err(Refusal::bad_request("metadata.managedFields must be nil"));
    }
    if let Some(errors) = typed::mismatches(&typed::of_kind(kind), &configuration) {
        let object = described(call, &configuration);
        return Err(Refusal::internal(format!("failed to create typed patch object ({object}): {errors}")));
    }
    if let Some(why) = typed::generation_error(kind, &configuration) {
        let object = described(call, &configuration);
        return Err(Refusal::internal(format!("failed to convert to unversioned ({object}): {why}")));
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

/// The options of the request are an object too, which has causes but no name.
fn options_refused(message: &str) -> Refusal {
    let (reason, why) = if message.contains("Too long") {
        ("FieldValueTooLong", "Too long: may not be more than 128 bytes")
    } else {
        ("FieldValueRequired", "Required value: is required for apply patch")
    };
    let causes = json!([{"reason": reason, "message": why, "field": "fieldManager"}]);
    Refusal::options(message, json!({"group": "meta.k8s.io", "kind": "PatchOptions", "causes": causes}))
}

/// `apps/v1, Kind=Deployment`.
fn types(kind: &Kind) -> String {
    format!("{}/{}, Kind={}", kind.group, kind.version, kind.kind)
}

/// `default/web; apps/v1, Kind=Deployment`.
fn described(call: &Call<'_>, object: &Value) -> String {
    let (place, name) = (text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    format!("{place}/{name}; {}", types(call.kind))
}
