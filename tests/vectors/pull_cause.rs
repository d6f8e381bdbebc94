//! What each text of a real containerd means: the causes of `pull_causes.json`, which the suite `tests/peers/containerd` writes.

use aks_acr::{PullFinding, PullRetry};
use libtest_mimic::Trial;
use serde::Deserialize;
use std::collections::BTreeMap;

const CAUSES: &str = include_str!("pull_causes.json");

#[derive(Clone, Deserialize)]
struct Cause {
    #[serde(rename = "cause")]
    name: String,
    /// What every version's text means; none if the image is pulled.
    finding: Option<String>,
    retry: Option<PullRetry>,
    texts: BTreeMap<String, Option<String>>,
}

pub(super) fn trials() -> Vec<Trial> {
    let causes: Vec<Cause> = match serde_json::from_str(CAUSES) {
        Ok(causes) => causes,
        Err(err) => return vec![Trial::test("pull_cause::all_causes", move || Err(err.into()))],
    };
    let each = causes.into_iter().map(|cause| {
        let name = format!("pull_cause::{}", cause.name.replace(' ', "_"));
        Trial::test(name, move || {
            check(&cause);
            Ok(())
        })
    });
    each.collect()
}

fn check(cause: &Cause) {
    assert_eq!(cause.texts.len(), 3, "a text of each version");
    for (version, text) in &cause.texts {
        let found = text.as_ref().map(|text| PullFinding::read("ErrImagePull", text));
        let read = (found.as_ref().map(|found| found.id.as_str()), found.as_ref().map(|found| found.retry));
        assert_eq!(read, (cause.finding.as_deref(), cause.retry), "containerd {version}: {text:?}");
    }
}
