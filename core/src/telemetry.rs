//! Logs and traces, emitted through [`tracing`](https://docs.rs/tracing).
//!
//! They show operators which requests were sent to Azure and to clusters, what had to wait and why, and which credential was used. In
//! Python the events are records of `logging`.
//!
//! | target | what | level | fields |
//! |---|---|---|---|
//! | `aks_acr::operation` | a span around each operation of [`Client`](crate::Client), named like its method | info | `subscription`, `cluster`, `registry`; at its end `outcome`, `correlation_id` |
//! | `aks_acr` | an operation has succeeded, was cancelled, or its future was dropped | info | `operation`, `cluster`, `registry`, `outcome`, `correlation_id`, `duration_ms` |
//! | `aks_acr` | an operation has failed, or some items of a list have failed | error | the same, and `error`, `status`, `code`, `request_id` |
//! | `aks_acr::http` | a request to Azure, a registry, Microsoft Graph, Entra ID or a cluster: each try separately | debug | `step`, `method`, `host`, `path`, `attempt`, `status`, `request_id`, `duration_ms`; without a response `reason` |
//! | `aks_acr::progress` | a request is retried | info | `step`, `reason`, `wait_ms` |
//! | `aks_acr::progress` | an item that cannot be parsed was left out of a list | warn | `error` |
//! | `aks_acr::progress` | every other [`Event`](crate::Event) | debug | its text |
//! | `aks_acr::credential` | which credential of the default chain is used | info | `credential` |
//! | `aks_acr::credential` | a credential was asked for a token, or was skipped | debug | `credential`, `audience`, `expires_in_s`, `duration_ms`; without a token `reason` |
//!
//! A field without a value is left out. `cluster` and `registry` are written as the caller named them. `outcome` is a value of the result,
//! such as `granted` or `already_exists`, or `done`; after a failure the kind, as in [`ErrorKind::as_str`](crate::ErrorKind::as_str);
//! `dropped` if the future was dropped. `correlation_id` is that of the write, for Azure's activity log, and after a failure that of the
//! response. The events of an operation are within its span.
//!
//! No event contains a token, a key, a password or the query of an address, which is sometimes signed. Events of other crates, such as HTTP
//! libraries, are not covered: a subscriber that accepts only targets that begin with `aks_acr` leaves them out, as the Python package
//! does.
//!
//! The names in this table are part of the interface; which requests are sent is not.

/// The target of the spans.
pub const OPERATION: &str = "aks_acr::operation";
/// The target of the events at the end of operations.
pub const END: &str = "aks_acr";
/// The target of requests.
pub const HTTP: &str = "aks_acr::http";
/// The target of steps, waits and retries.
pub const PROGRESS: &str = "aks_acr::progress";
/// The target of credentials and tokens.
pub const CREDENTIAL: &str = "aks_acr::credential";
