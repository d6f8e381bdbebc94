//! Making, changing and deleting objects: the rules that hold for every writer, a client or a controller.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::controllers::definition;
use super::kinds::Kind;
use super::object::{self, is_deleting, list, map, name, namespace, text, uid};
use super::ownership::{self, Author};
use super::policy::Attempt;
use super::refusal::Refusal;
use super::store::Key;
use super::{Kubernetes, defaults, defaults_pod, limits, validate, validate_metadata};

impl Kubernetes {
    /// Makes a new object. Without an author the object has its `managedFields` already.
    pub(super) fn create(
        &mut self,
        kind: &Kind,
        place: &str,
        mut object: Value,
        author: Option<&Author<'_>>,
        dry_run: bool,
    ) -> Result<Value, Refusal> {
        check_type(kind, place, &object)?;
        if kind.kind == "Pod" && self.store.list("pods", "").count() >= super::MOST_PODS {
            let why = format!("exceeded quota: this cluster has no more than {} pods", super::MOST_PODS);
            return Err(Refusal::forbidden(kind, name(&object), &why));
        }
        self.set_first_metadata(kind, place, &mut object)?;
        self.check_namespace(kind, place, name(&object))?;
        defaults::fill(kind, &mut object);
        if let Some(author) = author {
            ownership::track(None, &mut object, author);
        }
        defaults::prepare(kind, &mut object);
        self.check_account(kind, &object)?;
        self.check_priority(kind, &object)?;
        self.admit(kind, &mut object);
        let time = self.clock.text(self.now);
        if kind.status {
            map(&mut object, &[]).remove("status");
            if let Some(status) = defaults::first_status(kind, &object, &time) {
                map(&mut object, &[]).insert("status".to_owned(), status);
            }
        }
        let mut flaws = validate_metadata::prefix_flaws(kind, &object);
        flaws.extend(validate::flaws(kind, &object));
        check_flaws(kind, name(&object), &flaws)?;
        self.check_pod_security(kind, place, &object)?;
        self.check_limit_ranges(kind, place, &object)?;
        self.check_policies(&Attempt {
            kind,
            subresource: "",
            operation: "CREATE",
            place,
            name: name(&object),
            object: Some(&object),
            old: None,
            is_dry_run: dry_run,
        })?;
        self.check_quota(kind, place, &object)?;
        let key = object::key(&kind.resource(), &object);
        if self.store.get(&key).is_some() {
            let is_ending = self.store.get(&key).is_some_and(is_deleting);
            return Err(Refusal::already_exists(kind, name(&object), is_ending));
        }
        limits::check_object(&object)?;
        if dry_run {
            return Ok(object);
        }
        let made = self.store.put(key, object, self.now);
        if kind.kind == "Namespace" {
            self.furnish(name(&made));
        }
        Ok(made)
    }

    fn set_first_metadata(&mut self, kind: &Kind, place: &str, object: &mut Value) -> Result<(), Refusal> {
        let prefix = text(object, "/metadata/generateName").to_owned();
        let generated = name(object).is_empty() && !prefix.is_empty();
        let made_up = if generated { self.names.generated(&prefix) } else { String::new() };
        let (id, time) = (self.names.uid(), self.clock.text(self.now));
        let metadata = map(object, &["metadata"]);
        if generated {
            metadata.insert("name".to_owned(), json!(made_up));
        }
        if kind.namespaced {
            metadata.insert("namespace".to_owned(), json!(place));
        } else {
            metadata.remove("namespace");
        }
        for field in ["resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
            metadata.remove(field);
        }
        metadata.insert("uid".to_owned(), json!(id));
        metadata.insert("creationTimestamp".to_owned(), json!(time));
        if has_generation(kind) {
            metadata.insert("generation".to_owned(), json!(1));
        }
        if name(object).is_empty() {
            let message = "name or generateName is required";
            return Err(Refusal::invalid(kind, "", &[super::refusal::Flaw::required("metadata.name", message)]));
        }
        let fields = map(object, &[]);
        fields.insert("kind".to_owned(), json!(kind.kind));
        fields.insert("apiVersion".to_owned(), json!(kind.api_version()));
        Ok(())
    }

    fn check_namespace(&self, kind: &Kind, place: &str, name: &str) -> Result<(), Refusal> {
        if !kind.namespaced {
            return Ok(());
        }
        let namespaces = self.kind("namespaces")?;
        match self.store.get(&Key::new("namespaces", "", place)) {
            None => Err(Refusal::not_found(namespaces, place)),
            Some(found) if is_deleting(found) && kind.kind != "Event" => Err(Refusal::terminating(kind, name, place)),
            Some(_) => Ok(()),
        }
    }

    /// Makes an object on behalf of a controller.
    pub(super) fn write_as(
        &mut self,
        manager: &str,
        plural: &str,
        place: &str,
        object: Value,
    ) -> Result<Value, Refusal> {
        let kind = self.kind(plural)?.clone();
        let (api_version, time) = (kind.api_version(), self.clock.text(self.now));
        let author = author(&kind, manager, "Update", "", &api_version, &time);
        self.create(&kind, place, object, Some(&author), false)
    }

    /// Changes an object or its status on behalf of a controller.
    pub(super) fn change_as(&mut self, manager: &str, plural: &str, subresource: &str, before: &Value, after: Value) {
        let Ok(kind) = self.kind(plural).cloned() else {
            return;
        };
        // Where nothing changes, a controller sends no request.
        if after == *before {
            return;
        }
        let (api_version, time) = (kind.api_version(), self.clock.text(self.now));
        let author = author(&kind, manager, "Update", subresource, &api_version, &time);
        // What a controller writes is valid unless the object was invalid before; then it stays as it is.
        let _ = self.update(&kind, before, after, Some(&author), subresource, false);
    }

    /// Changes an object, or with `subresource` only its status.
    pub(super) fn update(
        &mut self,
        kind: &Kind,
        before: &Value,
        after: Value,
        author: Option<&Author<'_>>,
        subresource: &str,
        dry_run: bool,
    ) -> Result<Value, Refusal> {
        check_type(kind, namespace(before), &after)?;
        let attempt = |after| Attempt {
            kind,
            subresource,
            operation: "UPDATE",
            place: namespace(before),
            name: name(before),
            object: Some(after),
            old: Some(before),
            is_dry_run: dry_run,
        };
        if after == *before {
            // Admission comes before the database finds that nothing changes: `Update` in
            // `k8s.io/apiserver/pkg/registry/generic/registry/store.go` (v0.33.3).
            self.check_policies(&attempt(&after))?;
            return Ok(after);
        }
        let mut after = if subresource == "status" { with_status_of(before, &after) } else { after };
        keep_metadata(kind, before, &mut after)?;
        if kind.kind == "Pod" {
            defaults_pod::probe_times(&mut after);
        }
        if subresource.is_empty() {
            keep_status(kind, before, &mut after);
            defaults::fill(kind, &mut after);
            let mut flaws = validate::flaws(kind, &after);
            flaws.extend(validate::change_flaws(kind, before, &after));
            check_flaws(kind, name(before), &flaws)?;
            set_generation(kind, before, &mut after);
            set_generation_of_template(kind, before, &mut after);
        }
        if let Some(author) = author {
            ownership::track(Some(before), &mut after, author);
        }
        if kind.kind == "Service" && !kind.custom {
            Self::keep_allocated(before, &mut after);
        }
        self.check_policies(&attempt(&after))?;
        limits::check_object(&after)?;
        if dry_run || after == *before {
            return Ok(after);
        }
        let key = object::key(&kind.resource(), before);
        if is_deleting(&after)
            && list(&after, "/metadata/finalizers").is_empty()
            && kind.kind != "Namespace"
            && !self.is_running(kind, &after)
        {
            self.erase(kind, &key);
            return Ok(after);
        }
        let kept = self.store.put(key, after, self.now);
        if kind.kind == "CustomResourceDefinition" && definition::is_established(&kept) {
            self.kinds.define(&kept);
        }
        Ok(kept)
    }

    /// A kind of the server's own.
    pub(super) fn kind(&self, plural: &str) -> Result<&Kind, Refusal> {
        self.kinds.own(plural).ok_or_else(Refusal::no_route)
    }

    /// A copy of all objects of one resource.
    pub(super) fn snapshot(&self, resource: &str) -> Vec<Value> {
        self.store.list(resource, "").cloned().collect()
    }

    /// Remembers that something is to be looked at again then.
    pub(super) fn wake(&mut self, at: Instant) {
        if at > self.now {
            self.alarms.insert(at);
        }
    }
}

/// An author of writes to a kind.
pub(super) fn author<'a>(
    kind: &Kind,
    manager: &'a str,
    operation: &'a str,
    subresource: &'a str,
    api_version: &'a str,
    time: &'a str,
) -> Author<'a> {
    Author { manager, operation, subresource, api_version, time, custom: kind.custom, status: kind.status }
}

fn check_type(kind: &Kind, place: &str, object: &Value) -> Result<(), Refusal> {
    let (given_kind, given_version) = (text(object, "/kind"), text(object, "/apiVersion"));
    let matches = |given: &str, wanted: &str| given.is_empty() || given == wanted;
    if !matches(given_kind, &kind.kind) || !matches(given_version, &kind.api_version()) {
        return Err(Refusal::bad_request(format!(
            "the API version in the data ({given_version}, Kind={given_kind}) does not match the expected API version ({}, Kind={})",
            kind.api_version(),
            kind.kind
        )));
    }
    if kind.namespaced && !matches(namespace(object), place) {
        return Err(Refusal::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

fn check_flaws(kind: &Kind, name: &str, flaws: &[super::refusal::Flaw]) -> Result<(), Refusal> {
    if flaws.is_empty() { Ok(()) } else { Err(Refusal::invalid(kind, name, flaws)) }
}

fn with_status_of(before: &Value, after: &Value) -> Value {
    let mut changed = before.clone();
    match after.get("status") {
        Some(status) => map(&mut changed, &[]).insert("status".to_owned(), status.clone()),
        None => map(&mut changed, &[]).remove("status"),
    };
    match after.pointer("/metadata/annotations") {
        Some(annotations) => map(&mut changed, &["metadata"]).insert("annotations".to_owned(), annotations.clone()),
        None => map(&mut changed, &["metadata"]).remove("annotations"),
    };
    if let Some(managed) = after.pointer("/metadata/managedFields") {
        map(&mut changed, &["metadata"]).insert("managedFields".to_owned(), managed.clone());
    }
    changed
}

/// What only the server writes stays as it was.
fn keep_metadata(kind: &Kind, before: &Value, after: &mut Value) -> Result<(), Refusal> {
    let id = uid(after);
    if !id.is_empty() && id != uid(before) {
        let flaw = super::refusal::Flaw::invalid("metadata.uid", &json!(id), "field is immutable");
        // It is checked twice, and listed twice among the causes.
        return Err(Refusal::invalid(kind, name(before), &[flaw.clone(), flaw]));
    }
    let given = name(after);
    if !given.is_empty() && given != name(before) {
        return Err(Refusal::bad_request(format!(
            "the name of the object ({given}) does not match the name on the URL ({})",
            name(before)
        )));
    }
    let kept = [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "resourceVersion",
    ];
    let metadata = map(after, &["metadata"]);
    for field in kept {
        match before["metadata"].get(field) {
            Some(value) => metadata.insert(field.to_owned(), value.clone()),
            None => metadata.remove(field),
        };
    }
    let fields = map(after, &[]);
    fields.insert("kind".to_owned(), json!(kind.kind));
    fields.insert("apiVersion".to_owned(), json!(kind.api_version()));
    Ok(())
}

fn keep_status(kind: &Kind, before: &Value, after: &mut Value) {
    if kind.status {
        match before.get("status") {
            Some(status) => map(after, &[]).insert("status".to_owned(), status.clone()),
            None => map(after, &[]).remove("status"),
        };
    }
}

fn has_generation(kind: &Kind) -> bool {
    kind.custom
        || kind.kind.starts_with("ValidatingAdmissionPolicy")
        || matches!(kind.group.as_str(), "apps" | "batch" | "networking.k8s.io" | "apiextensions.k8s.io" | "policy")
        || matches!(kind.kind.as_str(), "Pod" | "PriorityClass")
}

fn set_generation_of_template(kind: &Kind, before: &Value, after: &mut Value) {
    if kind.kind != "DaemonSet" {
        return;
    }
    let number = before["metadata"]["annotations"][defaults::GENERATION_OF_TEMPLATE].as_str();
    let number: i64 = number.and_then(|number| number.parse().ok()).unwrap_or(1);
    let changed = before.pointer("/spec/template") != after.pointer("/spec/template");
    // Go's numbers begin anew behind the last one.
    let number = json!(number.wrapping_add(i64::from(changed)).to_string());
    map(after, &["metadata", "annotations"]).insert(defaults::GENERATION_OF_TEMPLATE.to_owned(), number);
}

/// A new generation when anything but metadata and status changed.
fn set_generation(kind: &Kind, before: &Value, after: &mut Value) {
    let rest = |object: &Value| {
        let mut rest = object.clone();
        if let Some(rest) = rest.as_object_mut() {
            rest.remove("metadata");
            rest.remove("status");
        }
        rest
    };
    // Annotations of a deployment are copied to its replica sets.
    let noted = |object: &Value| object.pointer("/metadata/annotations").cloned().filter(|_| kind.kind == "Deployment");
    if has_generation(kind) && (rest(before) != rest(after) || noted(before) != noted(after)) {
        let generation = object::number(before, "/metadata/generation").unwrap_or(0) + 1;
        map(after, &["metadata"]).insert("generation".to_owned(), json!(generation));
    }
}
