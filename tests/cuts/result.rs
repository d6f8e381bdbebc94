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

/// Where a result is neither like the first nor like the second run's. Where a connection was lost, the proof of an import may be
/// weaker: a read failed, and the proof says so. So may the plan of a deletion, without the number of repositories, and a check, without the
/// image.
pub fn differences(is: &Value, wanted: &[Value], way: Option<Way>) -> Vec<String> {
    let unread = json!({ "part": "repositories", "missing_action": null });
    let page = concat!(
        "https://github.com/aks-acr/aks-acr/blob/v",
        env!("CARGO_PKG_VERSION"),
        "/docs/findings/unknown.image.md"
    );
    let unseen = json!({
        "docs": page, "id": "unknown.image", "status": "unknown", "stage": "image", "message": "the image could not be read", "evidence": [],
        "needs": [{ "action": null, "option": null, "scope": null, "smallest_role": null }], "retry": "never",
        "next_step": {
            "summary": "get the missing role, or check from a network that reaches the registry", "operation": null,
            "arguments": {}, "command": null,
        },
    });
    let stage = |name: &str, state: &str| json!({ "name": name, "state": state, "by": null });
    let stages = [stage("image", "unknown"), stage("platform", "not_checked")];
    // The same beside the two causes of a group of pods.
    let report = json!({ "findings": [unseen, unseen, unseen], "stages": stages });
    let weaker = json!({
        "proof": { "kind": "target_only" }, "repositories": null, "unread": [unread],
        "verdict": "unknown", "findings": [unseen], "stages": stages, "groups": [{ "report": report }],
    });
    let mut found = Vec::new();
    let weaker = Some(&weaker).filter(|_| way == Some(Way::ConnectionLost));
    compare(is, &wanted.iter().chain(weaker).collect::<Vec<_>>(), "result", &mut found);
    found
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
