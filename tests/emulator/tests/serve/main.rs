//! The TLS server, as clients of another process meet it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod background;
mod control;
mod door;
mod hostile;
mod program;
mod state;
