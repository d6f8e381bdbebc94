//! Why pods do not run, as a table.

use super::table;
use crate::{
    operation::exports::{Explanation, OtherCause, PodGroup},
    quoted::quoted,
};
use std::fmt;

/// How many names a line shows.
const MOST_NAMES: usize = 3;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.groups.is_empty() {
            let header = ["PODS", "IMAGE", "CAUSE", "NEXT STEP"].map(str::to_owned);
            let rows: Vec<[String; 4]> = std::iter::once(header).chain(self.groups.iter().map(row)).collect();
            table::write(f, &rows)?;
            writeln!(f)?;
        }
        self.other_causes.iter().try_for_each(|cause| writeln!(f, "{cause}"))?;
        let failing: usize = self.groups.iter().map(|group| group.pods.len()).sum();
        let other: usize = self.other_causes.iter().map(|cause| cause.objects.len()).sum();
        write!(f, "{}/{}: {} healthy", self.cluster.group(), self.cluster.name(), self.healthy_pods)?;
        write!(f, ", {} starting, {failing} without an image, {other} with another cause", self.starting_pods)?;
        self.needs.iter().try_for_each(|need| write!(f, "\nnot read: needs {need}"))
    }
}

fn row(group: &PodGroup) -> [String; 4] {
    let found = group.report.findings.first();
    let cause = found.map_or_else(String::new, |one| one.id.to_string());
    let step = found.map_or_else(String::new, |one| one.next_step.summary.clone());
    [group.pods.len().to_string(), group.image.clone(), cause, step].map(quoted)
}

impl fmt::Display for PodGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", names(&self.pods), self.report)
    }
}

impl fmt::Display for OtherCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = quoted(self.message.clone());
        let namespace = quoted(self.namespace.clone());
        write!(f, "{} in {namespace}: {} ({text})", names(&self.objects), self.kind.sentence())
    }
}

fn names(all: &[String]) -> String {
    let shown = all.iter().take(MOST_NAMES).cloned().map(quoted).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
