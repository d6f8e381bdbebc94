//! Who keeps a record of all that changes the world, so that it can be made again.
//!
//! What time brings about by itself is not kept: it follows from what was done and from when.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri};
use serde_json::Value;
use uuid::Uuid;

use crate::log::{Service, only_asks};
use crate::reply::Reply;

/// Keeps a record. A time is the one that has passed since the world began.
pub(crate) trait Keeper: Send {
    /// Keeps a change that is about to be made at this time; the answer is the salt of the ids that it will give out. One
    /// that cannot be kept is not to be made; the error says why in a sentence.
    fn keep(&mut self, at: Duration, change: &Change<'_>) -> Result<Uuid, String>;

    /// The change kept last was made, or came to nothing and need not be kept.
    fn kept(&mut self, lasting: bool);

    /// A client may have seen the world at this time, which must not be before what it sees later.
    fn seen(&mut self, at: Duration);
}

/// What changes the world.
#[cfg_attr(not(feature = "serve"), expect(dead_code, reason = "without a server nobody keeps it, nor gives orders"))]
pub(crate) enum Change<'a> {
    /// A request of a client.
    Request(&'a Request<Bytes>),
    /// A request of a client has met a fault.
    Fault(&'a Method, &'a Uri),
    /// An order to the emulator itself: its name and its body.
    Order(&'a str, &'a Value),
}

/// Whether a request to a service may change anything: what can be said before it is answered.
pub(crate) fn may_change(service: Service, request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method()) {
        return false;
    }
    match service {
        // Tokens carry all that they say, so they are not stored.
        Service::Entra | Service::Unknown => false,
        Service::Registry => !path.starts_with("/oauth2/"),
        // A dry run gives out names, which are not given out again.
        Service::Kubernetes => true,
        Service::Arm | Service::Graph => request.method() != Method::POST || !only_asks(path),
    }
}

/// Whether an answer shows that nothing can have changed: the caller or what it asked for was unknown.
pub(crate) fn came_to_nothing(answer: &Reply) -> bool {
    matches!(answer.status().as_u16(), 401 | 405 | 501)
}
