//! Workloads: references to them, and the states of their rollouts.

mod kind;
mod reference;
mod state;

pub(crate) use kind::WorkloadKind;
pub use reference::WorkloadRef;
pub use state::{RolloutBlocker, RolloutBlockerKind, RolloutListener, RolloutPhase, WorkloadState};
