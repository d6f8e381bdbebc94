//! The examples themselves are in `rust/`.

/// The first page of the project: its program is compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The emulator's page, which shows programs with and without a client.
#[cfg(doctest)]
#[doc = include_str!("../../tests/emulator/README.md")]
struct Emulator;

/// The pages that show programs of their own.
#[cfg(doctest)]
#[doc = include_str!("../../docs/README.md")]
#[doc = include_str!("../../docs/credentials.md")]
#[doc = include_str!("../../docs/testing.md")]
struct Pages;
