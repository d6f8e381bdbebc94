//! What could not be read is unknown. Only the end of the whole call is an error.

use crate::{
    call::Call,
    diagnosis::facts::{Read, Unread},
    error::{Error, ErrorKind, Result},
};
use std::time::Duration;

pub(crate) fn ends_call(err: &Error, call: &Call) -> bool {
    err.kind() == ErrorKind::Cancelled || call.remaining() == Duration::ZERO
}

/// A result that may be unknown, unless the whole call has ended.
pub(crate) fn unless_ended<T>(result: Result<T>, call: &Call) -> Result<Read<T>> {
    match result {
        Err(err) if ends_call(&err, call) => Err(err),
        result => Ok(result.map_err(|err| Unread::of(&err))),
    }
}
