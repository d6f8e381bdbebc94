//! Results as HTML: one table without scripts, styles and anything from another place. All text is escaped.

use super::{
    finding::{Finding, FindingStatus},
    report::Report,
};
use crate::{quoted::Quoted, stored_time};
use std::fmt::{self, Write as _};

/// A text within HTML.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(self.0).to_string().chars().try_for_each(|letter| match letter {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            letter => f.write_char(letter),
        })
    }
}

/// A table: its caption, its header, and its rows. In a cell, each line of a list is separate.
pub(crate) fn table(caption: &str, header: &[&str], rows: &[Vec<Vec<String>>]) -> String {
    let header = header.iter().map(|cell| format!("<th>{}</th>", Escaped(cell))).collect::<Vec<_>>().concat();
    let cell = |lines: &Vec<String>| {
        let lines: Vec<String> = lines.iter().map(|line| Escaped(line).to_string()).collect();
        format!("<td>{}</td>", lines.join("<br>"))
    };
    let row = |row: &Vec<Vec<String>>| format!("<tr>{}</tr>", row.iter().map(cell).collect::<Vec<_>>().concat());
    let rows = rows.iter().map(row).collect::<Vec<_>>().concat();
    format!("<table><caption>{}</caption><tr>{header}</tr>{rows}</table>", Escaped(caption))
}

impl Report {
    /// One table in HTML: a row for each finding, each change and each event of the registry's logs. All text is escaped, and nothing is loaded.
    #[must_use]
    pub fn to_html(&self) -> String {
        let changed = self.changes.iter().map(|change| {
            let by = change.caller.iter().map(|caller| format!("by {caller}"));
            let evidence = [stored_time::text(change.time)].into_iter().chain(by).chain(change.details()).collect();
            let one = |text: &str| vec![text.to_owned()];
            vec![one("changed"), one(&change.action), one(&change.resource), evidence, Vec::new()]
        });
        let logged = self.registry_logs.iter().map(|event| {
            let by = event.identity.iter().map(|identity| format!("by {identity}"));
            let from = event.caller_address.iter().map(|address| format!("from {address}"));
            let result = event.result.iter().map(|result| format!("result {result}"));
            let evidence = [stored_time::text(event.time)].into_iter().chain(by).chain(from).chain(result).collect();
            let image = event.image().into_iter().collect();
            vec![vec!["logged".to_owned()], vec![event.operation.clone()], image, evidence, Vec::new()]
        });
        let rows: Vec<_> = self.findings.iter().map(row).chain(changed).chain(logged).collect();
        table(&self.headline(), &["status", "finding", "meaning", "evidence", "next step"], &rows)
    }
}

fn row(finding: &Finding) -> Vec<Vec<String>> {
    let status = match finding.status {
        FindingStatus::Failing => "fails",
        FindingStatus::Unknown => "unknown",
        FindingStatus::Warning => "warning",
    };
    let evidence = finding.evidence.iter().map(ToString::to_string);
    let evidence = evidence.chain(finding.needs.iter().map(|need| format!("needs {need}"))).collect();
    let step = [finding.next_step.summary.clone()].into_iter().chain(finding.next_step.command.clone()).collect();
    let one = |text: &str| vec![text.to_owned()];
    vec![one(status), one(finding.id.as_str()), one(&finding.message), evidence, step]
}
