//! What runs in the control plane: each controller looks at the objects and brings them nearer to what they should be.

mod daemon_set;
mod deployment;
mod garbage;
mod namespace;
mod progress;
mod replica_set;
mod rollout;
mod scheduler;
mod stateful_set;

/// The name under which controllers write.
const MANAGER: &str = "kube-controller-manager";
