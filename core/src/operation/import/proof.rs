//! Verifies an import: what the targets contain after Azure has reported success.

use super::{
    reach::ProbeResult,
    result::ImportProof,
    run::{Job, LOOKING, differs},
};
use crate::{
    call::{Poll, Polling},
    error::{Error, ErrorKind, ImportSide, Result},
    image::{Digest, ImageReference},
};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The replicas of a registry get an image one after another; the caller cannot choose which one responds.
const REPLICATED: Duration = Duration::from_secs(3 * 60);

/// The state of the targets.
enum Shown {
    Proof(ImportProof),
    /// A target does not have the image, for which there may be a harmless reason.
    NotYet(String, Error),
}

impl Job<'_> {
    /// Reads every target. All must be the expected image, or the same one if that is unknown.
    pub(super) async fn prove(&self) -> Result<ImportProof> {
        if !self.registry.is_premium() {
            return match self.show().await? {
                Shown::Proof(proof) => Ok(proof),
                Shown::NotYet(_, err) => Err(err),
            };
        }
        let not_shown = Mutex::new(None);
        let poll = || async {
            *lock(&not_shown) = None;
            Ok(match self.show().await? {
                Shown::Proof(proof) => Poll::Ready(proof),
                Shown::NotYet(reason, err) => {
                    *lock(&not_shown) = Some(reason);
                    Poll::Failed(err)
                }
            })
        };
        let proof = self.call.poll_until(Polling::new(LOOKING).at_most(REPLICATED), poll).await;
        let reason = lock(&not_shown).take();
        match (proof, reason) {
            // Azure has reported success, so it succeeded.
            (Err(err), Some(reason)) if err.kind() != ErrorKind::Cancelled => {
                let text = "not all replicas of the registry have the image yet";
                Ok(ImportProof::Unproven { reason: format!("{text}: {reason}") })
            }
            (proof, _) => proof,
        }
    }

    async fn show(&self) -> Result<Shown> {
        let probed = self.probe_all(&self.targets).await?;
        let mut arrived: Option<Digest> = self.wanted().cloned();
        let mut uncompared = None;
        for (target, probe) in self.targets.iter().zip(probed) {
            match (probe, &arrived) {
                (ProbeResult::There(digest), None) => arrived = Some(digest),
                (ProbeResult::There(digest), Some(wanted)) => match digest.is_same(wanted) {
                    Some(true) => {}
                    None => uncompared = Some(digest),
                    Some(false) if self.registry.is_premium() && self.had(target, &digest) => {
                        return Ok(not_yet(target));
                    }
                    Some(false) => {
                        let text = "the target has a different image from the one imported";
                        return Err(differs(target, text, &digest, wanted));
                    }
                },
                (hidden @ ProbeResult::Hidden { .. }, _) => {
                    return Ok(Shown::Proof(ImportProof::Unproven { reason: self.unproven(&hidden) }));
                }
                (ProbeResult::Absent, _) => return Ok(not_yet(target)),
            }
        }
        Ok(Shown::Proof(match (self.wanted(), arrived, uncompared) {
            (Some(wanted), _, Some(digest)) => {
                let reason = format!("the expected digest {wanted} has another algorithm");
                ImportProof::TargetOnly { digest, reason }
            }
            (Some(wanted), ..) => ImportProof::SourceMatched { digest: wanted.clone() },
            (None, Some(digest), _) => ImportProof::TargetOnly { digest, reason: reason_of(&self.seen) },
            (None, None, _) => ImportProof::Unproven { reason: reason_of(&self.seen) },
        }))
    }

    /// Why the target was not read, and why the source was not, if it was not.
    fn unproven(&self, target: &ProbeResult) -> String {
        let mut reason = reason_of(target);
        if let ProbeResult::Hidden { is_refused: true, .. } = target {
            reason = format!("{reason}; reading it requires the role {} here", self.registry.mode.pull_role());
        }
        match &self.seen {
            ProbeResult::Hidden { reason: of_source, .. } if self.wanted().is_none() => {
                format!("{reason}; the source was not read either: {of_source}")
            }
            _ => reason,
        }
    }
}

fn lock<T>(one: &Mutex<T>) -> MutexGuard<'_, T> {
    one.lock().unwrap_or_else(PoisonError::into_inner)
}

fn reason_of(probe: &ProbeResult) -> String {
    match probe {
        ProbeResult::Hidden { reason, .. } => reason.clone(),
        ProbeResult::There(_) | ProbeResult::Absent => String::new(),
    }
}

fn not_yet(target: &ImageReference) -> Shown {
    let text = "Azure reports that the import succeeded, but the target does not have the image";
    let err = Error::new(ErrorKind::Unexpected, text).with_context("image", target.to_string());
    Shown::NotYet(format!("{target} does not have it"), err.with_failed_side(ImportSide::Target))
}
