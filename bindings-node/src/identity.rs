//! Identities of a cluster.

use crate::{argument, argument::CallOnly, client::Client, runtime::operations};

operations! {
    /// Finds a cluster's identities.
    identities(env, client, call; cluster, given) {
        let cluster = argument::parse(env, "cluster", cluster)?;
        let given: CallOnly = argument::options(env, given)?;
        let options = call.options(given.deadline_ms);
        async move { client.identities(&cluster, options).await }
    }
}
