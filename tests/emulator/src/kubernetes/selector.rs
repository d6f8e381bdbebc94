//! Label and field selectors, as queries write them and as objects hold them.

use serde_json::Value;

use super::object::{list, text};
use super::refusal::Refusal;

/// A label selector of a query or an object: all requirements must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(Vec<Requirement>);

#[derive(Clone, Debug)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Requirement {
    fn holds(&self, labels: Option<&Value>) -> bool {
        let value = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
        match self {
            Self::In(key, values) => value(key).is_some_and(|found| values.iter().any(|value| value == found)),
            Self::NotIn(key, values) => value(key).is_none_or(|found| values.iter().all(|value| value != found)),
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
        }
    }
}

impl Labels {
    /// `a=b,c!=d,e in (f,g),h notin (i),j,!k`.
    pub(super) fn parse(query: &str) -> Result<Self, Refusal> {
        let requirements: Option<Vec<_>> =
            split_outside_brackets(query).filter(|part| !part.is_empty()).map(requirement).collect();
        requirements
            .map(Self)
            .ok_or_else(|| Refusal::bad_request(format!("unable to parse requirement: {}", complaint(query))))
    }

    /// `matchLabels` and `matchExpressions`.
    pub(super) fn of(selector: &Value) -> Self {
        let equal = selector.get("matchLabels").and_then(Value::as_object).into_iter().flatten();
        let equal =
            equal.filter_map(|(key, value)| Some(Requirement::In(key.clone(), vec![value.as_str()?.to_owned()])));
        let expressions = list(selector, "/matchExpressions").iter().filter_map(expression);
        Self(equal.chain(expressions).collect())
    }

    /// The terms of a node affinity.
    pub(super) fn of_expressions(term: &Value) -> Self {
        Self(list(term, "/matchExpressions").iter().filter_map(expression).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether labels (a map, or nothing) fit.
    pub(super) fn fit(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|requirement| requirement.holds(labels))
    }
}

fn expression(expression: &Value) -> Option<Requirement> {
    let key = text(expression, "/key").to_owned();
    let values = || list(expression, "/values").iter().filter_map(Value::as_str).map(str::to_owned).collect();
    match text(expression, "/operator") {
        "In" => Some(Requirement::In(key, values())),
        "NotIn" => Some(Requirement::NotIn(key, values())),
        "Exists" => Some(Requirement::Exists(key)),
        "DoesNotExist" => Some(Requirement::Absent(key)),
        _ => None,
    }
}

fn split_outside_brackets(query: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    query
        .split(move |character| {
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            character == ',' && depth == 0
        })
        .map(str::trim)
}

fn requirement(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return is_key(key).then(|| Requirement::Absent(key.to_owned()));
    }
    for (word, negative) in [(" notin ", true), (" in ", false)] {
        if let Some((key, values)) = part.split_once(word) {
            let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
            let values = values.split(',').map(|value| value.trim().to_owned()).collect();
            let key = key.trim().to_owned();
            return Some(if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) });
        }
    }
    for (sign, negative) in [("!=", true), ("==", false), ("=", false)] {
        if let Some((key, value)) = part.split_once(sign) {
            let (key, value) = (key.trim(), value.trim());
            if !is_key(key) || !is_value(value) {
                return None;
            }
            let (key, values) = (key.to_owned(), vec![value.to_owned()]);
            return Some(if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) });
        }
    }
    is_key(part).then(|| Requirement::Exists(part.to_owned()))
}

/// What stands where it may not.
fn complaint(query: &str) -> String {
    let broken = split_outside_brackets(query).find(|part| !part.is_empty() && requirement(part).is_none());
    let part = broken.unwrap_or(query);
    let is_word = |letter: char| !letter.is_whitespace() && !"=!(),<>".contains(letter);
    let key = part.trim_start_matches('!').trim_start();
    let after = key.trim_start_matches(is_word).trim_start();
    if key.len() == key.trim_start_matches(is_word).len() {
        return format!("found '{}', expected: identifier", key.chars().next().unwrap_or_default());
    }
    match after.strip_prefix("==").or_else(|| after.strip_prefix("!=")).or_else(|| after.strip_prefix('=')) {
        Some(value) if value.trim_start().starts_with(|letter: char| !is_word(letter)) => {
            format!("found '{}', expected: identifier", value.trim_start().chars().next().unwrap_or_default())
        }
        Some(_) => part.to_owned(),
        None => {
            let word = after.split(|letter: char| !is_word(letter)).next().unwrap_or_default();
            format!("found '{word}', expected: in, notin, =, ==, !=, gt, lt")
        }
    }
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
}

fn is_value(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A field selector of a query.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, bool, String)>);

impl Fields {
    /// `metadata.name=a,status.phase!=Running`; only the fields that the kind indexes are allowed.
    pub(super) fn parse(query: &str, plural: &str) -> Result<Self, Refusal> {
        let mut terms = Vec::new();
        for part in query.split(',').filter(|part| !part.is_empty()) {
            let (field, equal, value) = match (part.split_once("!="), part.split_once('=')) {
                (Some((field, value)), _) => (field, false, value),
                (None, Some((field, value))) => (field, true, value.trim_start_matches('=')),
                (None, None) => {
                    return Err(Refusal::bad_request(format!("invalid selector: '{query}'")));
                }
            };
            if !is_indexed(plural, field) {
                return Err(Refusal::bad_request(not_indexed(plural, field)));
            }
            terms.push((format!("/{}", field.replace('.', "/")), equal, value.to_owned()));
        }
        Ok(Self(terms))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn fit(&self, object: &Value) -> bool {
        self.0.iter().all(|(pointer, equal, value)| {
            let found = object.pointer(pointer).map_or_else(String::new, |found| match found {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            (found == *value) == *equal
        })
    }
}

fn not_indexed(plural: &str, field: &str) -> String {
    if own_fields(plural).is_empty() {
        return format!("{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
    }
    format!("field label not supported: {field}")
}

fn is_indexed(plural: &str, field: &str) -> bool {
    matches!(field, "metadata.name" | "metadata.namespace") || own_fields(plural).contains(&field)
}

/// The fields that a kind indexes besides name and namespace.
fn own_fields(plural: &str) -> &'static [&'static str] {
    match plural {
        "pods" => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        "events" => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        "namespaces" => &["status.phase"],
        "nodes" => &["spec.unschedulable"],
        "secrets" => &["type"],
        "replicasets" => &["status.replicas"],
        "jobs" => &["status.successful"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_form_of_a_label_requirement_is_understood() {
        let labels = json!({"app": "a", "tier": "web"});
        for (query, expected) in [
            ("app=a,tier==web", true),
            ("app!=a", false),
            ("app in (a, b),tier notin (db)", true),
            ("app,!missing", true),
            ("missing!=x", true),
            ("missing", false),
            ("", true),
        ] {
            assert_eq!(Labels::parse(query).unwrap().fit(Some(&labels)), expected, "{query}");
        }
        assert!(Labels::parse("a b").is_err());
    }

    #[test]
    fn a_field_that_the_kind_does_not_index_is_refused() {
        assert!(Fields::parse("status.phase=Running", "pods").is_ok());
        assert!(Fields::parse("spec.replicas=1", "deployments").is_err());
    }
}
