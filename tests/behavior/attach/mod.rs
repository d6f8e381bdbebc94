//! Attach and detach: a cluster's nodes become able to pull from a registry, or no longer are; and who is.

mod attachments;
mod condition;
mod detach;
mod grant;
mod plan;

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [grant::cases(), condition::cases(), plan::cases(), detach::cases(), attachments::cases()]
        .into_iter()
        .flatten()
        .collect()
}
