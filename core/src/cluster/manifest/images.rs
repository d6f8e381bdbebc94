//! The images in manifests, and the placeholder for the registry's host.

use super::{Manifest, field::Path, tree::Step};
use crate::{
    cloud::Cloud,
    error::{Error, Result},
    image::ImageReference,
};
use serde_json::{Map, Value};

/// The placeholder for the registry's host; any Azure suffix may follow.
const PLACEHOLDER: &str = "<acr-name>.";
/// Fields of an object with the user's own data, in which a placeholder is not replaced.
const DATA: [&str; 3] = ["data", "stringData", "binaryData"];
/// The same at any depth.
const FREE_TEXT: [&str; 3] = ["annotations", "labels", "description"];

/// One step on the path to a string in an object.
#[derive(Clone, Copy)]
enum Place<'a> {
    Key(&'a str),
    Index(usize),
}

/// Whether Kubernetes uses a string as an image reference: a field `image`, or the reference of an image volume.
fn is_image(at: &[Place<'_>]) -> bool {
    matches!(
        at,
        [.., Place::Key("image")]
            | [.., Place::Key("volumes"), Place::Index(_), Place::Key("image"), Place::Key("reference")]
    )
}

fn is_free_text(at: &[Place<'_>], key: &str) -> bool {
    FREE_TEXT.contains(&key) || (at.is_empty() && DATA.contains(&key))
}

/// Visits every string of an object except the user's own data: it is unknown which fields of a custom resource name an image.
fn visit<'a>(
    object: &'a mut Map<String, Value>,
    at: &mut Vec<Place<'a>>,
    take: &mut dyn FnMut(&[Place<'_>], &mut String) -> Result<()>,
) -> Result<()> {
    for (key, value) in object.iter_mut() {
        if !is_free_text(at, key) {
            at.push(Place::Key(key));
            visit_value(value, at, take)?;
            at.pop();
        }
    }
    Ok(())
}

fn visit_value<'a>(
    value: &'a mut Value,
    at: &mut Vec<Place<'a>>,
    take: &mut dyn FnMut(&[Place<'_>], &mut String) -> Result<()>,
) -> Result<()> {
    match value {
        Value::String(text) => take(at, text),
        Value::Object(inner) => visit(inner, at, take),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                at.push(Place::Index(index));
                visit_value(item, at, take)?;
                at.pop();
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn path(at: &[Place<'_>]) -> Path {
    let step = |place: &Place<'_>| match place {
        Place::Key(key) => Step::Key((*key).to_owned()),
        Place::Index(index) => Step::Index(*index),
    };
    Path::from(at.iter().map(step).collect::<Vec<_>>())
}

fn visit_all(manifests: &mut [Manifest], mut take: impl FnMut(&[Place<'_>], &mut String) -> Result<()>) -> Result<()> {
    for manifest in manifests {
        let named = manifest.to_string();
        visit(&mut manifest.object, &mut Vec::new(), &mut |at, text| {
            take(at, text)
                .map_err(|err| err.with_context("field", path(at).to_string()).with_context("object", named.clone()))
        })?;
    }
    Ok(())
}

/// Whether a placeholder has to be replaced.
pub(crate) fn wants_registry(manifests: &mut [Manifest]) -> bool {
    let mut wants = false;
    let look = |_: &[Place<'_>], text: &mut String| {
        wants |= text.contains(PLACEHOLDER);
        Ok(())
    };
    // Looking refuses nothing.
    visit_all(manifests, look).is_ok() && wants
}

/// Checks every image and every placeholder: a placeholder requires a registry, no other may be left in an image, and no image may be
/// in another cloud.
pub(crate) fn check_images(manifests: &mut [Manifest], cloud: &Cloud, has_registry: bool) -> Result<()> {
    visit_all(manifests, |at, text| {
        if is_image(at) {
            check_image(text, cloud, has_registry)
        } else if text.contains(PLACEHOLDER) && !has_registry {
            Err(unfilled(text))
        } else {
            Ok(())
        }
    })
}

fn unfilled(text: &str) -> Error {
    Error::invalid("the image contains a placeholder; set `registry` to replace it", "image", text)
}

fn check_image(text: &str, cloud: &Cloud, has_registry: bool) -> Result<()> {
    if text.starts_with(PLACEHOLDER) && has_registry {
        let rest = text.split_once('/').map_or("", |(_, rest)| rest);
        return ImageReference::parse(&format!("placeholder.invalid/{rest}")).map(|_| ());
    }
    if text.contains(['<', '>']) {
        return Err(unfilled(text));
    }
    // What is not a valid reference here may be valid for an operator of the kind: Kubernetes checks it.
    match ImageReference::parse(text) {
        Ok(image) => cloud.check_registry_host(image.registry(), "image"),
        Err(_) => Ok(()),
    }
}

/// Replaces the placeholder by the registry's login server: the whole host, with any suffix.
pub(crate) fn fill_in(manifests: &mut [Manifest], login_server: &str) {
    let fill = |_: &[Place<'_>], text: &mut String| {
        if text.contains(PLACEHOLDER) {
            *text = filled(text, login_server);
        }
        Ok(())
    };
    // Filling in refuses nothing.
    let _: Result<()> = visit_all(manifests, fill);
}

fn filled(text: &str, login_server: &str) -> String {
    let mut parts = text.split(PLACEHOLDER);
    let mut done = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_of_host = |letter: char| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-';
        let host = part.find(|letter| !is_of_host(letter)).unwrap_or(part.len());
        // A full stop at the end of a sentence is not part of the host.
        let host = part[..host].trim_end_matches('.').len();
        done.push_str(login_server);
        done.push_str(&part[host..]);
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Vec<Manifest> {
        Manifest::parse_all(text).unwrap()
    }

    fn pod(spec: &str) -> Vec<Manifest> {
        parse(&format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: a, labels: {{image: '<not this>'}}}}, spec: {{{spec}}}}}"
        ))
    }

    fn check(manifests: &mut [Manifest], has_registry: bool) -> Result<()> {
        check_images(manifests, &Cloud::public(), has_registry)
    }

    #[test]
    fn the_whole_host_is_replaced_and_other_text_is_not() {
        for host in ["<acr-name>.azurecr.io", "<acr-name>.azurecr.cn"] {
            let mut manifests = pod(&format!("containers: [{{image: '{host}/nginx:v1'}}]"));
            assert!(wants_registry(&mut manifests));
            fill_in(&mut manifests, "my-h4sh.azurecr.io");
            let object = manifests[0].object();
            assert_eq!(object["spec"]["containers"][0]["image"], "my-h4sh.azurecr.io/nginx:v1");
            assert_eq!(object["metadata"]["labels"]["image"], "<not this>");
        }
    }

    /// Every place for an image, with and without the registry.
    #[test]
    fn a_placeholder_is_replaced_or_rejected_everywhere() {
        let image = "<acr-name>.azurecr.io/app:v1";
        for place in [
            "volumes: [{name: m, image: {reference: 'IMAGE', pullPolicy: Always}}]",
            "containers: [{image: 'IMAGE'}]",
            "initContainers: [{image: 'IMAGE'}]",
            "ephemeralContainers: [{image: 'IMAGE'}]",
            "containers: [{env: [{name: HELPER, value: 'IMAGE'}]}]",
            "containers: [{args: ['--image=IMAGE']}]",
            "containers: [{command: [sh, -c, 'run IMAGE, then IMAGE.']}]",
        ] {
            let mut manifests = pod(&place.replace("IMAGE", image));
            let err = check(&mut manifests.clone(), false).unwrap_err().to_string();
            assert!(err.contains("Pod/a") && err.contains("field: spec."), "{place}: {err}");
            check(&mut manifests, true).unwrap();
            assert!(wants_registry(&mut manifests));
            fill_in(&mut manifests, "mine.azurecr.io");
            let text = serde_json::to_string(manifests[0].object()).unwrap();
            assert!(text.contains("mine.azurecr.io/app:v1") && !text.contains("<acr-name>"), "{text}");
        }
    }

    #[test]
    fn placeholders_in_templates_lists_and_custom_kinds_are_replaced() {
        let image = "'<acr-name>.azurecr.io/app:v1'";
        for text in [
            format!(
                "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: a}}, spec: {{jobTemplate: {{spec: {{template: {{spec: {{volumes: [{{image: {{reference: {image}}}}}]}}}}}}}}}}}}"
            ),
            format!(
                "{{apiVersion: v1, kind: List, items: [{{apiVersion: batch/v1, kind: Job, metadata: {{name: a}}, spec: {{template: {{spec: {{initContainers: [{{image: {image}}}]}}}}}}}}]}}"
            ),
            format!(
                "{{apiVersion: a.example/v1, kind: Thing, metadata: {{name: a}}, spec: {{image: {{repository: {image}, tag: v1}}}}}}"
            ),
            format!(
                "{{apiVersion: a.example/v1, kind: Thing, metadata: {{name: a}}, spec: {{data: {{image: {image}}}, sources: [[{image}]]}}}}"
            ),
            format!(
                "{{apiVersion: a.example/v1, kind: Thing, metadata: {{name: a}}, spec: {{containerImages: [{image}]}}, registry: '<acr-name>.azurecr.io'}}"
            ),
        ] {
            let mut manifests = parse(&text);
            assert!(check(&mut manifests, false).is_err(), "{text}");
            check(&mut manifests, true).unwrap();
            fill_in(&mut manifests, "mine.azurecr.io");
            let filled = serde_json::to_string(manifests[0].object()).unwrap();
            assert!(filled.contains("mine.azurecr.io") && !filled.contains("<acr-name>"), "{filled}");
        }
    }

    #[test]
    fn text_of_the_users_own_is_left_alone() {
        let text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {note: 'use <acr-name>.azurecr.io'}}, \
            data: {image: '<acr-name>.azurecr.io/app:v1'}}";
        let mut manifests = parse(text);
        check(&mut manifests, false).unwrap();
        assert!(!wants_registry(&mut manifests));
        fill_in(&mut manifests, "mine.azurecr.io");
        assert_eq!(manifests, parse(text));
    }

    #[test]
    fn the_host_alone_and_a_sentence_are_filled_in() {
        assert_eq!(filled("<acr-name>.azurecr.io", "m.azurecr.io"), "m.azurecr.io");
        let sentence = "from <acr-name>.azurecr.io, or <acr-name>.azurecr.us/a.";
        assert_eq!(filled(sentence, "m.azurecr.io"), "from m.azurecr.io, or m.azurecr.io/a.");
        assert_eq!(filled("see <acr-name>.azurecr.io.", "m.azurecr.io"), "see m.azurecr.io.");
    }

    #[test]
    fn an_image_with_another_placeholder_or_of_another_cloud_is_refused() {
        for image in
            ["<other>/x:1", "my.azurecr.io/<name>:1", "myreg.azurecr.us/x:1", "<acr-name>.azurecr.io", "<acr-name>/x"]
        {
            for place in ["containers: [{image: 'IMAGE'}]", "volumes: [{image: {reference: 'IMAGE'}}]"] {
                let err = check(&mut pod(&place.replace("IMAGE", image)), true).unwrap_err();
                assert!(err.to_string().contains("Pod/a"), "{err}");
            }
        }
    }
}
