//! The finding that a text leads to, and what to do about it.

use crate::{
    diagnosis::catalogue::{FindingId, PullRetry, Row},
    quoted::Quoted,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, time::SystemTime};

/// What a failed pull means: a finding, with the facts in the kubelet's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullFinding {
    /// The finding's ID, such as `grant.missing`. Each ID has a page; see `docs`.
    pub id: FindingId,
    /// What it means, in one sentence.
    pub message: String,
    /// Whether waiting can help.
    pub retry: PullRetry,
    /// What to do about it.
    pub next_step: NextStep,
    /// The address that did not respond, or the cluster's own address that the registry denied.
    pub address: Option<String>,
    /// The host that the node could not use.
    pub host: Option<String>,
    /// When the registry accepts requests again, if it says so.
    #[serde(default, with = "crate::stored_time::option")]
    pub retry_at: Option<SystemTime>,
    /// The address of the page about it, in the documentation of this version.
    pub docs: String,
}

/// What to do about a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NextStep {
    /// The step, in one sentence.
    pub summary: String,
    /// The operation of this library that does it, such as `attach`. `arguments` contains everything that the operation needs.
    pub operation: Option<String>,
    /// The arguments of `operation`, by name.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// The `az` or `kubectl` command that does it.
    pub command: Option<String>,
}

impl PullFinding {
    /// A finding of the catalogue, without facts.
    pub(crate) fn of(id: FindingId) -> Self {
        let row = id.row();
        let text = |of: fn(&Row) -> &'static str| row.map_or_else(String::new, |row| of(row).to_owned());
        Self {
            message: text(|row| row.message),
            retry: row.map_or(PullRetry::Transient, |row| row.retry),
            next_step: NextStep::new(text(|row| row.next_step)),
            docs: row.map_or_else(String::new, Row::docs),
            id,
            address: None,
            host: None,
            retry_at: None,
        }
    }

    /// Whether the message said anything.
    pub(crate) fn is_known(&self) -> bool {
        self.id != FindingId::CAUSE_UNKNOWN
    }

    /// Whether role assignments decide: the registry rejected every caller, or this identity.
    pub(crate) fn depends_on_grants(&self) -> bool {
        [FindingId::GRANT_MISSING, FindingId::NO_CREDENTIAL].contains(&self.id)
    }
}

impl NextStep {
    pub(crate) fn new(summary: impl Into<String>) -> Self {
        Self { summary: summary.into(), operation: None, arguments: BTreeMap::new(), command: None }
    }
}

impl fmt::Display for PullFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", Quoted(&self.message), Quoted(self.id.as_str()))
    }
}

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Quoted(&self.summary).fmt(f)
    }
}
