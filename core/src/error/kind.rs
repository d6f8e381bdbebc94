//! What a caller can do about an error, and where the fault of an import lies.

#[cfg(doc)]
use super::Error;
use crate::words::word_names;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident => $text:literal,)*) => {
        /// What a caller can do about an [`Error`]. A kind exists only where a caller would act differently on it.
        ///
        /// Transient, so that the same call may succeed a little later, are [`RateLimited`](Self::RateLimited),
        /// [`Unavailable`](Self::Unavailable) and [`DeadlineExceeded`](Self::DeadlineExceeded). Of single errors more may be known:
        /// ask [`Error::is_transient`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $kind,)*
        }

        impl ErrorKind {
            /// Every kind, in the order of their declaration.
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
    /// Whether an error of this kind passes by itself, so that the same call may succeed a little later.
    #[must_use]
    pub const fn is_transient(self) -> bool {
        matches!(self, Self::RateLimited | Self::Unavailable | Self::DeadlineExceeded)
    }
}

impl ErrorKind {
    /// What a status of HTTP means, whichever service answers with it. Where a service says more than its status, its own reader goes
    /// before: a lock of Azure's is a 409, and an object that does not fit its schema a 500 of Kubernetes.
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

/// What statuses mean, for the tests of all who read them: Resource Manager and the directory, registries, and Kubernetes.
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
    /// The input is wrong; the message names the part. What can be seen here is refused before the first request, the rest by
    /// the service.
    InvalidInput => "invalid_input",
    /// What was named does not exist.
    NotFound => "not_found",
    /// Something else is already there, or changed meanwhile. Transient where it is a thing that is being deleted, a lock that another
    /// program holds, a file that changed meanwhile, or a list of Azure's that lags.
    Conflict => "conflict",
    /// The caller is known and may not do this; see [`Error::refusal`], [`Error::missing_action`] and [`Error::smallest_role`]. A lock
    /// is a refusal too, though Azure answers it with 409.
    Forbidden => "forbidden",
    /// The subscription has not registered the resource provider of what is to be made; it is registered on request only.
    NotRegistered => "not_registered",
    /// No token could be had, or the service did not accept it.
    Unauthenticated => "unauthenticated",
    /// The service throttles, and asks to wait longer than the deadline allows; see [`Error::retry_after`]. Transient.
    RateLimited => "rate_limited",
    /// The deadline passed. What Azure has begun goes on, and the same call again finds it: transient.
    DeadlineExceeded => "deadline_exceeded",
    /// The caller cancelled. What Azure has begun goes on.
    Cancelled => "cancelled",
    /// The service could not be reached, or answered that it is out of order. Transient, but for a certificate that is not trusted, a
    /// proxy that lets nobody through, and a disk that takes no file.
    Unavailable => "unavailable",
    /// A long-running operation of Azure ended without success. Transient where Azure broke off the copying of an image.
    OperationFailed => "operation_failed",
    /// Pods of a rollout cannot pull their image, for a cause that does not pass; see [`Error::pull_failure`].
    PullFailed => "pull_failed",
    /// This build, or this service, cannot do it; the message says what to change.
    Unsupported => "unsupported",
    /// The service's answer was not understood.
    Unexpected => "unexpected",
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// On which side of an import the fault lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ImportSide {
    /// Where the image is.
    Source,
    /// Where it is to be.
    Target,
}

word_names!(ImportSide: Source => "source", Target => "target");
