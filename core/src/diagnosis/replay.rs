//! Diagnoses stored facts again, without a request.

use super::{
    facts::{Facts, FailedPull},
    failed::diagnose_failed,
    rank::diagnose,
    report::Report,
    text::PullFailure,
};
use crate::{
    cluster::ObservedSecret,
    error::{Error, ErrorKind, Result},
    image::{ImageReference, Platform},
};
use serde::Deserialize;
use std::time::SystemTime;

/// The facts of a report that were stored.
#[derive(Deserialize)]
struct Stored {
    check: Option<Facts>,
    pull: Option<StoredPull>,
}

/// A [`FailedPull`] that was stored.
#[derive(Deserialize)]
struct StoredPull {
    failure: PullFailure,
    image: Option<ImageReference>,
    platform: Option<Platform>,
    node: Option<(String, String)>,
    secrets: Vec<ObservedSecret>,
    #[serde(default)]
    later: Vec<ObservedSecret>,
    #[serde(default)]
    pulled_again: Option<(String, String)>,
    #[serde(default, with = "crate::stored_time::option")]
    last_failed: Option<SystemTime>,
}

impl Report {
    /// The report that this version makes of the same [`facts`](Self::facts). No request is made.
    ///
    /// A report that was stored by an earlier version is diagnosed with the findings of this one.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the report has no facts, or facts that this version cannot read, as those of a report
    /// with pseudonyms may be.
    pub fn replayed(&self) -> Result<Self> {
        let Some(facts) = &self.facts else {
            return Err(Error::invalid("expected a report with facts", "facts", "none"));
        };
        let stored = Stored::deserialize(facts).map_err(|err| {
            Error::new(ErrorKind::InvalidInput, "the report has facts that this version cannot read")
                .with_context("facts", err.to_string())
        })?;
        match (&stored.check, &stored.pull) {
            (facts, Some(pull)) => {
                let secrets: Vec<&ObservedSecret> = pull.secrets.iter().collect();
                let later: Vec<&ObservedSecret> = pull.later.iter().collect();
                let failed = FailedPull {
                    failure: &pull.failure,
                    image: pull.image.as_ref(),
                    platform: pull.platform.as_ref(),
                    node: pull.node.as_ref().map(|(identity, pool)| (identity.as_str(), pool.as_str())),
                    secrets: &secrets,
                    later: &later,
                    pulled_again: pull.pulled_again.as_ref().map(|(node, version)| (node.as_str(), version.as_str())),
                    last_failed: pull.last_failed,
                };
                Ok(diagnose_failed(&self.cluster, facts.as_ref(), &failed, self.checked_at))
            }
            (Some(facts), None) => Ok(diagnose(facts, self.checked_at)),
            (None, None) => Err(Error::invalid("expected a report with facts", "facts", "none")),
        }
    }
}
