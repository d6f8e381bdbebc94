//! Diagnosis: why a cluster cannot pull an image, as findings. Everything here is computed from what was read; no request is made.

pub(crate) mod catalogue;
pub(crate) mod grant;
pub(crate) mod text;
