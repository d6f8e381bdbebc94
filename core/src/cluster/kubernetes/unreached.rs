//! Why a request did not reach a cluster: it may be stopped.

use crate::{
    call::Call,
    cluster::{
        ClusterBody, get_cluster,
        stopped::{finding, is_stopped},
    },
    error::{Error, ErrorKind},
    http::Arm,
    id::ResourceId,
};
use std::time::Duration;

/// What failed is not held up for longer than this.
const LONGEST: Duration = Duration::from_secs(5);

/// The error of a request that got no response, if the cluster is stopped. `None` also if the caller may not read that.
pub(super) async fn stopped(arm: &Arm, id: &ResourceId, call: &Call) -> Option<Error> {
    let answer = arm.send(get_cluster(id), &call.at_most(LONGEST)).await.ok()?;
    let state = answer.read::<ClusterBody>("a cluster").ok()?.part::<String>("properties/powerState/code").ok()?;
    is_stopped(state.as_ref()).then(|| {
        let found = finding(id);
        let hint = found.next_step.command.clone().unwrap_or_else(|| found.next_step.summary.clone());
        let err = Error::new(ErrorKind::Unavailable, format!("{} [{}]", found.message, found.id));
        err.with_transient(false).with_context("hint", hint).with_context("see", found.docs.clone()).with_finding(found)
    })
}
