//! What was proven, as a table.

use super::table;
use crate::{
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
        for report in self.pools.iter().filter_map(|pool| pool.report.as_ref()) {
            write!(f, "\n\n{report}")?;
        }
        Ok(())
    }
}

fn row(pool: &PoolProof) -> [String; 5] {
    let platform = match (&pool.os, &pool.architecture) {
        (Some(os), Some(architecture)) => format!("{os}/{architecture}"),
        (os, _) => os.clone().unwrap_or_default(),
    };
    let why = pool.proof.map(|proof| proof.to_string()).or_else(|| pool.reason.clone()).unwrap_or_default();
    [pool.pool.clone(), pool.outcome.to_string(), platform, pool.node.clone().unwrap_or_default(), why].map(quoted)
}

impl fmt::Display for PoolProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", quoted(self.pool.clone()), self.outcome)?;
        match (self.proof, &self.reason) {
            (Some(proof), _) => write!(f, " ({proof})"),
            (None, Some(reason)) => write!(f, " ({})", quoted(reason.clone())),
            (None, None) => Ok(()),
        }
    }
}
