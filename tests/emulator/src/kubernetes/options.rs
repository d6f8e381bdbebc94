//! What a request asks for besides its object: a dry run, and how to delete.

use serde_json::{Value, json};

use super::deletion::Deletion;
use super::go_json;
use super::object::{bounded, text};
use super::refusal::Refusal;
use super::request::{Query, content_type};
use super::typed::json_name;
use super::writes::Call;

/// Refuses a dry run of another kind than `All`. The options of a deletion may be in its body: [`deletion`] checks them.
pub(super) fn check_dry_run(method: &str, query: &Query) -> Result<(), Refusal> {
    let options = match method {
        "POST" => "CreateOptions",
        "PUT" => "UpdateOptions",
        "PATCH" => "PatchOptions",
        _ => return Ok(()),
    };
    check_words(options, &query.all("dryRun").collect::<Vec<_>>())
}

fn check_words(options: &str, given: &[&str]) -> Result<(), Refusal> {
    if given.iter().all(|word| *word == "All") {
        return Ok(());
    }
    let quoted: Vec<_> = given.iter().map(|word| json!(word).to_string()).collect();
    let why = format!("Unsupported value: []string{{{}}}: supported values: \"All\"", quoted.join(", "));
    Err(invalid(options, "dryRun", "FieldValueNotSupported", &why))
}

fn invalid(options: &str, field: &str, reason: &str, why: &str) -> Refusal {
    let causes = json!([{"reason": reason, "message": why, "field": field}]);
    let message = format!("{options}.meta.k8s.io \"\" is invalid: {field}: {why}");
    Refusal::options(&message, json!({"group": "meta.k8s.io", "kind": options, "causes": causes}))
}

/// The options of a deletion.
pub(super) struct DeleteOptions {
    pub(super) deletion: Deletion,
    pub(super) is_dry_run: bool,
    pub(super) preconditions: Value,
}

impl DeleteOptions {
    /// Those of the body; without one, those of the query.
    pub(super) fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        let bytes = call.request.body();
        let given = if bytes.is_empty() { of_query(call.query)? } else { of_body(call)? };
        check(&given)?;
        let orphan = given["orphanDependents"].as_bool();
        let propagation = match (text(&given, "/propagationPolicy"), orphan) {
            ("", Some(true)) => "Orphan",
            ("", Some(false)) => "Background",
            (policy, _) => policy,
        };
        Ok(Self {
            deletion: Deletion {
                grace: given["gracePeriodSeconds"].as_i64().map(bounded),
                propagation: propagation.to_owned(),
            },
            is_dry_run: given["dryRun"].as_array().is_some_and(|words| !words.is_empty()),
            preconditions: given["preconditions"].clone(),
        })
    }
}

fn of_query(query: &Query) -> Result<Value, Refusal> {
    let mut options = json!({"dryRun": query.all("dryRun").collect::<Vec<_>>()});
    if let Some(policy) = query.all("propagationPolicy").next() {
        options["propagationPolicy"] = json!(policy);
    }
    if let Some(seconds) = query.all("gracePeriodSeconds").next() {
        let number: i64 = seconds.parse().map_err(|_| {
            Refusal::bad_request(format!("strconv.ParseInt: parsing {}: invalid syntax", json!(seconds)))
        })?;
        options["gracePeriodSeconds"] = json!(number);
    }
    // Any other word than these counts as true.
    if let Some(orphan) = query.all("orphanDependents").next() {
        options["orphanDependents"] = json!(!matches!(orphan.to_lowercase().as_str(), "false" | "0"));
    }
    Ok(options)
}

/// Errors of this body have no status, so they are internal ones.
fn of_body(call: &Call<'_>) -> Result<Value, Refusal> {
    let bytes = call.request.body();
    let unrecognized = |why: String| Refusal::internal(format!("couldn't get version/kind; json parse error: {why}"));
    let is_json = matches!(content_type(call.request), "" | "application/json");
    let options = if is_json { go_json::read(bytes).map_err(unrecognized)? } else { call.decoded()? };
    if options.is_null() {
        return Ok(json!({}));
    }
    if !options.is_object() {
        return Err(unrecognized(go_json::type_error(&options, go_json::TYPE_META)));
    }
    for (field, kind, fits) in [
        ("dryRun", "[]string", Value::is_array as fn(&Value) -> bool),
        ("gracePeriodSeconds", "int64", Value::is_i64),
        ("propagationPolicy", "v1.DeletionPropagation", Value::is_string),
        ("orphanDependents", "bool", Value::is_boolean),
        ("preconditions", "v1.Preconditions", Value::is_object),
    ] {
        let value = &options[field];
        if !value.is_null() && !fits(value) {
            let word = json_name(value);
            let message =
                format!("json: cannot unmarshal {word} into Go struct field DeleteOptions.{field} of type {kind}");
            return Err(Refusal::internal(message));
        }
    }
    Ok(options)
}

fn check(options: &Value) -> Result<(), Refusal> {
    const KIND: &str = "DeleteOptions";
    let policy = &options["propagationPolicy"];
    if !policy.is_null() && !options["orphanDependents"].is_null() {
        let why = format!("Invalid value: {policy}: orphanDependents and deletionPropagation cannot be both set");
        return Err(invalid(KIND, "propagationPolicy", "FieldValueInvalid", &why));
    }
    if policy.as_str().is_some_and(|policy| !matches!(policy, "Foreground" | "Background" | "Orphan")) {
        let known = "\"Foreground\", \"Background\", \"Orphan\", \"nil\"";
        let why = format!("Unsupported value: {policy}: supported values: {known}");
        return Err(invalid(KIND, "propagationPolicy", "FieldValueNotSupported", &why));
    }
    let words = options["dryRun"].as_array().map(Vec::as_slice).unwrap_or_default();
    check_words(KIND, &words.iter().map(|word| word.as_str().unwrap_or_default()).collect::<Vec<_>>())
}
