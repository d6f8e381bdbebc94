//! The examples themselves are in `rust/`.

/// The first page of the project: its program is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
