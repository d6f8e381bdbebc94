//! The page of findings: every ID, and the texts that lead to it.

use aks_acr::FindingId;
use serde::Deserialize;
use std::fmt::Write as _;

#[derive(Deserialize)]
struct Row {
    finding: String,
    text: String,
    source: String,
}

/// The made part of the page.
pub fn page() -> String {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../vectors/pull_texts.json")).unwrap();
    let mut page = String::from(
        "## All findings\n\nIn the order of a pull.\n\n| `id` | meaning | `retry` | next step |\n|---|---|---|---|\n",
    );
    for id in FindingId::ALL {
        let (meaning, retry, step) = (id.meaning().unwrap(), id.retry().unwrap(), id.next_step().unwrap());
        writeln!(page, "| `{id}` | {meaning} | `{retry}` | {step} |").unwrap();
    }
    page.push_str("\n## Texts\n\nThe texts of events and of waiting containers, grouped by finding. The line below each text names its source.\n");
    for id in FindingId::ALL {
        let of_it: Vec<&Row> = rows.iter().filter(|row| row.finding == id.as_str()).collect();
        if of_it.is_empty() {
            continue;
        }
        writeln!(page, "\n### {id}\n\n```text").unwrap();
        for row in of_it {
            writeln!(page, "{}\n    # {}", row.text, row.source).unwrap();
        }
        page.push_str("```\n");
    }
    page
}
