//! Creating, replacing, patching and deleting, as requests ask for it.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::decoding::decode_error;
use super::deletion::Deletion;
use super::kinds::Kind;
use super::lifecycle::author;
use super::object::{map, name, namespace, text, uid};
use super::options::DeleteOptions;
use super::patch::Unmerged;
use super::policy::Attempt;
use super::refusal::{Refusal, json_response, warn};
use super::request::{Query, Target, body, content_type, manager};
use super::store::Key;
use super::typed::{plain as go_plain, restore_error};
use super::{Answer, Kubernetes, go_json, patch, pod_warnings, scale};

const PATCHES: &str = "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml";

/// A request and what it is about.
pub(super) struct Call<'a> {
    pub(super) request: &'a Request<Bytes>,
    pub(super) query: &'a Query,
    pub(super) kind: &'a Kind,
    pub(super) target: &'a Target,
}

impl Call<'_> {
    pub(super) fn is_dry_run(&self) -> bool {
        self.query.get("dryRun") == "All"
    }
}

pub(super) fn answer(code: u16, object: &Value, warnings: &[String]) -> Answer {
    let mut response: Response<Bytes> = json_response(code, object);
    warn(&mut response, warnings);
    Answer::Whole(response)
}

impl Kubernetes {
    pub(super) fn post(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (object, warnings) = call.object()?;
        self.post_object(call, object, &warnings).map_err(|refusal| refusal.with_warnings(&warnings))
    }

    fn post_object(&mut self, call: &Call<'_>, object: Value, unknown: &[String]) -> Result<Answer, Refusal> {
        self.check_written_type(call.kind, &object)?;
        let mut warnings = unknown.to_vec();
        warnings.extend(pod_warnings::of(call.kind, &object));
        warnings.extend(self.pod_security_warnings(call.kind, &call.target.namespace, &object));
        let manager = manager(call.request, call.query);
        let (api_version, time) = (call.kind.api_version(), self.clock.text(self.now));
        let author = author(call.kind, &manager, "Update", "", &api_version, &time);
        let made = self.create(call.kind, &call.target.namespace, object, Some(&author), call.is_dry_run())?;
        Ok(answer(201, &made, &warnings))
    }

    pub(super) fn put(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        // A whole object is read before there has to be one; a patch is not.
        if call.target.subresource == "scale" {
            let wanted = scale::decoded(call)?;
            check_name(call, &wanted)?;
            let before = self.found(call.kind, call.target)?;
            return self.set_scale(call, &before, &wanted);
        }
        let (object, warnings) = call.object()?;
        self.put_object(call, object, &warnings).map_err(|refusal| refusal.with_warnings(&warnings))
    }

    fn put_object(&mut self, call: &Call<'_>, object: Value, unknown: &[String]) -> Result<Answer, Refusal> {
        self.check_written_type(call.kind, &object)?;
        check_name(call, &object)?;
        let before = match self.found(call.kind, call.target) {
            Err(_) if call.kind.is_made_by_put() && call.target.subresource.is_empty() => {
                return self.post_object(call, object, unknown);
            }
            found => found?,
        };
        if call.kind.needs_revision() && text(&object, "/metadata/resourceVersion").is_empty() {
            return Err(Refusal::without_revision(call.kind, &call.target.name));
        }
        let mut warnings = unknown.to_vec();
        warnings.extend(pod_warnings::of(call.kind, &object));
        let after = self.write(call, &before, object)?;
        Ok(answer(200, &after, &warnings))
    }

    /// A changed object, kept if it was made from the newest state.
    fn write(&mut self, call: &Call<'_>, before: &Value, object: Value) -> Result<Value, Refusal> {
        let revision = text(&object, "/metadata/resourceVersion");
        if !revision.is_empty() && revision != text(before, "/metadata/resourceVersion") {
            return Err(Refusal::changed(call.kind, &call.target.name));
        }
        let manager = manager(call.request, call.query);
        let (api_version, time) = (call.kind.api_version(), self.clock.text(self.now));
        let author = author(call.kind, &manager, "Update", &call.target.subresource, &api_version, &time);
        self.update(call.kind, before, object, Some(&author), &call.target.subresource, call.is_dry_run())
    }

    pub(super) fn patch(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let media = content_type(call.request);
        if matches!(media, "application/apply-patch+yaml" | "application/apply-patch+json") {
            return self.apply(call);
        }
        let before = self.found(call.kind, call.target)?;
        let change = patch_of(media, call.request.body())?;
        check_change(media, &change)?;
        let is_scale = call.target.subresource == "scale";
        let mut after = if is_scale { scale::of(&before) } else { before.clone() };
        let bare = after.clone();
        merge(call.kind, media, &mut after, &change)?;
        if !after.is_object() {
            let why = go_json::type_error(&after, "map[string]interface {}");
            return Err(Refusal::bad_request(format!("error decoding patch: {why}")));
        }
        if is_scale {
            if let Some(why) = scale::type_error(&after) {
                return Err(invalid_patch(&after.to_string(), &why));
            }
            check_name(call, &after)?;
            return self.set_scale(call, &before, &after);
        }
        // A patch that says nothing of the revision is made for whatever is there.
        let unchanged_revision =
            after.pointer("/metadata/resourceVersion") == bare.pointer("/metadata/resourceVersion");
        if unchanged_revision {
            map(&mut after, &["metadata"]).remove("resourceVersion");
        }
        let warnings = check_patched(call, media, &change, &mut after)?;
        let written = check_name(call, &after).and_then(|()| self.write(call, &before, after));
        let after = written.map_err(|refusal| refusal.with_warnings(&warnings))?;
        Ok(answer(200, &after, &warnings))
    }

    fn set_scale(&mut self, call: &Call<'_>, before: &Value, wanted: &Value) -> Result<Answer, Refusal> {
        let after = scale::scaled(call.kind, before, wanted)?;
        let manager = manager(call.request, call.query);
        let (api_version, time) = (call.kind.api_version(), self.clock.text(self.now));
        let author = author(call.kind, &manager, "Update", "scale", &api_version, &time);
        let after = self.update(call.kind, before, after, Some(&author), "", call.is_dry_run())?;
        Ok(answer(200, &scale::of(&after), &[]))
    }

    pub(super) fn delete_one(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let mut options = DeleteOptions::of(call)?;
        let warnings = keep_pods_of_jobs(call.kind, &mut options.deletion);
        let found = self.found(call.kind, call.target).map_err(|refusal| refusal.with_warnings(&warnings))?;
        check_preconditions(call, &found, &options.preconditions)?;
        self.check_policies(&Attempt::of_deletion(call.kind, &call.target.name, &found, options.is_dry_run))?;
        let key = Key::new(&call.kind.resource(), &call.target.namespace, &call.target.name);
        let (marked, is_kept) = self.marked(call.kind, &found, &options.deletion);
        let last = if options.is_dry_run { marked } else { self.delete(call.kind, &key, &options.deletion)? };
        if is_kept || returns_what_it_deletes(&call.kind.kind) {
            return Ok(answer(200, &last, &warnings));
        }
        let mut details = call.kind.details(name(&last));
        details["uid"] = json!(uid(&last));
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        Ok(answer(200, &status, &warnings))
    }

    pub(super) fn delete_all(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let mut options = DeleteOptions::of(call)?;
        let warnings = keep_pods_of_jobs(call.kind, &mut options.deletion);
        let selection = super::reads::Selection::of(call.kind, call.target, call.query)?;
        let resource = call.kind.resource();
        let chosen: Vec<Value> = self
            .store
            .list(&resource, &call.target.namespace)
            .filter(|object| selection.holds(object))
            .cloned()
            .collect();
        for object in &chosen {
            self.check_policies(&Attempt::of_deletion(call.kind, "", object, options.is_dry_run))?;
        }
        for object in chosen.iter().filter(|_| !options.is_dry_run) {
            self.delete(call.kind, &Key::new(&resource, namespace(object), name(object)), &options.deletion)?;
        }
        let metadata = json!({"resourceVersion": self.store.revision().to_string()});
        let chosen: Vec<Value> = chosen.into_iter().map(|object| as_item(call.kind, object)).collect();
        let list = json!({"kind": call.kind.list_kind, "apiVersion": call.kind.api_version(), "metadata": metadata, "items": chosen});
        Ok(answer(200, &list, &warnings))
    }
}

/// Jobs leave their pods behind unless the request says otherwise; a warning says so.
fn keep_pods_of_jobs(kind: &Kind, deletion: &mut Deletion) -> Vec<String> {
    if kind.kind != "Job" || !deletion.propagation.is_empty() {
        return Vec::new();
    }
    "Orphan".clone_into(&mut deletion.propagation);
    vec![PODS_ARE_KEPT.to_owned()]
}

const PODS_ARE_KEPT: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set \
    propagationPolicy=Orphan to suppress this warning";

/// The entries of a list of a built-in kind do not repeat what they are.
fn as_item(kind: &Kind, mut object: Value) -> Value {
    if !kind.custom {
        map(&mut object, &[]).remove("apiVersion");
        map(&mut object, &[]).remove("kind");
    }
    object
}

/// Others are answered with a status.
fn returns_what_it_deletes(kind: &str) -> bool {
    matches!(
        kind,
        "Pod"
            | "Service"
            | "ServiceAccount"
            | "PersistentVolumeClaim"
            | "PersistentVolume"
            | "ResourceQuota"
            | "StorageClass"
    )
}

/// A patch in JSON has to be JSON.
fn patch_of(media: &str, bytes: &[u8]) -> Result<Value, Refusal> {
    if !media.ends_with("patch+json") {
        return body(bytes);
    }
    let is_strategic = media == "application/strategic-merge-patch+json";
    let prefix = if is_strategic { "" } else { "error decoding patch: " };
    go_json::read(bytes).map_err(|error| Refusal::bad_request(format!("{prefix}{error}")))
}

/// A patch of the right form for its kind.
fn check_change(media: &str, change: &Value) -> Result<(), Refusal> {
    let refused = |value: &Value, wanted: &str| {
        let prefix = if media.contains("strategic") { "" } else { "error decoding patch: " };
        Err(Refusal::bad_request(format!("{prefix}{}", go_json::type_error(value, wanted))))
    };
    match (media, change) {
        ("application/json-patch+json", Value::Array(operations)) => {
            let odd = operations.iter().find(|operation| !operation.is_object() && !operation.is_null());
            odd.map_or(Ok(()), |odd| refused(odd, "handlers.jsonPatchOp"))
        }
        ("application/json-patch+json", Value::Null) => Ok(()),
        ("application/json-patch+json", _) => refused(change, "[]handlers.jsonPatchOp"),
        ("application/merge-patch+json", Value::Null) => Err(Refusal::bad_request("Invalid JSON Patch")),
        (_, Value::Null | Value::Object(_)) => Ok(()),
        ("application/merge-patch+json" | "application/strategic-merge-patch+json", _) => {
            refused(change, "map[string]interface {}")
        }
        _ => Ok(()),
    }
}

/// Holds the object that a patch leads to against its kind: a strategic patch is converted, the others are decoded.
fn check_patched(call: &Call<'_>, media: &str, change: &Value, after: &mut Value) -> Result<Vec<String>, Refusal> {
    if media.contains("strategic") {
        let shown = go_plain(change);
        return call.fields(after, restore_error).map_err(|why| invalid_patch(&shown, &why));
    }
    let shown = after.to_string();
    call.fields(after, decode_error).map_err(|why| invalid_patch(&shown, &why))
}

/// What a patch leads to cannot be read as an object of its kind.
fn invalid_patch(shown: &str, why: &str) -> Refusal {
    let message = format!("Invalid value: {}: {why}", json!(shown));
    let causes = json!([{"reason": "FieldValueInvalid", "message": message, "field": "patch"}]);
    Refusal::options(&format!(" \"\" is invalid: patch: {message}"), json!({"causes": causes}))
}

/// An object that is written has the name of the path.
fn check_name(call: &Call<'_>, object: &Value) -> Result<(), Refusal> {
    let (given, wanted) = (name(object), &call.target.name);
    if given.is_empty() {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
        )));
    }
    if given != wanted {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({wanted})"
        )));
    }
    Ok(())
}

/// A strategic patch that cannot be merged.
fn unmerged(failure: Unmerged) -> Refusal {
    match failure {
        Unmerged::ListOfLists => Refusal::options(ERROR_IN_REQUEST, json!({})),
        Unmerged::Other(why) => Refusal::internal(why),
    }
}

const ERROR_IN_REQUEST: &str = "the server rejected our request due to an error in our request";

fn merge(kind: &Kind, media: &str, object: &mut Value, change: &Value) -> Result<(), Refusal> {
    match media {
        "application/merge-patch+json" => patch::merge(object, change),
        "application/strategic-merge-patch+json" if !kind.custom => {
            // One that is null changes nothing.
            if change.is_object() {
                patch::strategic(object, change).map_err(unmerged)?;
            }
        }
        // Which operation failed is not said there.
        "application/json-patch+json" if change.is_null() => {}
        "application/json-patch+json" => {
            patch::json(object, change).map_err(|_| Refusal::options(ERROR_IN_REQUEST, json!({})))?;
        }
        "application/strategic-merge-patch+json" => {
            return Err(Refusal::media_type(&PATCHES.replace("application/strategic-merge-patch+json, ", "")));
        }
        _ => return Err(Refusal::unsupported_patch()),
    }
    Ok(())
}

fn check_preconditions(call: &Call<'_>, found: &Value, preconditions: &Value) -> Result<(), Refusal> {
    for (wanted, there, label) in [
        (text(preconditions, "/uid"), uid(found), "UID"),
        (text(preconditions, "/resourceVersion"), text(found, "/metadata/resourceVersion"), "ResourceVersion"),
    ] {
        if !wanted.is_empty() && wanted != there {
            let why = if label == "UID" {
                format!(
                    "the UID in the precondition ({wanted}) does not match the UID in record ({there}). The object might have been deleted and then recreated"
                )
            } else {
                format!("Precondition failed: {label} in precondition: {wanted}, {label} in object meta: {there}")
            };
            return Err(Refusal::precondition(call.kind, &call.target.name, &why));
        }
    }
    Ok(())
}
