//! From the body of a request to the object that it writes.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::text;
use super::refusal::Refusal;
use super::request::{content_type, without_nulls};
use super::writes::Call;
use super::{Kubernetes, go_json, protobuf, typed};

impl Call<'_> {
    /// The body, in any form that is accepted.
    pub(super) fn decoded(&self) -> Result<Value, Refusal> {
        let refused = || Refusal::media_type("application/json, application/yaml, application/vnd.kubernetes.protobuf");
        match content_type(self.request) {
            "" | "application/json" => go_json::object(&self.kind.kind, self.request.body()),
            "application/yaml" => go_json::object_of_yaml(&self.kind.kind, self.request.body()),
            protobuf::MEDIA => protobuf::object(self.request.body()).ok_or_else(refused),
            _ => Err(refused()),
        }
    }

    /// The object in the body, with unknown fields refused or removed as the request wants; and warnings.
    pub(super) fn object(&self) -> Result<(Value, Vec<String>), Refusal> {
        let mut object = self.decoded()?;
        if object.is_null() {
            object = json!({});
        }
        if !object.is_object() {
            return Err(Refusal::bad_request("the body of the request is not an object"));
        }
        let warnings = self.check_fields(&mut object)?;
        Ok((object, warnings))
    }

    pub(super) fn check_fields(&self, object: &mut Value) -> Result<Vec<String>, Refusal> {
        let (kind, version) = (&self.kind.kind, &self.kind.version);
        let cannot =
            |why| Refusal::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}"));
        self.fields(object, decode_error).map_err(cannot)
    }

    /// Warnings about unknown fields, which are removed; or why the object cannot be read, in the words of a reader.
    pub(super) fn fields(
        &self,
        object: &mut Value,
        error: fn(&Kind, &Value) -> Option<String>,
    ) -> Result<Vec<String>, String> {
        let kind = self.kind;
        if !kind.custom {
            without_nulls(object);
        }
        let types = typed::of_kind(kind);
        let odd = error(kind, object).filter(|_| !kind.custom);
        if let Some(error) = odd.or_else(|| typed::unconvertible(kind, object)) {
            return Err(error);
        }
        let unknown: Vec<_> =
            typed::prune(&types, object).iter().map(|path| format!("unknown field \"{path}\"")).collect();
        match self.query.get("fieldValidation") {
            "Strict" if !unknown.is_empty() => Err(format!("strict decoding error: {}", unknown.join(", "))),
            "Ignore" => Ok(Vec::new()),
            _ => Ok(unknown),
        }
    }
}

/// Why the decoder cannot read an object.
pub(super) fn decode_error(kind: &Kind, object: &Value) -> Option<String> {
    typed::decode_error(&typed::of_kind(kind), object)
}

impl Kubernetes {
    /// Refuses an object of another kind or version, in the words of the decoder.
    pub(super) fn check_written_type(&self, kind: &Kind, object: &Value) -> Result<(), Refusal> {
        let (given, version) = (text(object, "/kind"), text(object, "/apiVersion"));
        let version_given = if version.is_empty() { kind.api_version() } else { version.to_owned() };
        if kind.custom || given.is_empty() || (given == kind.kind && version_given == kind.api_version()) {
            return Ok(());
        }
        let (group, short) = version_given.split_once('/').unwrap_or(("", &version_given));
        let is_known =
            self.kinds.all().iter().any(|one| one.kind == given && one.group == group && one.version == short);
        let why = if is_known {
            let own = kind.group.split('.').next().filter(|own| !own.is_empty()).unwrap_or("core");
            format!("converting ({short}.{given}) to ({own}.{}): unknown conversion", kind.kind)
        } else {
            format!(
                "no kind \"{given}\" is registered for version \"{version_given}\" in scheme \"pkg/runtime/scheme.go:110\""
            )
        };
        let wanted = &kind.kind;
        Err(Refusal::bad_request(format!("{given} in version \"{short}\" cannot be handled as a {wanted}: {why}")))
    }
}
