//! From a document to its objects: the required fields of a manifest, and their types.

use super::{
    Identity, Manifest,
    field::{Flaw, LIST, MAPPING, Path, TEXT, list, mapping, text},
    group::{group_of, is_of_kubernetes},
    pod_spec,
    stream::{self, Stream},
    value,
};
use crate::error::{Error, ErrorKind};
use serde_json::{Map, Value};

impl Manifest {
    /// Parses all objects in text: YAML with any number of documents, or JSON.
    ///
    /// The text is read as kubectl reads it: `yes`, `no`, `on` and `off` are booleans unless they are quoted, and `0644` is the number 420.
    /// Lists are split into their items; empty documents are skipped. A null field counts as absent. Stricter than kubectl: a key that
    /// occurs twice in a mapping is rejected, and so is text after the end of a document that does not start with a line `---`.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) with the number of the document, if the text is not YAML, a document is not an
    /// object with `apiVersion`, `kind` and `metadata.name`, or the text contains no object; with the field, its line and its value
    /// too, if a value has the wrong type, such as a number as the namespace.
    pub fn parse_all(text: &str) -> crate::error::Result<Vec<Self>> {
        let mut manifests = Vec::new();
        let mut stream = Stream::new(text);
        while let Some(document) = stream.next()? {
            let value = value::value(&document.tree)
                .map_err(|fault| stream::error(&fault, &document.text, document.lines_before, document.number))?;
            if !value.is_null() {
                object(value, &Path::default(), &mut manifests).map_err(|flaw| flaw.into_error(&document))?;
            }
        }
        if manifests.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "the manifests contain no object"));
        }
        Ok(manifests)
    }
}

/// Adds an object of a document, or the items of a list.
fn object(value: Value, at: &Path, manifests: &mut Vec<Manifest>) -> Result<(), Flaw> {
    let Value::Object(mut object) = value else { return Err(Flaw::wrong_type(at, MAPPING, &value)) };
    let api_version = required(&object, "apiVersion", at)?.to_owned();
    let kind = required(&object, "kind", at)?.to_owned();
    if api_version.split('/').count() > 2 || !api_version.split('/').all(is_path_segment) {
        let message = format!("expected an apiVersion such as v1 or apps/v1, not {}", api_version.escape_debug());
        return Err(Flaw::new(at.key("apiVersion"), message));
    }
    if let Some(items) = take_items(&mut object, &api_version, &kind, at)? {
        if !at.steps().is_empty() {
            return Err(Flaw::new(at.clone(), format!("{at} is a list inside a list")));
        }
        let at = at.key("items");
        return items.into_iter().enumerate().try_for_each(|(index, mut item)| {
            name_kind(&mut item, &api_version, &kind);
            self::object(item, &at.index(index), manifests)
        });
    }
    let (name, namespace) = metadata(&object, at)?;
    check_fields(&object, &api_version, &kind, at)?;
    manifests.push(Manifest { identity: Identity { api_version, kind, name, namespace }, object });
    Ok(())
}

/// An item without `apiVersion` and `kind` gets those of its list, as in kubectl: Kubernetes writes such lists.
fn name_kind(item: &mut Value, api_version: &str, list: &str) {
    let Value::Object(item) = item else { return };
    let is_missing = |field: &str| item.get(field).is_none_or(|value| value.is_null() || value == "");
    if is_missing("apiVersion") && is_missing("kind") {
        item.insert("apiVersion".to_owned(), Value::from(api_version));
        item.insert("kind".to_owned(), Value::from(list.strip_suffix("List").unwrap_or(list)));
    }
}

fn required<'a>(object: &'a Map<String, Value>, field: &str, at: &Path) -> Result<&'a str, Flaw> {
    text(object, field, at)?
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Flaw::new(at.clone(), format!("{} is missing", at.key(field))))
}

/// The items of a list. A custom kind may be named like a list and have other items: then it is an object like any other.
fn take_items(
    object: &mut Map<String, Value>,
    api_version: &str,
    kind: &str,
    at: &Path,
) -> Result<Option<Vec<Value>>, Flaw> {
    if !kind.ends_with("List") {
        return Ok(None);
    }
    match object.get_mut("items") {
        Some(Value::Array(items)) => Ok(Some(std::mem::take(items))),
        None if kind == "List" => Err(Flaw::new(at.clone(), format!("{} is missing", at.key("items")))),
        Some(Value::Null) if is_of_kubernetes(group_of(api_version)) => Ok(Some(Vec::new())),
        Some(other) if is_of_kubernetes(group_of(api_version)) => Err(Flaw::wrong_type(&at.key("items"), LIST, other)),
        _ => Ok(None),
    }
}

fn metadata(object: &Map<String, Value>, at: &Path) -> Result<(String, Option<String>), Flaw> {
    let missing = |what: &str| Flaw::new(at.clone(), what.to_owned());
    let Some(metadata) = mapping(object, "metadata", at)? else {
        return Err(missing(&format!("{} is missing", at.key("metadata"))));
    };
    let at_metadata = at.key("metadata");
    let name = text(metadata, "name", &at_metadata)?.unwrap_or_default();
    let namespace = text(metadata, "namespace", &at_metadata)?.filter(|namespace| !namespace.is_empty());
    let generated = text(metadata, "generateName", &at_metadata)?;
    if name.is_empty() {
        let name = at_metadata.key("name");
        return Err(Flaw::new(
            at_metadata.clone(),
            match generated {
                Some(_) => format!("{name} is missing; a generated name cannot be applied twice"),
                None => format!("{name} is missing"),
            },
        ));
    }
    for (field, text) in [("name", Some(name)), ("namespace", namespace)] {
        if let Some(text) = text.filter(|text| !is_path_segment(text)) {
            let field = at_metadata.key(field);
            let message = format!("expected a {field} of {IN_A_PATH}, not {}", text.escape_debug());
            return Err(Flaw::new(field, message));
        }
    }
    for field in ["labels", "annotations"] {
        texts(metadata, field, &at_metadata, Flaw::wrong_type)?;
    }
    Ok((name.to_owned(), namespace.map(str::to_owned)))
}

/// Checks that a field is a mapping of strings.
fn texts(map: &Map<String, Value>, field: &str, at: &Path, wrong: fn(&Path, &str, &Value) -> Flaw) -> Result<(), Flaw> {
    let at = at.key(field);
    match map.get(field) {
        None | Some(Value::Null) => Ok(()),
        Some(Value::Object(entries)) => {
            let odd = entries.iter().find(|(_, value)| !value.is_string() && !value.is_null());
            odd.map_or(Ok(()), |(key, value)| Err(wrong(&at.key(key), TEXT, value)))
        }
        Some(other) => Err(wrong(&at, MAPPING, other)),
    }
}

/// The fields that this crate reads of some kinds. Everything else is checked by Kubernetes.
fn check_fields(object: &Map<String, Value>, api_version: &str, kind: &str, at: &Path) -> Result<(), Flaw> {
    match (api_version, kind) {
        // Kubernetes quotes a value of the wrong type in its refusal: that of a Secret would stand in an error.
        ("v1", "Secret") => {
            ["data", "stringData"].iter().try_for_each(|field| texts(object, field, at, Flaw::wrong_type_of_secret))
        }
        (version, "CustomResourceDefinition") if version.starts_with("apiextensions.k8s.io/") => definition(object, at),
        _ => pod_spec::check(object, api_version, kind, at),
    }
}

/// Reads the names in a custom resource definition, because the call waits until its kind is available.
fn definition(object: &Map<String, Value>, at: &Path) -> Result<(), Flaw> {
    let Some(spec) = mapping(object, "spec", at)? else { return Ok(()) };
    let at = at.key("spec");
    text(spec, "group", &at)?;
    if let Some(names) = mapping(spec, "names", &at)? {
        text(names, "kind", &at.key("names"))?;
    }
    list(spec, "versions", &at).map(|_| ())
}

/// The signs of [`is_path_segment`], in words.
const IN_A_PATH: &str = "letters from a to z, digits and -_.:~@!$&'()*+,;= (and neither . nor .. alone)";

/// What Kubernetes allows in a path, and what URLs do not interpret. Its kinds have stricter rules, which it checks.
pub(crate) fn is_path_segment(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:~@!$&'()*+,;=".contains(letter);
    !text.is_empty() && text != "." && text != ".." && text.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Manifest::parse_all(text).unwrap_err().to_string()
    }

    fn object(fields: &str) -> String {
        format!("apiVersion: v1\nkind: ConfigMap\n{fields}")
    }

    #[test]
    fn a_value_of_the_wrong_type_is_named_with_its_field_line_value_and_type() {
        for (value, shown) in [
            ("53", "the number 53"),
            ("1.5", "the number 1.5"),
            ("true", "the boolean true"),
            ("[a]", "a list"),
            ("{a: b}", "a mapping"),
        ] {
            for (field, rest) in [("namespace", "name: a"), ("name", "namespace: b"), ("generateName", "name: a")] {
                let err = refused(&object(&format!("metadata:\n  {rest}\n  {field}: {value}\n")));
                assert!(err.contains(&format!("metadata.{field} must be text, found {shown}")), "{err}");
                assert!(err.contains("document: 1") && err.contains("line: 5"), "{err}");
            }
        }
    }

    #[test]
    fn the_same_of_every_field_that_is_read() {
        for (text, field) in [
            ("{apiVersion: 1, kind: Pod, metadata: {name: a}}", "apiVersion must be text, found the number 1"),
            ("{apiVersion: v1, kind: [Pod], metadata: {name: a}}", "kind must be text, found a list"),
            ("{apiVersion: v1, kind: Pod, metadata: a}", "metadata must be a mapping, found the text \"a\""),
            ("{apiVersion: v1, kind: Pod, metadata: []}", "metadata must be a mapping, found a list"),
            ("{apiVersion: v1, kind: Pod, metadata: {name: a, labels: x}}", "metadata.labels must be a mapping"),
            (
                "{apiVersion: v1, kind: Pod, metadata: {name: a, labels: {v: 1.0}}}",
                "metadata.labels.v must be text, found the number 1",
            ),
            (
                "{apiVersion: v1, kind: Pod, metadata: {name: a, annotations: {v: true}}}",
                "metadata.annotations.v must be text",
            ),
            ("{apiVersion: v1, kind: List, items: {a: b}}", "items must be a list, found a mapping"),
            ("{apiVersion: apps/v1, kind: DeploymentList, items: 3}", "items must be a list, found the number 3"),
            ("{apiVersion: v1, kind: List, items: [soup]}", "items[0] must be a mapping, found the text \"soup\""),
            (
                "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: 53}}]}",
                "items[0].metadata.namespace must be text, found the number 53",
            ),
            ("{apiVersion: v1, kind: List}", "items is missing"),
            (
                "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {group: 1}}",
                "spec.group must be text",
            ),
            (
                "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {names: {kind: true}}}",
                "spec.names.kind must be text",
            ),
            (
                "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: x}",
                "spec must be a mapping",
            ),
            ("53", "the document must be a mapping, found the number 53"),
        ] {
            let err = refused(text);
            assert!(err.contains(field), "{text}: {err}");
        }
    }

    #[test]
    fn nothing_of_a_secret_is_quoted() {
        for field in
            ["data: {password: 271828}", "stringData: {password: 271828}", "data: [271828]", "stringData: '271828'"]
        {
            let err = refused(&format!("{{apiVersion: v1, kind: Secret, metadata: {{name: a}}, {field}}}"));
            assert!(err.contains("ata") && err.contains("must be") && !err.contains("271828"), "{err}");
        }
    }

    #[test]
    fn the_document_and_the_line_are_those_of_the_field() {
        let first = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
        let err = refused(&format!(
            "{first}---\n---\n# second\n{first}---\nmetadata:\n  namespace:\n    - x\n  name: b\nkind: Pod\napiVersion: v1\n"
        ));
        assert!(err.contains("metadata.namespace must be text, found a list") && err.contains("line: 13"), "{err}");
    }
}
