//! What the API server refuses in the metadata of an object or a template: names, labels, annotations. The texts are those of
//! `k8s.io/apimachinery/pkg/util/validation` 0.33.

use serde_json::{Value, json};

use super::kinds::Kind;
use super::limits;
use super::object::{name, text};
use super::refusal::Flaw;

const VALUE_RULE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const KEY_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character \
    (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_RULE: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must \
    start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SERVICE_RULE: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and \
    end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
    '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// The flaws of an object's metadata.
pub(super) fn flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let name = name(object);
    flaws.extend(of_name(kind, name).iter().map(|rule| Flaw::invalid("metadata.name", &json!(name), rule)));
    labels(object.pointer("/metadata/labels"), "metadata.labels", &mut flaws);
    annotations(object.pointer("/metadata/annotations"), "metadata.annotations", &mut flaws);
    flaws
}

/// The flaws of the prefix that a new object's name is made from.
pub(super) fn prefix_flaws(kind: &Kind, object: &Value) -> Vec<Flaw> {
    let prefix = text(object, "/metadata/generateName");
    // What follows makes a dash at the end valid.
    let name = match prefix.strip_suffix('-') {
        Some(start) if !start.is_empty() => format!("{}a", &start[..start.len() - last_length(start)]),
        _ => prefix.to_owned(),
    };
    let rules = if prefix.is_empty() { Vec::new() } else { of_name(kind, &name) };
    rules.iter().map(|rule| Flaw::invalid("metadata.generateName", &json!(prefix), rule)).collect()
}

fn last_length(text: &str) -> usize {
    text.chars().next_back().map_or(0, char::len_utf8)
}

/// Labels, of an object or of a template.
pub(super) fn labels(labels: Option<&Value>, field: &str, flaws: &mut Vec<Flaw>) {
    for (key, value) in labels.and_then(Value::as_object).into_iter().flatten() {
        label_key(key, field, flaws);
        label_value(value, field, flaws);
    }
}

pub(super) fn label_key(key: &str, field: &str, flaws: &mut Vec<Flaw>) {
    flaws.extend(of_key(key).iter().map(|rule| Flaw::invalid(field, &json!(key), rule)));
}

pub(super) fn label_value(value: &Value, field: &str, flaws: &mut Vec<Flaw>) {
    // A value of another type breaks the rule, as a blank does.
    let text = value.as_str().unwrap_or(" ");
    if text.len() > 63 {
        flaws.push(Flaw::invalid(field, value, &at_most(63)));
    }
    if !is_word(text) {
        flaws.push(Flaw::invalid(field, value, VALUE_RULE));
    }
}

/// Annotations, of an object or of a template. Their keys may have capitals everywhere.
pub(super) fn annotations(annotations: Option<&Value>, field: &str, flaws: &mut Vec<Flaw>) {
    for key in annotations.and_then(Value::as_object).into_iter().flatten().map(|(key, _)| key) {
        let rules = of_key(&key.to_lowercase());
        flaws.extend(rules.iter().map(|rule| Flaw::invalid(field, &json!(key), rule)));
    }
    flaws.extend(limits::annotations(annotations, field));
}

/// The rules that a name of a kind breaks.
fn of_name(kind: &Kind, name: &str) -> Vec<String> {
    if kind.group == "rbac.authorization.k8s.io" {
        return of_segment(name);
    }
    match kind.kind.as_str() {
        "Service" => {
            of_label(name, is_label(name) && !name.starts_with(|letter: char| letter.is_ascii_digit()), SERVICE_RULE)
        }
        "Namespace" => {
            let rule = if is_subdomain(name) { "must not contain dots" } else { LABEL_RULE };
            of_label(name, is_label(name), rule)
        }
        _ => of_subdomain(name),
    }
}

/// The rules that the name of a container breaks.
pub(super) fn of_container(name: &str) -> Vec<String> {
    let rule = if is_subdomain(name) { "must not contain dots" } else { LABEL_RULE };
    of_label(name, is_label(name), rule)
}

fn of_label(name: &str, is_valid: bool, rule: &str) -> Vec<String> {
    let mut rules = Vec::new();
    if name.len() > 63 {
        rules.push(at_most(63));
    }
    if !is_valid {
        rules.push(rule.to_owned());
    }
    rules
}

fn of_subdomain(name: &str) -> Vec<String> {
    let mut rules = Vec::new();
    if name.len() > 253 {
        rules.push(at_most(253));
    }
    if !is_subdomain(name) {
        rules.push(SUBDOMAIN_RULE.to_owned());
    }
    rules
}

/// Whether a pod may have this host name.
pub(super) fn is_host(name: &str) -> bool {
    name.len() <= 63 && is_label(name)
}

/// A name that is a part of a path and nothing else.
fn of_segment(name: &str) -> Vec<String> {
    if matches!(name, "." | "..") {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"].iter().filter(|part| name.contains(**part)).map(|part| format!("may not contain '{part}'")).collect()
}

/// The rules that the key of a label or an annotation breaks.
fn of_key(key: &str) -> Vec<String> {
    let mut rules = Vec::new();
    let name = match key.split('/').collect::<Vec<_>>()[..] {
        [name] => name,
        ["", name] => {
            rules.push("prefix part must be non-empty".to_owned());
            name
        }
        [prefix, name] => {
            rules.extend(of_subdomain(prefix).iter().map(|rule| format!("prefix part {rule}")));
            name
        }
        _ => {
            let example = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
            return vec![format!("a qualified name {KEY_RULE} {example}")];
        }
    };
    if name.is_empty() {
        rules.push("name part must be non-empty".to_owned());
    } else if name.len() > 63 {
        rules.push(format!("name part {}", at_most(63)));
    }
    if name.is_empty() || !is_word(name) {
        rules.push(format!("name part {KEY_RULE}"));
    }
    rules
}

fn at_most(length: usize) -> String {
    format!("must be no more than {length} characters")
}

fn has_edges(text: &str) -> bool {
    let is_edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    is_edge(text.as_bytes().first()) && is_edge(text.as_bytes().last())
}

fn is_word(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    text.is_empty() || (has_edges(text) && text.bytes().all(is_inside))
}

fn is_label(text: &str) -> bool {
    let is_inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    has_edges(text) && text.bytes().all(is_inside)
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}
