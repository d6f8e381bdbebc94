//! Attach and detach: a cluster's nodes become able to pull from a registry, or no longer are; and who is.

mod attachments;
mod condition;
mod detach;
mod grant;
mod plan;
mod warnings;

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    let all =
        [grant::cases(), condition::cases(), plan::cases(), warnings::cases(), detach::cases(), attachments::cases()];
    all.into_iter().flatten().collect()
}
