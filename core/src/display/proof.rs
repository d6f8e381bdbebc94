//! What was proven, as a table.

use super::table;
use crate::{
    diagnosis::report::Report,
    operation::exports::{PoolProof, PullProof},
    quoted::quoted,
};
use std::fmt;

impl fmt::Display for PullProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["POOL", "OUTCOME", "PLATFORM", "NODE", "PROOF OR REASON"].map(str::to_owned);
        let rows: Vec<[String; 5]> = std::iter::once(header).chain(self.pools.iter().map(row)).collect();
        table::write(f, &rows)?;
        let (group, cluster) = (self.cluster.group(), self.cluster.name());
        write!(f, "\n{}: {} on {group}/{cluster}", self.outcome, quoted(self.image.clone()))?;
        if !self.cleaned_up {
            write!(f, "\n! a Job is left behind; Kubernetes deletes it a minute after its end")?;
        }
        for (pools, report) in reports(&self.pools) {
            let names = quoted(pools.join(", "));
            write!(f, "\n\n{} {names}:\n{report}", if pools.len() == 1 { "pool" } else { "pools" })?;
        }
        Ok(())
    }
}

/// The reports, each once: pools that fail for the same reason have the same one, except for what was seen on the node.
fn reports(pools: &[PoolProof]) -> Vec<(Vec<String>, &Report)> {
    let mut all: Vec<(Vec<String>, &Report)> = Vec::new();
    let cause = |report: &Report| report.root_finding().map(|found| (found.id.clone(), found.message.clone()));
    for (pool, report) in pools.iter().filter_map(|pool| Some((pool, pool.report.as_ref()?))) {
        match all.iter_mut().find(|(_, shown)| cause(shown) == cause(report)) {
            Some((names, _)) if names.contains(&pool.pool) => {}
            Some((names, _)) => names.push(pool.pool.clone()),
            None => all.push((vec![pool.pool.clone()], report)),
        }
    }
    all
}

fn row(pool: &PoolProof) -> [String; 5] {
    let platform = match (&pool.os, &pool.architecture) {
        (Some(os), Some(architecture)) => format!("{os}/{architecture}"),
        (os, _) => os.clone().unwrap_or_default(),
    };
    // The report below says the rest.
    let cause = pool.report.as_ref().and_then(|report| report.root_cause.as_ref()).map(ToString::to_string);
    let proof = pool.proof.map(|proof| proof.to_string());
    let parts = if cause.is_some() { [cause, None] } else { [proof, pool.reason.clone()] };
    let why = parts.into_iter().flatten().collect::<Vec<_>>().join(": ");
    [pool.pool.clone(), pool.outcome.to_string(), platform, pool.node.clone().unwrap_or_default(), why].map(quoted)
}

impl fmt::Display for PoolProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", quoted(self.pool.clone()), self.outcome)?;
        match (&self.reason, self.proof) {
            (Some(reason), _) => write!(f, " ({})", quoted(reason.clone())),
            (None, Some(proof)) => write!(f, " ({proof})"),
            (None, None) => Ok(()),
        }
    }
}
