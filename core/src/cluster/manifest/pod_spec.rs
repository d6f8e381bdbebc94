//! The pod specifications of Kubernetes' own kinds, whose images are read.

use super::field::{Flaw, MAPPING, Path, list, mapping, text};
use serde_json::{Map, Value};

/// Where the kinds that create pods have the pod specification.
fn place(api_version: &str, kind: &str) -> Option<&'static [&'static str]> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    match (group, kind) {
        ("", "Pod") => Some(&["spec"]),
        ("", "PodTemplate") => Some(&["template", "spec"]),
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => Some(&["spec", "template", "spec"]),
        ("batch", "CronJob") => Some(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => None,
    }
}

/// Checks the types of all fields above every image.
pub(super) fn check(object: &Map<String, Value>, api_version: &str, kind: &str, at: &Path) -> Result<(), Flaw> {
    let Some(fields) = place(api_version, kind) else { return Ok(()) };
    let (mut map, mut at) = (object, at.clone());
    for field in fields {
        let Some(inner) = mapping(map, field, &at)? else { return Ok(()) };
        (map, at) = (inner, at.key(field));
    }
    for field in ["containers", "initContainers", "ephemeralContainers"] {
        each(map, field, &at, |container, at| text(container, "image", at).map(|_| ()))?;
    }
    each(map, "volumes", &at, |volume, at| match mapping(volume, "image", at)? {
        Some(image) => text(image, "reference", &at.key("image")).map(|_| ()),
        None => Ok(()),
    })
}

fn each(
    map: &Map<String, Value>,
    field: &str,
    at: &Path,
    check: impl Fn(&Map<String, Value>, &Path) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    let items = list(map, field, at)?;
    let at = at.key(field);
    items.iter().enumerate().try_for_each(|(index, item)| {
        let at = at.index(index);
        match item {
            Value::Object(item) => check(item, &at),
            Value::Null => Ok(()),
            other => Err(Flaw::wrong_type(&at, MAPPING, other)),
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::cluster::manifest::Manifest;

    #[test]
    fn an_image_of_the_wrong_type_is_refused_in_every_kind_that_makes_pods() {
        let kinds = [
            ("v1", "Pod", "spec"),
            ("v1", "PodTemplate", "template.spec"),
            ("v1", "ReplicationController", "spec.template.spec"),
            ("apps/v1", "Deployment", "spec.template.spec"),
            ("apps/v1", "StatefulSet", "spec.template.spec"),
            ("apps/v1", "DaemonSet", "spec.template.spec"),
            ("batch/v1", "Job", "spec.template.spec"),
            ("batch/v1", "CronJob", "spec.jobTemplate.spec.template.spec"),
        ];
        let flaws = [
            ("{containers: [{image: 53}]}", "containers[0].image must be text, found the number 53"),
            ("{initContainers: [{}, {image: {a: b}}]}", "initContainers[1].image must be text, found a mapping"),
            ("{ephemeralContainers: [{image: [a]}]}", "ephemeralContainers[0].image must be text, found a list"),
            ("{containers: {name: c}}", "containers must be a list, found a mapping"),
            ("{containers: [nginx]}", "containers[0] must be a mapping, found the text \"nginx\""),
            ("{volumes: [{image: x}]}", "volumes[0].image must be a mapping"),
            ("{volumes: [{image: {reference: 1}}]}", "volumes[0].image.reference must be text, found the number 1"),
            ("true", " must be a mapping, found the boolean true"),
        ];
        for (version, kind, place) in kinds {
            for (spec, wanted) in flaws {
                let mut nested = spec.to_owned();
                for field in place.split('.').rev() {
                    nested = format!("{{{field}: {nested}}}");
                }
                let text = format!("{{apiVersion: {version}, kind: {kind}, metadata: {{name: a}}, {}", &nested[1..]);
                let err = Manifest::parse_all(&text).unwrap_err().to_string();
                let dot = if wanted.starts_with(' ') { "" } else { "." };
                assert!(err.contains(&format!("{place}{dot}{wanted}")), "{text}: {err}");
            }
        }
    }

    #[test]
    fn a_custom_kind_may_have_other_images_and_containers() {
        let text =
            "{apiVersion: a.example/v1, kind: Thing, metadata: {name: a}, spec: {image: {tag: 1}, containers: 3}}";
        assert!(Manifest::parse_all(text).is_ok());
    }
}
