//! The stages of a pull.

use crate::words::word_names;
use serde::{Deserialize, Serialize};

/// A stage of a pull. A pull ends at its first stage that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullStage {
    /// The image's name.
    Reference,
    /// The cluster and its nodes exist and run.
    Cluster,
    /// The registry exists and is ready.
    Registry,
    /// The nodes reach the registry.
    Network,
    /// The nodes have an identity.
    Identity,
    /// The identity gets a credential from the registry.
    SignIn,
    /// The identity is allowed to pull.
    Authorization,
    /// The registry has the image.
    Image,
    /// The image has a variant for the node.
    Platform,
    /// The node can fetch the image's layers.
    Layers,
    /// The node can unpack and keep the image.
    Node,
}

word_names!(
    PullStage: Reference => "reference", Cluster => "cluster", Registry => "registry", Network => "network",
    Identity => "identity", SignIn => "sign_in", Authorization => "authorization", Image => "image",
    Platform => "platform", Layers => "layers", Node => "node",
);
