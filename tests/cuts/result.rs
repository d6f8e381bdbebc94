//! What an operation may give when it was cut before: each part of it is as in a first run, or as in a second one.

use crate::{end::is_time, line::Way};
use serde_json::{Value, json};

/// Parts that differ from run to run, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("correlation_id", "names one request"),
    ("link", "names one operation of Azure, and is signed"),
    ("reason", "says why a read failed"),
    ("etag", "chance: each write of a cluster makes another"),
    ("file", "lies in a folder of each run's own"),
];

/// The reads of a check that are not sent again: a sign-in that has its own retries comes before them.
const UNREAD: [&str; 2] = ["unknown.image", "unknown.principal"];

/// Where a result is neither like the first nor like the second run's. Where a connection was lost, the proof of an import may be
/// weaker: a read failed, and the proof says so. So may the plan of a deletion, without the number of repositories, and a report may be
/// unknown, for what it names.
pub fn differences(is: &Value, wanted: &[Value], way: Option<Way>) -> Vec<String> {
    let mut is = is.clone();
    let unread = json!({ "part": "repositories", "missing_action": null });
    let weaker = json!({ "proof": { "kind": "target_only" }, "repositories": null, "unread": [unread] });
    let weaker = Some(&weaker).filter(|_| way == Some(Way::ConnectionLost));
    if weaker.is_some() {
        skip_unknown(&mut is, wanted);
    }
    let mut found = Vec::new();
    compare(&is, &wanted.iter().chain(weaker).collect::<Vec<_>>(), "result", &mut found);
    found
}

/// Puts what is wanted in the place of a report, or of the reports of groups of pods, that is unknown only for want of these reads.
fn skip_unknown(is: &mut Value, wanted: &[Value]) {
    let wanted = wanted.first().cloned().unwrap_or_default();
    if is_unknown(is) {
        *is = wanted;
        return;
    }
    let groups = is.get_mut("groups").and_then(Value::as_array_mut).into_iter().flatten();
    for (group, wanted) in groups.zip(wanted["groups"].as_array().into_iter().flatten()) {
        if is_unknown(&group["report"]) {
            group["report"] = wanted["report"].clone();
        }
    }
}

/// One such finding, for each of which the report is not another verdict.
fn is_unknown(report: &Value) -> bool {
    let findings = report["findings"].as_array().map(Vec::as_slice).unwrap_or_default();
    report["verdict"] != "can_pull" && findings.iter().any(|one| UNREAD.iter().any(|id| one["id"] == *id))
}

fn compare(is: &Value, wanted: &[&Value], place: &str, found: &mut Vec<String>) {
    match is {
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(key, _)| DIFFERENT.iter().all(|(name, _)| name != key)) {
                let wanted: Vec<&Value> = wanted.iter().filter_map(|one| one.get(key)).collect();
                compare(value, &wanted, &format!("{place}.{key}"), found);
            }
        }
        // Of a list, a second run may find a part left to do.
        Value::Array(list) => {
            let all: Vec<&Value> = wanted.iter().filter_map(|one| one.as_array()).flatten().collect();
            for (number, value) in list.iter().enumerate() {
                let fits = |one: &&&Value| {
                    let mut unfit = Vec::new();
                    compare(value, &[**one], place, &mut unfit);
                    unfit.is_empty()
                };
                if !all.iter().any(|one| fits(&one)) {
                    compare(value, &all, &format!("{place}.{number}"), found);
                }
            }
            let lengths = wanted.iter().filter_map(|one| one.as_array()).map(Vec::len);
            if lengths.max().is_none_or(|most| list.len() > most) {
                found.push(format!("{place}: {} entries", list.len()));
            }
        }
        _ if wanted.contains(&is) || (is_time(is) && wanted.iter().any(|one| is_time(one))) => {}
        _ => found.push(format!("{place}: {is}, which is neither {wanted:?}")),
    }
}
