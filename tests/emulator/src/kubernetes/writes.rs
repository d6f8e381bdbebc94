//! Creating, replacing, patching and deleting, as requests ask for it.

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use serde_json::{Value, json};

use super::deletion::Deletion;
use super::kinds::Kind;
use super::lifecycle::author;
use super::object::{map, name, namespace, text, uid};
use super::refusal::{Flaw, Refusal, json_response};
use super::request::{Query, Target, body, content_type, manager, without_nulls};
use super::store::Key;
use super::{Answer, Kubernetes, patch, protobuf, scale, typed};

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

    /// The body, in any form that is accepted.
    fn decoded(&self) -> Result<Value, Refusal> {
        let refused = || Refusal::media_type("application/json, application/yaml, application/vnd.kubernetes.protobuf");
        match content_type(self.request) {
            "" | "application/json" | "application/yaml" => body(self.request.body()),
            protobuf::MEDIA => protobuf::object(self.request.body()).ok_or_else(refused),
            _ => Err(refused()),
        }
    }

    /// The options of a deletion, none when there is no body.
    fn options(&self) -> Result<Value, Refusal> {
        if self.request.body().is_empty() { Ok(json!({})) } else { self.decoded() }
    }

    /// The object in the body, with unknown fields refused or removed as the request wants; and warnings.
    fn object(&self) -> Result<(Value, Vec<String>), Refusal> {
        let mut object = self.decoded()?;
        if !object.is_object() {
            return Err(Refusal::bad_request("the body of the request is not an object"));
        }
        let warnings = self.check_fields(&mut object)?;
        Ok((object, warnings))
    }

    fn check_fields(&self, object: &mut Value) -> Result<Vec<String>, Refusal> {
        let kind = self.kind;
        if !kind.custom {
            without_nulls(object);
        }
        let cannot = format!("{} in version \"{}\" cannot be handled as a {}", kind.kind, kind.version, kind.kind);
        let types = typed::of_kind(kind);
        let odd = typed::decode_error(&types, object).filter(|_| !kind.custom);
        if let Some(error) = odd.or_else(|| typed::unconvertible(kind, object)) {
            return Err(Refusal::bad_request(format!("{cannot}: {error}")));
        }
        let unknown: Vec<_> =
            typed::prune(&types, object).iter().map(|path| format!("unknown field \"{path}\"")).collect();
        match self.query.get("fieldValidation") {
            "Strict" if !unknown.is_empty() => {
                Err(Refusal::bad_request(format!("{cannot}: strict decoding error: {}", unknown.join(", "))))
            }
            "Ignore" => Ok(Vec::new()),
            _ => Ok(unknown),
        }
    }
}

pub(super) fn answer(code: u16, object: &Value, warnings: &[String]) -> Answer {
    let mut response: Response<Bytes> = json_response(code, object);
    for warning in warnings {
        let text = format!("299 - \"{}\"", warning.replace('"', "\\\""));
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().append("warning", value);
        }
    }
    Answer::Whole(response)
}

impl Kubernetes {
    pub(super) fn post(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let (object, mut warnings) = call.object()?;
        warnings.extend(self.pod_security_warnings(call.kind, &call.target.namespace, &object));
        let manager = manager(call.request, call.query);
        let (api_version, time) = (call.kind.api_version(), self.clock.text(self.now));
        let author = author(call.kind, &manager, "Update", "", &api_version, &time);
        let made = self.create(call.kind, &call.target.namespace, object, Some(&author), call.is_dry_run())?;
        Ok(answer(201, &made, &warnings))
    }

    pub(super) fn put(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let before = self.found(call.kind, call.target)?;
        if call.target.subresource == "scale" {
            let wanted = body(call.request.body())?;
            return self.set_scale(call, &before, &wanted);
        }
        let (object, warnings) = call.object()?;
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
        let change = body(call.request.body())?;
        let before = self.found(call.kind, call.target)?;
        let is_scale = call.target.subresource == "scale";
        let mut after = if is_scale { scale::of(&before) } else { before.clone() };
        let bare = after.clone();
        match media {
            "application/merge-patch+json" => patch::merge(&mut after, &change),
            "application/strategic-merge-patch+json" if !call.kind.custom => {
                patch::strategic(&mut after, &change);
            }
            "application/json-patch+json" => patch::json(&mut after, &change).map_err(|error| {
                Refusal::invalid(call.kind, &call.target.name, &[Flaw::invalid("patch", &Value::Null, &error)])
            })?,
            _ => return Err(Refusal::media_type(PATCHES)),
        }
        if is_scale {
            return self.set_scale(call, &before, &after);
        }
        // A patch that says nothing of the revision is made for whatever is there.
        let unchanged_revision =
            after.pointer("/metadata/resourceVersion") == bare.pointer("/metadata/resourceVersion");
        if unchanged_revision {
            map(&mut after, &["metadata"]).remove("resourceVersion");
        }
        let warnings = call.check_fields(&mut after)?;
        let after = self.write(call, &before, after)?;
        Ok(answer(200, &after, &warnings))
    }

    fn set_scale(&mut self, call: &Call<'_>, before: &Value, wanted: &Value) -> Result<Answer, Refusal> {
        let after = scale::scaled(before, wanted)?;
        let manager = manager(call.request, call.query);
        let (api_version, time) = (call.kind.api_version(), self.clock.text(self.now));
        let author = author(call.kind, &manager, "Update", "scale", &api_version, &time);
        let after = self.update(call.kind, before, after, Some(&author), "", call.is_dry_run())?;
        Ok(answer(200, &scale::of(&after), &[]))
    }

    pub(super) fn delete_one(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let options = call.options()?;
        let found = self.found(call.kind, call.target)?;
        check_preconditions(call, &found, &options)?;
        let key = Key::new(&call.kind.resource(), &call.target.namespace, &call.target.name);
        let deletion = deletion(call.query, &options);
        let last = if call.is_dry_run() { found } else { self.delete(call.kind, &key, &deletion)? };
        if self.store.get(&key).is_some() || call.kind.kind == "Pod" {
            return Ok(answer(200, &last, &[]));
        }
        let mut details = call.kind.details(name(&last));
        details["uid"] = json!(uid(&last));
        let status =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        Ok(answer(200, &status, &[]))
    }

    pub(super) fn delete_all(&mut self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let options = call.options()?;
        let selection = super::reads::Selection::of(call.kind, call.target, call.query)?;
        let resource = call.kind.resource();
        let chosen: Vec<Value> = self
            .store
            .list(&resource, &call.target.namespace)
            .filter(|object| selection.holds(object))
            .cloned()
            .collect();
        let deletion = deletion(call.query, &options);
        for object in &chosen {
            self.delete(call.kind, &Key::new(&resource, namespace(object), name(object)), &deletion)?;
        }
        let metadata = json!({"resourceVersion": self.store.revision().to_string()});
        let list = json!({"kind": call.kind.list_kind, "apiVersion": call.kind.api_version(), "metadata": metadata, "items": chosen});
        Ok(answer(200, &list, &[]))
    }
}

fn check_preconditions(call: &Call<'_>, found: &Value, options: &Value) -> Result<(), Refusal> {
    for (wanted, there, label) in [
        (text(options, "/preconditions/uid"), uid(found), "UID"),
        (text(options, "/preconditions/resourceVersion"), text(found, "/metadata/resourceVersion"), "ResourceVersion"),
    ] {
        if !wanted.is_empty() && wanted != there {
            let why =
                format!("Precondition failed: {label} in precondition: {wanted}, {label} in object meta: {there}");
            return Err(Refusal::conflict(call.kind, &call.target.name, &why));
        }
    }
    Ok(())
}

fn deletion(query: &Query, options: &Value) -> Deletion {
    let propagation = text(options, "/propagationPolicy");
    Deletion {
        grace: options["gracePeriodSeconds"]
            .as_i64()
            .or_else(|| query.get("gracePeriodSeconds").parse().ok())
            .map(super::object::bounded),
        propagation: if propagation.is_empty() { query.get("propagationPolicy") } else { propagation }.to_owned(),
    }
}
