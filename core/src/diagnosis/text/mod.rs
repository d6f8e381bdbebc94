//! What a failed pull means. The kubelet and containerd report texts only, so the text decides here. CONTRIBUTING.md lists the
//! other places where a text decides.

mod attempt;
mod facts;
mod finding;
mod read;
mod refusal;
mod split;

pub(crate) use facts::{denied, is_private};
pub use finding::{NextStep, PullFinding};
pub(crate) use read::{is_of_lost_key, written_as};

use crate::quoted::Quoted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A failed pull: the image, what the failure means, and the kubelet's message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullFailure {
    /// The pod.
    pub pod: String,
    /// Its container.
    pub container: String,
    /// The image as the pod names it.
    pub image: String,
    /// The kubelet's reason, such as `ErrImagePull`.
    pub reason: String,
    /// What the failure means.
    pub finding: PullFinding,
    /// The kubelet's message; the one about the first failure, if it was read in time.
    /// The kubelet replaces that message when it starts to back off.
    pub message: String,
}

impl PullFailure {
    /// Creates a failure, and derives the finding from the kubelet's reason and message.
    #[must_use]
    pub fn new(
        pod: impl Into<String>,
        container: impl Into<String>,
        image: impl Into<String>,
        reason: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let (image, reason, message) = (image.into(), reason.into(), without_signatures(&message.into()));
        let finding = PullFinding::of_image(&image, &reason, &message);
        Self { pod: pod.into(), container: container.into(), image, reason, finding, message }
    }
}

/// A message without the signatures in its URLs: containerd prints the whole URL of a layer, and who has it can read the layer for a while. See
/// the parameter [`sig`](https://learn.microsoft.com/rest/api/storageservices/create-service-sas).
fn without_signatures(message: &str) -> String {
    let mut parts = message.split("sig=");
    let first = parts.next().map(str::to_owned).into_iter();
    let rest = parts.map(|part| {
        let end =
            part.find(|one: char| !one.is_ascii_alphanumeric() && !"%-_.~+/=".contains(one)).unwrap_or(part.len());
        format!("REDACTED{}", &part[end..])
    });
    first.chain(rest).collect::<Vec<_>>().join("sig=")
}

impl fmt::Display for PullFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Quoted(&self.reason), self.finding)
    }
}

#[cfg(test)]
mod tests;
