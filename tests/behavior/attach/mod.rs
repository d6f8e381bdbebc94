//! Attach: a cluster's nodes become able to pull from a registry.

mod condition;
mod grant;
mod plan;

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [grant::cases(), condition::cases(), plan::cases()].into_iter().flatten().collect()
}
