//! The table.

use super::{Pod, Pods, age::human};
use crate::quoted::quoted;
use std::{
    fmt,
    time::{Duration, SystemTime},
};

const HEADER: [&str; 5] = ["NAME", "READY", "STATUS", "RESTARTS", "AGE"];
const GAP: usize = 3;

impl Pods {
    /// The cells of the table that kubectl prints, the header first.
    #[must_use]
    pub fn rows(&self) -> Vec<[String; 5]> {
        let header = HEADER.map(str::to_owned);
        std::iter::once(header).chain(self.pods.iter().map(|pod| self.row(pod))).collect()
    }

    fn row(&self, pod: &Pod) -> [String; 5] {
        [
            pod.name.clone(),
            format!("{}/{}", pod.ready, pod.containers),
            pod.status.clone(),
            self.restarts(pod),
            pod.created.map_or_else(|| "<unknown>".to_owned(), |created| self.since(created)),
        ]
    }

    fn restarts(&self, pod: &Pod) -> String {
        match pod.last_restart {
            Some(last) if pod.restarts > 0 => format!("{} ({} ago)", pod.restarts, self.since(last)),
            _ => pod.restarts.to_string(),
        }
    }

    fn since(&self, then: SystemTime) -> String {
        match self.at.duration_since(then) {
            Ok(age) => human(age),
            // A node's clock may be ahead. kubectl tolerates less than two seconds.
            Err(ahead) if ahead.duration() < Duration::from_secs(2) => human(Duration::ZERO),
            Err(_) => "<invalid>".to_owned(),
        }
    }
}

impl fmt::Display for Pods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names and states are the cluster's own words.
        let rows = self.rows().into_iter().map(|row| row.map(quoted)).collect::<Vec<_>>();
        let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default() + GAP;
        let widths: [usize; 4] = std::array::from_fn(width);
        for (index, row) in rows.iter().enumerate() {
            let [name, ready, status, restarts, age] = row;
            let end = if index + 1 == rows.len() { "" } else { "\n" };
            let [w0, w1, w2, w3] = widths;
            write!(f, "{name:w0$}{ready:w1$}{status:w2$}{restarts:w3$}{age}{end}")?;
        }
        Ok(())
    }
}
