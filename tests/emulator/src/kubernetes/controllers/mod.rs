//! What runs in the control plane: each controller looks at the objects and brings them nearer to what they should be.

mod daemon_set;
pub(super) mod definition;
mod deployment;
mod disruption;
mod garbage;
mod job;
mod job_index;
mod job_state;
mod namespace;
mod progress;
mod quota;
mod replica_set;
mod rollout;
mod scheduler;
mod stateful_set;
mod volume;

/// The name under which controllers write.
const MANAGER: &str = "kube-controller-manager";
