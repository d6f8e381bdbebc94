//! The TLS server, as clients of another process meet it.

mod door;
