//! Manifests: what is to be applied, checked before the first request.

use crate::{
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    image::ImageReference,
};
use serde_json::{Map, Value};
use std::fmt;

/// The host that stands in manifests for a registry that is not known yet; any of Azure's endings may follow.
const PLACEHOLDER: &str = "<acr-name>.";
/// Fields that hold text of the user's, where a key named `image` means nothing to Kubernetes.
const FREE_TEXT: [&str; 5] = ["data", "stringData", "binaryData", "annotations", "labels"];

/// One object to be applied, of any kind.
#[derive(Clone, PartialEq)]
pub struct Manifest {
    object: Map<String, Value>,
}

/// An object may hold a secret in any field: only what it is called is shown.
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
    /// Reads all objects of a text: YAML with any number of documents, or JSON. Lists are taken apart; empty documents are left
    /// out. `no`, `y` and `0123` stay the text that they are, as Kubernetes reads them. A key of more than 1024 characters is read only
    /// as YAML wants it, behind a question mark.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) naming the document: if the text is not YAML, a document is no object with
    /// `apiVersion`, `kind` and `metadata.name`, or there is none at all.
    pub fn parse_all(text: &str) -> Result<Vec<Self>> {
        let options = serde_saphyr::options! {
            strict_booleans: true,
            leading_zero_numbers_as_strings: true,
            with_snippet: false,
        };
        let documents: Vec<Value> =
            serde_saphyr::from_multiple_with_options(text, options).map_err(|err| not_yaml(&err))?;
        let mut manifests = Vec::new();
        for (index, document) in documents.into_iter().enumerate().filter(|(_, document)| !document.is_null()) {
            read_document(document, index + 1, &mut manifests)?;
        }
        if manifests.is_empty() {
            return Err(Error::new(ErrorKind::InvalidInput, "the manifests hold no object"));
        }
        Ok(manifests)
    }

    /// `apiVersion`, such as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.text("apiVersion")
    }

    /// `kind`, such as `Deployment`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.text("kind")
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.object["metadata"]["name"].as_str().unwrap_or_default()
    }

    /// `metadata.namespace`, if it names one.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.object["metadata"].get("namespace").and_then(Value::as_str)
    }

    /// The whole object.
    #[must_use]
    pub fn object(&self) -> &Map<String, Value> {
        &self.object
    }

    fn text(&self, field: &str) -> &str {
        self.object.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Every image that the object names, in the fields that mean one.
    pub(crate) fn images(&mut self) -> Vec<&mut Value> {
        let mut found = Vec::new();
        collect_images(self.object.iter_mut(), &mut found);
        found
    }
}

impl fmt::Display for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind(), self.name())
    }
}

/// The reader's own words may quote what it read, which may be a Secret: where it stopped is told.
fn not_yaml(err: &serde_saphyr::Error) -> Error {
    let at = err.location().map(|at| format!("line {}, column {}", at.line(), at.column()));
    Error::new(ErrorKind::InvalidInput, "the manifests are not YAML")
        .with_context("stopped at", at.unwrap_or_else(|| "the end".to_owned()))
}

fn read_document(document: Value, number: usize, manifests: &mut Vec<Manifest>) -> Result<()> {
    let wrong = |what: &str| Error::invalid(format!("not a manifest: {what}"), "document", number.to_string());
    let Value::Object(mut object) = document else { return Err(wrong("wanted a mapping")) };
    let has = |object: &Map<String, Value>, field: &str| {
        object.get(field).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    };
    if let Some(missing) = ["apiVersion", "kind"].iter().find(|field| !has(&object, field)) {
        return Err(wrong(&format!("{missing} is missing")));
    }
    let version = object["apiVersion"].as_str().unwrap_or_default();
    if version.split('/').count() > 2 || !version.split('/').all(is_path_segment) {
        return Err(wrong(&format!("wanted an apiVersion such as v1 or apps/v1, not {}", version.escape_debug())));
    }
    let is_list = object["kind"].as_str().is_some_and(|kind| kind.ends_with("List"));
    if let Some(Value::Array(items)) = object.get_mut("items").filter(|_| is_list) {
        return std::mem::take(items).into_iter().try_for_each(|item| read_document(item, number, manifests));
    }
    let Some(Value::Object(metadata)) = object.get("metadata") else { return Err(wrong("metadata is missing")) };
    if !has(metadata, "name") {
        return Err(wrong("metadata.name is missing; a generated name cannot be applied twice"));
    }
    for (field, text) in
        ["name", "namespace"].into_iter().filter_map(|field| Some((field, metadata.get(field)?.as_str()?)))
    {
        if !is_path_segment(text) {
            return Err(wrong(&format!("wanted a metadata.{field} of {IN_A_PATH}, not {}", text.escape_debug())));
        }
    }
    manifests.push(Manifest { object });
    Ok(())
}

/// The signs of [`is_path_segment`], in words.
const IN_A_PATH: &str = "letters from a to z, digits and -_.:~@!$&'()*+,;= (and neither . nor .. alone)";

/// What Kubernetes lets stand in a path, and no URL takes for something else. Its kinds have narrower rules, which it checks.
pub(crate) fn is_path_segment(text: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:~@!$&'()*+,;=".contains(letter);
    !text.is_empty() && text != "." && text != ".." && text.chars().all(is_plain)
}

fn collect_images<'a>(fields: impl Iterator<Item = (&'a String, &'a mut Value)>, found: &mut Vec<&'a mut Value>) {
    for (key, value) in fields {
        match value {
            Value::String(_) if key == "image" => found.push(value),
            Value::Object(inner) if !FREE_TEXT.contains(&key.as_str()) => collect_images(inner.iter_mut(), found),
            Value::Array(items) => {
                for item in items {
                    if let Value::Object(inner) = item {
                        collect_images(inner.iter_mut(), found);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether an image names the registry that is not known yet.
fn has_placeholder(image: &str) -> bool {
    image.starts_with(PLACEHOLDER)
}

/// Whether any image waits for its registry's host.
pub(crate) fn wants_registry(manifests: &mut [Manifest]) -> bool {
    manifests.iter_mut().flat_map(Manifest::images).any(|image| image.as_str().is_some_and(has_placeholder))
}

/// Checks every image: a placeholder needs a registry, no other may be left, and none may lead to another cloud.
pub(crate) fn check_images(manifests: &mut [Manifest], cloud: &Cloud, has_registry: bool) -> Result<()> {
    for manifest in manifests {
        let named = manifest.to_string();
        for image in manifest.images() {
            let text = image.as_str().unwrap_or_default();
            check_image(text, cloud, has_registry).map_err(|err| err.with_context("object", named.clone()))?;
        }
    }
    Ok(())
}

fn check_image(text: &str, cloud: &Cloud, has_registry: bool) -> Result<()> {
    if has_placeholder(text) && has_registry {
        let rest = text.split_once('/').map_or("", |(_, rest)| rest);
        return ImageReference::parse(&format!("placeholder.invalid/{rest}")).map(|_| ());
    }
    if text.contains(['<', '>']) {
        let message = "the image has a placeholder; name the registry that is meant";
        return Err(Error::invalid(message, "image", text));
    }
    // What is no reference here may be one to an operator that owns the kind: Kubernetes judges that.
    match ImageReference::parse(text) {
        Ok(image) => cloud.check_registry_host(image.registry(), "image"),
        Err(_) => Ok(()),
    }
}

/// Puts the registry's login server where its placeholder stands: the whole host, whatever ending it has.
pub(crate) fn fill_in(manifests: &mut [Manifest], login_server: &str) {
    for image in manifests.iter_mut().flat_map(Manifest::images) {
        let text = image.as_str().unwrap_or_default();
        if let (true, Some((_, rest))) = (has_placeholder(text), text.split_once('/')) {
            *image = Value::String(format!("{login_server}/{rest}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {image: '<not this>'}}\n\
        spec: {containers: [{name: c, image: '<acr-name>.azurecr.io/nginx:v1', env: [{name: A, value: no}]}]}\n";

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
    fn items_of_what_is_no_list_stay_where_they_are() {
        for object in ["kind: Menu, items: [soup]", "kind: ShoppingList, items: {milk: 1}"] {
            let manifests = parse(&format!("{{apiVersion: food/v1, metadata: {{name: m}}, {object}}}"));
            assert!(!manifests[0].object["items"].is_null(), "{object}");
        }
    }

    #[test]
    fn words_that_old_yaml_takes_for_booleans_stay_words() {
        let env = &parse(POD)[0].object["spec"]["containers"][0]["env"][0]["value"];
        assert_eq!(env, "no");
    }

    #[test]
    fn what_is_no_manifest_is_refused_and_its_document_named() {
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
    fn the_whole_host_is_replaced_and_other_text_is_not() {
        for host in ["<acr-name>.azurecr.io", "<acr-name>.azurecr.cn"] {
            let mut manifests = parse(&POD.replace("<acr-name>.azurecr.io", host));
            assert!(wants_registry(&mut manifests));
            fill_in(&mut manifests, "my-h4sh.azurecr.io");
            let object = &manifests[0].object;
            assert_eq!(object["spec"]["containers"][0]["image"], "my-h4sh.azurecr.io/nginx:v1");
            assert_eq!(object["metadata"]["labels"]["image"], "<not this>");
        }
    }

    #[test]
    fn a_placeholder_without_a_registry_and_an_image_of_another_cloud_are_refused() {
        let cloud = Cloud::public();
        assert!(check_images(&mut parse(POD), &cloud, false).is_err());
        assert!(check_images(&mut parse(POD), &cloud, true).is_ok());
        for image in ["<other>/x:1", "my.azurecr.io/<name>:1", "myreg.azurecr.us/x:1"] {
            let text = POD.replace("<acr-name>.azurecr.io/nginx:v1", image);
            let err = check_images(&mut parse(&text), &cloud, true).unwrap_err();
            assert!(err.to_string().contains("Pod/a"), "{err}");
        }
    }
}
