//! Reads core's source: which layer each module belongs to, and which way its imports point.

#![expect(clippy::expect_used, reason = "a tool of this project's tests: unreadable source ends it")]

pub mod layers;
pub mod paths;
