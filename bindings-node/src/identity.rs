//! Identities of a cluster.

use crate::{argument, argument::CallOnly, client::Client, runtime::operations};

operations! {
    /// Finds a cluster's identities.
    identities(client, call; cluster, given) {
        let cluster = argument::parse("cluster", cluster)?;
        let given: CallOnly = argument::options(given)?;
        let options = call.options(given.deadline_ms);
        async move { client.identities(&cluster, options).await }
    }
}
