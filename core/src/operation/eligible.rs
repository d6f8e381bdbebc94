//! What the caller of a refused write can activate.

use super::Parts;
use crate::{
    call::Call,
    error::{Error, Result},
    refusal::RefusalKind,
    role::is_above,
};
use std::time::Duration;

/// How long the optional read may take.
const LONGEST: Duration = Duration::from_secs(3);

/// Does the work. If Azure refuses a write because no role of the caller contains the action, one read lists the roles that the caller can
/// activate.
pub(crate) async fn naming_eligible_roles<T>(
    parts: &Parts,
    call: &Call,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    match work.await {
        Err(err) if is_refused_write(&err) => Err(with_eligible_roles(parts, err, call).await),
        result => result,
    }
}

fn is_refused_write(err: &Error) -> bool {
    let is_write = |action: &str| action.starts_with("Microsoft.") && !action.ends_with("/read");
    err.refusal() == Some(RefusalKind::MissingRight)
        && err.status() == Some(403)
        && err.missing_action().is_some_and(is_write)
        && err.scope().is_some_and(|scope| scope.starts_with('/'))
}

/// The error stays the refusal, also if the read fails.
async fn with_eligible_roles(parts: &Parts, err: Error, call: &Call) -> Error {
    let Some(scope) = err.scope().map(str::to_owned) else { return err };
    match parts.inventory().eligible_roles(&scope, &call.at_most(LONGEST)).await {
        Ok(mut roles) => {
            // Azure lists those below the scope, too, where they do not help.
            roles.retain(|one| one.scope.eq_ignore_ascii_case(&scope) || is_above(&one.scope, &scope));
            err.with_eligible_roles(roles)
        }
        Err(_) => err,
    }
}
