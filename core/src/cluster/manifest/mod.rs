//! Manifests: the objects to apply, checked before the first request.

mod field;
mod goyaml;
mod group;
mod images;
mod json;
mod lines;
mod number;
mod pod_spec;
mod read;
mod scalar;
mod stream;
mod tabs;
mod timestamp;
mod tree;
mod value;
mod yaml;

use serde_json::{Map, Value};
use std::fmt;

pub(crate) use images::{check_images, fill_in, wants_registry};
pub(crate) use read::is_path_segment;

/// One Kubernetes object to apply, of any kind.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    identity: Identity,
    object: Map<String, Value>,
}

/// An object's kind and name. They are read once, with their types checked: nothing later mistakes a value of another type for an
/// absent one.
#[derive(Clone, PartialEq)]
struct Identity {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
}

/// An object may contain a secret in any field: only its name is shown.
impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("api_version", &self.api_version())
            .field("kind", &self.kind())
            .field("namespace", &self.namespace())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl Manifest {
    /// `apiVersion`, such as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        &self.identity.api_version
    }

    /// The API group: the part of `apiVersion` before the slash, empty for the core.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn group(&self) -> &str {
        group::group_of(self.api_version())
    }

    /// Whether every API server has its API group.
    #[cfg(feature = "kubernetes")]
    pub(crate) fn is_built_in(&self) -> bool {
        group::is_built_in(self.group())
    }

    /// `kind`, such as `Deployment`.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.identity.kind
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// `metadata.namespace`, if it names one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.identity.namespace.as_deref()
    }

    /// The whole object.
    #[must_use]
    pub fn object(&self) -> &Map<String, Value> {
        &self.object
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {image: '<not this>'}}\n\
        spec: {containers: [{name: c, image: 'nginx:v1', env: [{name: A, value: no}]}]}\n";

    fn parse(text: &str) -> Vec<Manifest> {
        Manifest::parse_all(text).unwrap()
    }

    #[test]
    fn documents_and_lists_become_single_objects() {
        let list = "{apiVersion: v1, kind: List, items: [{apiVersion: v1, kind: Secret, metadata: {name: s}}]}";
        let manifests = parse(&format!("---\n{POD}---\n---\n{list}\n"));
        assert_eq!(manifests.iter().map(ToString::to_string).collect::<Vec<_>>(), ["Pod/a", "Secret/s"]);
    }

    #[test]
    fn items_of_a_custom_list_kind_are_not_split() {
        for object in ["kind: Menu, items: [soup]", "kind: ShoppingList, items: {milk: 1}"] {
            let manifests = parse(&format!("{{apiVersion: food/v1, metadata: {{name: m}}, {object}}}"));
            assert!(!manifests[0].object["items"].is_null(), "{object}");
        }
    }

    #[test]
    fn words_are_booleans_as_for_kubectl_unless_they_are_quoted() {
        let pod = parse(&POD.replace("value: no", "value: no, other: 'no'"));
        let env = &pod[0].object["spec"]["containers"][0]["env"][0];
        assert_eq!((&env["value"], &env["other"]), (&Value::Bool(false), &Value::from("no")));
    }

    /// kubectl has no limit either; some YAML libraries stop at 1,024 documents.
    #[test]
    fn a_file_has_as_many_documents_as_it_likes() {
        let one = |index: usize| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{index}}}\n");
        let many = (0..5000).map(one).collect::<Vec<_>>().join("---\n");
        let manifests = parse(&many);
        assert_eq!((manifests.len(), manifests[4999].name()), (5000, "c4999"));
        let objects =
            (0..5000).map(|index| serde_json::to_string(&parse(&one(index))[0].object)).collect::<Result<Vec<_>, _>>();
        assert_eq!(parse(&objects.unwrap().join("\n")).len(), 5000, "JSON, one object after another");
        let wrong = format!("{many}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: 53}}\n");
        let err = Manifest::parse_all(&wrong).unwrap_err().to_string();
        assert!(err.contains("document: 5001"), "{err}");
    }

    #[test]
    fn an_invalid_manifest_is_rejected_with_its_document() {
        for text in [
            "",
            "---\n",
            "just text",
            "[1, 2]",
            "kind: Pod",
            "a: [",
            "apiVersion: v1\nkind: Pod\nmetadata: {generateName: x}",
        ] {
            assert_eq!(Manifest::parse_all(text).unwrap_err().kind(), ErrorKind::InvalidInput, "{text}");
        }
        let second = format!("{POD}---\nkind: Pod\n");
        assert!(Manifest::parse_all(&second).unwrap_err().to_string().contains("document: 2"));
    }

    #[test]
    fn a_null_and_an_empty_namespace_are_none_as_for_kubectl() {
        for namespace in ["null", "~", "''", ""] {
            let text = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: {namespace}\n");
            assert_eq!(parse(&text)[0].namespace(), None, "{namespace:?}");
        }
        let nulls = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, generateName: null, labels: null, annotations: {x: null}}}";
        assert_eq!(parse(nulls)[0].name(), "a");
    }
}
