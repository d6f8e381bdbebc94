//! The signals that end the server.

use super::ServeError;

/// Termination and interruption, heard from when this is made.
pub(super) struct Signal {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

impl Signal {
    #[cfg(unix)]
    pub(super) fn new() -> Result<Self, ServeError> {
        use tokio::signal::unix::{SignalKind, signal};
        let heard = |kind| signal(kind).map_err(|fault| ServeError::io("signals", &fault));
        Ok(Self { terminate: heard(SignalKind::terminate())?, interrupt: heard(SignalKind::interrupt())? })
    }

    #[cfg(not(unix))]
    #[expect(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    pub(super) fn new() -> Result<Self, ServeError> {
        Ok(Self {})
    }

    #[cfg(unix)]
    pub(super) async fn come(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    #[cfg(not(unix))]
    pub(super) async fn come(self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
