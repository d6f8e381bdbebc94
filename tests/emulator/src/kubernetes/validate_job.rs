//! What the API server refuses in jobs and in the template of a cron job, in the order of `validateJobSpec` of Kubernetes 1.33.

use serde_json::{Value, json};

use super::object::{name, number, text};
use super::refusal::Flaw;
use super::{go_text, validate_metadata, validate_pod};

const COUNTS: [&str; 7] = [
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
];
/// So many pods with indexes may run at once.
const MOST_AT_ONCE: i64 = 100_000;

pub(super) fn job(object: &Value, flaws: &mut Vec<Flaw>) {
    names_of_pods(object, flaws);
    spec(object, "/spec", flaws);
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    if object["spec"]["manualSelector"] != true && labels.is_some_and(|labels| labels.len() > 1) {
        let value = go_text::selector(&object["spec"]["selector"]);
        flaws.push(Flaw::invalid_go("spec.selector", &value, "`selector` not auto-generated"));
    }
}

/// The name of an indexed job, with the last index, is the host name of a pod.
fn names_of_pods(object: &Value, flaws: &mut Vec<Flaw>) {
    let last = number(object, "/spec/completions").filter(|count| *count > 0 && is_indexed(&object["spec"]));
    if let Some(last) = last {
        let host = format!("{}-{}", name(object), last - 1);
        if !validate_metadata::is_host(&host) {
            let detail = format!("will not able to create pod with invalid DNS label: {host}");
            flaws.push(Flaw::invalid("metadata.name", &json!(name(object)), &detail));
        }
    }
}

fn is_indexed(spec: &Value) -> bool {
    text(spec, "/completionMode") == "Indexed"
}

fn spec(object: &Value, pointer: &str, flaws: &mut Vec<Flaw>) {
    let spec = object.pointer(pointer).unwrap_or(&Value::Null);
    let at = |field: &str| format!("{}.{field}", pointer[1..].replace('/', "."));
    for field in COUNTS {
        if let Some(number) = number(spec, &format!("/{field}")).filter(|number| *number < 0) {
            flaws.push(Flaw::invalid(at(field), &json!(number), "must be greater than or equal to 0"));
        }
    }
    if !spec["maxFailedIndexes"].is_null() && spec["backoffLimitPerIndex"].is_null() {
        flaws.push(Flaw::required(at("backoffLimitPerIndex"), "when maxFailedIndexes is specified"));
    }
    completion(spec, &at, flaws);
    validate_pod::template(object, &format!("{pointer}/template"), flaws);
    match text(spec, "/template/spec/restartPolicy") {
        "OnFailure" | "Never" => {}
        "" | "Always" => {
            let detail = "valid values: \"OnFailure\", \"Never\"";
            flaws.push(Flaw::required(at("template.spec.restartPolicy"), detail));
        }
        other => {
            let detail = "supported values: \"OnFailure\", \"Never\"";
            flaws.push(Flaw::unsupported(at("template.spec.restartPolicy"), &json!(other), detail));
        }
    }
    word(spec, "podReplacementPolicy", &["Failed", "TerminatingOrFailed"], &at, flaws);
}

fn completion(spec: &Value, at: &dyn Fn(&str) -> String, flaws: &mut Vec<Flaw>) {
    word(spec, "completionMode", &["NonIndexed", "Indexed"], at, flaws);
    if !is_indexed(spec) {
        for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if !spec[field].is_null() {
                flaws.push(Flaw::invalid(at(field), &spec[field], "requires indexed completion mode"));
            }
        }
        return;
    }
    if spec["completions"].is_null() {
        flaws.push(Flaw::required(at("completions"), "when completion mode is Indexed"));
    }
    if let Some(many) = number(spec, "/parallelism").filter(|many| *many > MOST_AT_ONCE) {
        let detail = format!("must be less than or equal to {MOST_AT_ONCE} when completion mode is Indexed");
        flaws.push(Flaw::invalid(at("parallelism"), &json!(many), &detail));
    }
}

/// Rejects an unknown word; the empty one is unknown, too.
fn word(spec: &Value, field: &str, known: &[&str], at: &dyn Fn(&str) -> String, flaws: &mut Vec<Flaw>) {
    if let Some(given) = spec[field].as_str().filter(|given| !known.contains(given)) {
        let known: Vec<_> = known.iter().map(|one| format!("\"{one}\"")).collect();
        flaws.push(Flaw::unsupported(at(field), &json!(given), &format!("supported values: {}", known.join(", "))));
    }
}

pub(super) fn cron_job(object: &Value, flaws: &mut Vec<Flaw>) {
    let schedule = text(object, "/spec/schedule");
    let fields: Vec<_> = schedule.split_whitespace().collect();
    if fields.len() != 5 && !schedule.starts_with('@') {
        let detail = format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" "));
        flaws.push(Flaw::invalid("spec.schedule", &json!(schedule), &detail));
    }
    spec(object, "/spec/jobTemplate/spec", flaws);
}
