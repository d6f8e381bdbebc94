//! x
pub(crate) const CHECKS: &crate::Checks = &[];
