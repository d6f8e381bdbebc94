//! What the addresses of operations have in common.

use http::StatusCode;

use crate::reply::{Reply, arm_error};

/// The signed part of a polling address. It changes with every answer, as Azure's does.
pub(crate) fn signature(id: &str) -> String {
    let fresh = uuid::Uuid::new_v4().simple().to_string();
    format!("&t=638575015259716350&c=MII{fresh}&s={}{fresh}&h={fresh}", id.replace('-', ""))
}

pub(crate) fn operation_missing(id: &str) -> Reply {
    let message = format!("The operation '{id}' was not found.");
    arm_error(StatusCode::NOT_FOUND, "OperationNotFound", &message)
}
