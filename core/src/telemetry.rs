//! What is told through [`tracing`](https://docs.rs/tracing) while an operation runs: who operates a program learns from it what was
//! asked of Azure and of the clusters, what had to wait and why, and as whom. In Python the events are records of `logging`.
//!
//! | target | what | level | fields |
//! |---|---|---|---|
//! | `aks_acr::operation` | a span around each operation of [`Client`](crate::Client), named like its method | info | `subscription`, `cluster`, `registry`; at its end `outcome`, `correlation_id` |
//! | `aks_acr` | an operation has succeeded, was cancelled, or its future was dropped | info | `operation`, `cluster`, `registry`, `outcome`, `correlation_id`, `duration_ms` |
//! | `aks_acr` | an operation has failed, or some items of a list have | error | the same, and `error`, `status`, `code`, `request_id` |
//! | `aks_acr::http` | a request to Azure, a registry, the directory, Entra or a cluster: each try by itself | debug | `step`, `method`, `host`, `path`, `attempt`, `status`, `request_id`, `duration_ms`; where no answer came `reason` |
//! | `aks_acr::progress` | something is tried again | info | `step`, `reason`, `wait_ms` |
//! | `aks_acr::progress` | something that cannot be read was left out of a list | warn | `error` |
//! | `aks_acr::progress` | every other [`Event`] | debug | its text |
//! | `aks_acr::credential` | which credential of the default chain it is | info | `credential` |
//! | `aks_acr::credential` | a credential was asked for a token, or was passed over | debug | `credential`, `audience`, `expires_in_s`, `duration_ms`; where there was none `reason` |
//!
//! A field is left out where it has no value. `cluster` and `registry` are written as the caller named them. `outcome` is a word of the result, such as `granted` or `already_there`, or `done`;
//! of a failure the kind, as in [`ErrorKind::as_str`](crate::ErrorKind::as_str); `dropped` where nobody waited for the end.
//! `correlation_id` is that of the write, by which Azure's activity log knows it, and of a failure that of the answer. The events of an
//! operation are within its span.
//!
//! No event holds a token, a key, a password or the query of an address, which of some is signed. What other crates tell, such as those
//! that speak HTTP, is theirs: a subscriber that takes only targets that begin with `aks_acr` leaves it out, as the Python package does.
//!
//! The names in this table are part of the interface; which requests are made is not.

/// The target of the spans.
pub const OPERATION: &str = "aks_acr::operation";
/// The target of the events by which operations end.
pub const END: &str = "aks_acr";
/// The target of requests.
pub const HTTP: &str = "aks_acr::http";
/// The target of steps, waits and tries.
pub const PROGRESS: &str = "aks_acr::progress";
/// The target of credentials and tokens.
pub const CREDENTIAL: &str = "aks_acr::credential";
