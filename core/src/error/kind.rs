//! The kinds of errors, and the failed side of an import.

#[cfg(doc)]
use super::Error;
use crate::words::word_names;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $text:literal,)*) => {
        /// The kind of an error: what a caller can do about it.
        ///
        /// Transient kinds, where retrying the same call later may succeed, are [`RateLimited`](Self::RateLimited),
        /// [`Unavailable`](Self::Unavailable) and [`DeadlineExceeded`](Self::DeadlineExceeded). An individual error can differ from its
        /// kind: use [`Error::is_transient`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// All kinds, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The kind's stable name, the same in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $text,)* }
            }
        }
    };
}

impl ErrorKind {
    /// Whether errors of this kind are transient: retrying the same call later may succeed.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::DeadlineExceeded)
    }
}

impl ErrorKind {
    /// The kind for an HTTP status, whichever service responds with it. If a service says more than its status, its own parser has
    /// precedence: an Azure lock is a 409, and an object that does not match its schema is a 500 of Kubernetes.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            400 | 413 | 414 | 415 | 422 | 431 => Self::InvalidInput,
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 | 410 => Self::NotFound,
            409 | 412 | 423 => Self::Conflict,
            429 => Self::RateLimited,
            407 | 408 | 425 | 500..=599 => Self::Unavailable,
            _ => Self::Unexpected,
        }
    }
}

/// The kinds of statuses, for the tests of everything that reads them: Resource Manager, Graph, registries and Kubernetes.
#[cfg(test)]
pub(crate) const STATUSES: [(u16, ErrorKind); 24] = {
    use ErrorKind::{
        Conflict, Forbidden, InvalidInput, NotFound, RateLimited, Unauthenticated, Unavailable, Unexpected,
    };
    [
        (400, InvalidInput),
        (401, Unauthenticated),
        (402, Unexpected),
        (403, Forbidden),
        (404, NotFound),
        (405, Unexpected),
        (407, Unavailable),
        (408, Unavailable),
        (409, Conflict),
        (410, NotFound),
        (412, Conflict),
        (413, InvalidInput),
        (414, InvalidInput),
        (415, InvalidInput),
        (418, Unexpected),
        (422, InvalidInput),
        (423, Conflict),
        (425, Unavailable),
        (429, RateLimited),
        (431, InvalidInput),
        (500, Unavailable),
        (501, Unavailable),
        (503, Unavailable),
        (599, Unavailable),
    ]
};

kinds! {
    /// The input is invalid; the message names the part. Invalid input is rejected before the first request if it can be checked locally;
    /// otherwise the service rejects it.
    InvalidInput => "invalid_input",
    /// The named resource does not exist.
    NotFound => "not_found",
    /// A conflict with something that exists, or that changed in the meantime. Transient for a resource that is being deleted, a lock
    /// held by another program, a file that changed in the meantime, or an Azure list that lags behind.
    Conflict => "conflict",
    /// The caller is not allowed to do this; see [`Error::refusal`], [`Error::missing_action`] and [`Error::smallest_role`]. A lock
    /// counts as a refusal too, although Azure responds with 409.
    Forbidden => "forbidden",
    /// The subscription has not registered the resource provider of the resource to create; it is registered on request only.
    NotRegistered => "not_registered",
    /// No token could be acquired, or the service rejected it.
    Unauthenticated => "unauthenticated",
    /// The service throttles the client, and asks it to wait longer than the deadline allows; see [`Error::retry_after`].
    /// Transient.
    RateLimited => "rate_limited",
    /// The deadline passed. Transient: operations that Azure has already started keep running, and a new call finds them.
    DeadlineExceeded => "deadline_exceeded",
    /// The caller cancelled. Operations that Azure has already started keep running.
    Cancelled => "cancelled",
    /// The service is unreachable or unavailable. Transient, except for an untrusted certificate, a proxy that rejects the caller, and
    /// a disk that cannot be written to.
    Unavailable => "unavailable",
    /// A long-running Azure operation ended without success. Transient if Azure aborted the copying of an image.
    OperationFailed => "operation_failed",
    /// An image cannot be pulled, and waiting does not help; see [`Error::finding`], and of a rollout [`Error::pull_failure`].
    PullFailed => "pull_failed",
    /// This build or the service does not support the operation; the message says what to change.
    Unsupported => "unsupported",
    /// The service's response could not be understood.
    Unexpected => "unexpected",
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The side of an import that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImportSide {
    /// The source of the image.
    Source,
    /// The registry that the image is imported into.
    Target,
}

word_names!(ImportSide: Source => "source", Target => "target");
