//! Pseudonyms in a result instead of names, IDs, hosts and addresses, so that it can be shown to others.
//!
//! Names are not searched for: a text keeps the words that this library, the kubelet and containerd have themselves, and every other word
//! becomes a pseudonym. A name that is such a word is replaced where it can only be a name: as a whole value, in quotes, or in a path.

mod address;
mod pseudonyms;
mod resource;

use crate::{
    error::{Error, ErrorKind, Result},
    stored_time,
};
use pseudonyms::Pseudonyms;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Fields whose values are this library's or Azure's own words, numbers and times. The value of any other field is replaced.
const OWN: [&str; 24] = [
    "action",
    "architecture",
    "checked_at",
    "docs",
    "id",
    "kind",
    "last_failed",
    "name",
    "operation",
    "option",
    "os",
    "outcome",
    "proof",
    "result_type",
    "retry",
    "retry_at",
    "root_cause",
    "smallest_role",
    "stage",
    "state",
    "status",
    "time",
    "verdict",
    "version",
];

/// Fields that are a resource ID as a whole.
const RESOURCES: [&str; 3] = ["cluster", "registry", "scope"];

/// The field of what was read: none of its names is only a word of ours.
const FACTS: &str = "facts";

/// A result with pseudonyms. Equal values have equal pseudonyms; their digits are equal in all results about one subscription.
pub(crate) fn same<T: Serialize + DeserializeOwned>(value: &T) -> Result<T> {
    let json = serde_json::to_string(value).map_err(|err| unreadable(&err))?;
    serde_json::from_str(&redacted(&json)?).map_err(|err| unreadable(&err))
}

/// The JSON form of a result with pseudonyms.
fn redacted(json: &str) -> Result<String> {
    let mut value: Value = serde_json::from_str(json).map_err(|err| unreadable(&err))?;
    let mut names = Pseudonyms::new(json, key(&value));
    learn(&mut names, "", &value);
    replace(&mut names, ("", false), &mut value);
    Ok(value.to_string())
}

/// What keys the pseudonyms: the ID of the cluster's subscription, which nobody guesses and no result with pseudonyms shows.
fn key(value: &Value) -> &str {
    let id = value["cluster"].as_str().unwrap_or_default();
    id.split('/').nth(2).unwrap_or_default()
}

/// A value without a JSON form, such as a time before the year 0. What the parser quotes is not shown.
fn unreadable(err: &serde_json::Error) -> Error {
    let place = format!("{}, column {}", err.line(), err.column());
    Error::new(ErrorKind::Unexpected, "the result has no valid JSON form").with_context("line", place)
}

/// Registers the names whose kind is known by their place, before any text is replaced.
fn learn(names: &mut Pseudonyms, field: &str, value: &Value) {
    match value {
        Value::String(text) => {
            match field {
                "image" => names.learn_image(text),
                "pods" => text.split('/').zip(["namespace", "pod"]).for_each(|(one, kind)| names.learn(one, kind)),
                "objects" => names.learn(text.rsplit('/').next().unwrap_or(text), "object"),
                _ if is_resource(field, text) => names.learn_resource(text),
                "pod" if text.contains('/') => {
                    text.split('/').zip(["namespace", "pod"]).for_each(|(one, kind)| names.learn(one, kind));
                }
                "pod" => names.learn(text, "pod"),
                "pool" => names.learn(text, "pool"),
                "node" => names.learn(text, "node"),
                "container" => names.learn(text, "container"),
                "namespace" => names.learn(text, "namespace"),
                "service_account" => names.learn(text, "account"),
                "pull_secrets" => names.learn(text, "secret"),
                _ => {}
            }
            names.learn_resources(text);
        }
        Value::Array(all) => all.iter().for_each(|one| learn(names, field, one)),
        // The pools of what was read have only a name.
        Value::Object(all) if field == "node_pools" => {
            all.iter().for_each(|(field, one)| learn(names, if field == "name" { "pool" } else { field }, one));
        }
        // So have the pull secrets.
        Value::Object(all) if field == "secrets" || field == "later" => {
            all.iter().for_each(|(field, one)| learn(names, if field == "name" { "pull_secrets" } else { field }, one));
        }
        Value::Object(all) => all.iter().for_each(|(field, one)| learn(names, field, one)),
        _ => {}
    }
}

fn replace(names: &mut Pseudonyms, (field, is_fact): (&str, bool), value: &mut Value) {
    match value {
        Value::String(text) if is_fact && stored_time::parse(text).is_some() => {}
        Value::String(text) if is_resource(field, text) => *text = names.resource(text),
        Value::String(text) if is_fact || !OWN.contains(&field) => *text = names.text(text),
        Value::Array(all) => all.iter_mut().for_each(|one| replace(names, (field, is_fact), one)),
        // The arguments of a next step have names of their own.
        Value::Object(all) if field == "arguments" => {
            all.iter_mut().for_each(|(_, one)| replace(names, (field, is_fact), one));
        }
        Value::Object(all) => {
            all.iter_mut().for_each(|(field, one)| replace(names, (field, is_fact || field == FACTS), one));
        }
        _ => {}
    }
}

fn is_resource(field: &str, text: &str) -> bool {
    RESOURCES.contains(&field) && text.starts_with('/')
}

#[cfg(test)]
mod tests;
