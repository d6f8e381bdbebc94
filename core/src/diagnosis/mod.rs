//! Diagnosis: why a cluster cannot pull an image, as findings. Everything here is computed from what was read; no request is made.

mod authorization;
pub(crate) mod catalogue;
mod cluster;
pub(crate) mod condition;
pub(crate) mod facts;
pub(crate) mod failed;
pub(crate) mod finding;
pub(crate) mod grant;
pub(crate) mod html;
mod image;
pub(crate) mod network;
mod outcome;
mod print;
mod rank;
pub(crate) mod redact;
pub(crate) mod report;
mod secrets;
mod service_principal;
pub(crate) mod stage;
pub(crate) mod text;

pub(crate) use rank::diagnose;
