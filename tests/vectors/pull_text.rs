//! What texts of failed pulls mean: each with the program, issue or page that it is from.

use aks_acr::{FindingId, PullFinding, PullRetry};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use std::time::SystemTime;

const TEXTS: &str = include_str!("pull_texts.json");

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    finding: String,
    retry: PullRetry,
    reason: String,
    text: String,
    source: String,
    /// The image that the pod names, for a text that does not name it.
    image: Option<String>,
    address: Option<String>,
    host: Option<String>,
    retry_at: Option<String>,
}

pub(super) fn trials() -> Vec<Trial> {
    let rows: Vec<Row> = match serde_json::from_str(TEXTS) {
        Ok(rows) => rows,
        Err(err) => return vec![Trial::test("pull_text::all_texts", move || Err(err.into()))],
    };
    let each = rows.into_iter().enumerate().map(|(number, row)| {
        let name = format!("pull_text::{:02}_{}", number + 1, row.finding);
        Trial::test(name, move || check(&row))
    });
    each.collect()
}

fn check(row: &Row) -> Result<(), Failed> {
    assert!(row.source.len() > 5, "it has a source");
    let found = match &row.image {
        Some(image) => PullFinding::of_image(image, &row.reason, &row.text),
        None => PullFinding::read(&row.reason, &row.text),
    };
    assert_eq!((found.id.as_str(), found.retry), (row.finding.as_str(), row.retry), "{}: {}", row.source, row.text);
    assert!(FindingId::ALL.contains(&found.id) && !found.message.is_empty() && !found.next_step.summary.is_empty());
    for (wanted, read) in [(&row.address, &found.address), (&row.host, &found.host)] {
        assert!(wanted.is_none() || wanted == read, "{wanted:?}, not {read:?}: {}", row.text);
    }
    let at =
        found.retry_at.map(|at| at.duration_since(SystemTime::UNIX_EPOCH).map(|since| since.as_secs())).transpose()?;
    assert_eq!(at.is_some(), row.retry_at.is_some());
    // What is stored is read again.
    let stored = serde_json::to_string(&found)?;
    assert_eq!(serde_json::from_str::<PullFinding>(&stored)?, found);
    Ok(())
}
