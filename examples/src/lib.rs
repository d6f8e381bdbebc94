//! The examples themselves are in `rust/`.
