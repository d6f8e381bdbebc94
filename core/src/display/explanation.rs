//! Why pods do not run, as a table.

use super::table;
use crate::{
    diagnosis::html,
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
            let rows: Vec<[String; 4]> =
                std::iter::once(header).chain(self.groups.iter().map(|group| self.row(group))).collect();
            table::write(f, &rows)?;
            writeln!(f)?;
        }
        self.other_causes.iter().try_for_each(|cause| writeln!(f, "{cause}"))?;
        f.write_str(&self.summary())?;
        self.needs.iter().try_for_each(|need| write!(f, "\nnot read: needs {need}"))
    }
}

impl Explanation {
    /// One table in HTML: a row for each group of pods, and for each other cause. All text is escaped, and nothing is loaded.
    #[must_use]
    pub fn to_html(&self) -> String {
        let groups = self.groups.iter().map(|group| {
            let [_, image, cause, step] = self.row(group);
            let meaning = group.report.findings.first().map(|one| one.message.clone());
            vec![group.pods.clone(), vec![image], vec![cause], meaning.into_iter().collect(), vec![step]]
        });
        let others = self.other_causes.iter().map(|cause| {
            let step = cause.next_step.clone().into_iter().collect();
            vec![cause.objects.clone(), Vec::new(), vec![cause.reason.clone()], vec![cause.message.clone()], step]
        });
        let rows: Vec<_> = groups.chain(others).collect();
        html::table(&self.summary(), &["pods", "image", "cause", "meaning", "next step"], &rows)
    }

    /// A group in one line. Groups with the same image and the same cause differ in their pools.
    fn row(&self, group: &PodGroup) -> [String; 4] {
        let of = |group: &PodGroup| group.report.findings.first().map(|one| one.id.clone());
        let is_like = |other: &&PodGroup| other.image == group.image && of(other) == of(group);
        let has_twin = self.groups.iter().filter(is_like).count() > 1;
        let [pods, image, mut cause, step] = row(group);
        if let Some(pool) = group.pool.as_ref().filter(|_| has_twin) {
            cause = format!("{cause} (pool {})", quoted(pool.clone()));
        }
        [pods, image, cause, step]
    }

    /// The numbers of pods, in one line.
    fn summary(&self) -> String {
        let failing: usize = self.groups.iter().map(|group| group.pods.len()).sum();
        let other: usize = self.other_causes.iter().map(|cause| cause.objects.len()).sum();
        let Self { cluster, healthy_pods, starting_pods, .. } = self;
        let of = format!("{}/{}: {healthy_pods} healthy, {starting_pods} starting", cluster.group(), cluster.name());
        format!("{of}, {failing} without an image, {other} with another cause")
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
        f.write_str(&names(&self.pods))?;
        if let Some(pool) = &self.pool {
            write!(f, " on nodes of pool {}", quoted(pool.clone()))?;
        }
        write!(f, "\n{}", self.report)
    }
}

impl fmt::Display for OtherCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = quoted(self.message.clone());
        let namespace = quoted(self.namespace.clone());
        write!(f, "{} in {namespace}: {} ({text})", names(&self.objects), self.kind.sentence())?;
        self.finding.iter().try_for_each(|found| write!(f, " [{}]", found.id))
    }
}

fn names(all: &[String]) -> String {
    let shown = all.iter().take(MOST_NAMES).cloned().map(quoted).collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
