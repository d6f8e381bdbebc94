//! A request taken apart: which kind, which object, which verb, with which options.

use bytes::Bytes;
use http::{Request, header};
use serde_json::Value;
use url::form_urlencoded::parse;

use super::refusal::Refusal;
use super::{goyaml, yaml};

/// The parts of a path that names objects.
#[derive(Debug, PartialEq)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) namespace: String,
    pub(super) plural: String,
    /// Empty for a whole collection.
    pub(super) name: String,
    pub(super) subresource: String,
}

impl Target {
    /// `None` when the path has another form.
    pub(super) fn parse(path: &str) -> Option<Self> {
        let parts: Vec<String> = path.trim_matches('/').split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] => ("", *version, rest),
            ["apis", group, version, rest @ ..] => (*group, *version, rest),
            _ => return None,
        };
        let (namespace, plural, name, subresource) = match rest {
            // `status` and `finalize` are parts of a namespace, everything else there is a kind within it.
            ["namespaces", name, sub @ ("status" | "finalize")] => ("", "namespaces", *name, *sub),
            ["namespaces", namespace, plural] => (*namespace, *plural, "", ""),
            ["namespaces", namespace, plural, name] => (*namespace, *plural, *name, ""),
            ["namespaces", namespace, plural, name, sub] => (*namespace, *plural, *name, *sub),
            [plural] => ("", *plural, "", ""),
            [plural, name] => ("", *plural, *name, ""),
            [plural, name, sub] => ("", *plural, *name, *sub),
            _ => return None,
        };
        Some(Self {
            group: group.to_owned(),
            version: version.to_owned(),
            namespace: namespace.to_owned(),
            plural: plural.to_owned(),
            name: name.to_owned(),
            subresource: subresource.to_owned(),
        })
    }
}

fn decoded(part: &str) -> String {
    // A form decoder reads `+` as a space, which a path does not mean.
    let part = format!("x={}", part.replace('+', "%2B").replace('&', "%26"));
    parse(part.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The query of a request.
#[derive(Debug)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(request: &Request<Bytes>) -> Self {
        Self(parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    /// The first value of a name, as in Go, or the empty text.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        matches!(self.get(name), "true" | "1")
    }
}

/// The media type of the body, without parameters.
pub(super) fn content_type(request: &Request<Bytes>) -> &str {
    let header = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.split(';').next().unwrap_or_default().trim()
}

/// The `Accept` header without blanks, so that parameters compare.
pub(super) fn accept(request: &Request<Bytes>) -> String {
    let header = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    header.chars().filter(|character| !character.is_whitespace()).collect()
}

/// The manager that writes: as the query says, else the first word of the user agent.
pub(super) fn manager(request: &Request<Bytes>, query: &Query) -> String {
    let given = query.get("fieldManager");
    if !given.is_empty() {
        return given.to_owned();
    }
    let agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let agent = agent.split('/').next().unwrap_or_default();
    if agent.is_empty() { "unknown".to_owned() } else { agent.to_owned() }
}

/// The body as a value, from JSON or YAML.
pub(super) fn body(bytes: &[u8]) -> Result<Value, Refusal> {
    read_yaml(bytes)
        .map_err(|error| Refusal::bad_request(format!("error decoding YAML: error converting YAML to JSON: {error}")))
}

/// The value in YAML. Most is JSON, which is read sooner.
pub(super) fn read_yaml(bytes: &[u8]) -> Result<Value, String> {
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_none_or(|first| matches!(first, b'{' | b'['))
        && let Ok(mut value) = serde_json::from_slice(bytes)
    {
        without_points(&mut value);
        return Ok(value);
    }
    std::str::from_utf8(bytes).map_err(|_| goyaml::not_text(bytes)).and_then(yaml::read)
}

/// A float without a fraction becomes an integer, because Go writes both in the same way.
pub(super) fn without_points(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() || number.as_i64().is_none() => {
            if let Some(Ok(plain)) = number.as_f64().map(yaml::as_json) {
                *value = plain;
            }
        }
        Value::Object(fields) => fields.values_mut().for_each(without_points),
        Value::Array(items) => items.iter_mut().for_each(without_points),
        _ => {}
    }
}

/// Removes nulls: in what a client sends they are as good as absent.
pub(super) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(entries) => entries.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> (String, String, String, String, String) {
        let target = Target::parse(path).unwrap();
        (target.group, target.namespace, target.plural, target.name, target.subresource)
    }

    #[test]
    fn a_namespace_is_an_object_and_a_place() {
        let expected = |parts: [&str; 5]| {
            let [group, namespace, plural, name, subresource] = parts.map(str::to_owned);
            (group, namespace, plural, name, subresource)
        };
        assert_eq!(target("/api/v1/namespaces/a"), expected(["", "", "namespaces", "a", ""]));
        assert_eq!(target("/api/v1/namespaces/a/status"), expected(["", "", "namespaces", "a", "status"]));
        assert_eq!(target("/api/v1/namespaces/a/pods"), expected(["", "a", "pods", "", ""]));
        let scale = target("/apis/apps/v1/namespaces/a/deployments/d/scale");
        assert_eq!(scale, expected(["apps", "a", "deployments", "d", "scale"]));
        assert_eq!(Target::parse("/healthz"), None);
    }

    #[test]
    fn yaml_is_that_of_goyaml() {
        let value = body(b"a: no\nb: \"0123\"\nc: 0123\n").unwrap();
        assert_eq!(value, serde_json::json!({"a": false, "b": "0123", "c": 83}));
    }
}
