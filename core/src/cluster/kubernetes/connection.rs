//! One connection to a cluster, and when it is dropped.

use kube::Client;
use std::{
    error::Error as StdError,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// A kubeconfig is fetched again after this time: certificates are rotated, clusters deleted and created again, accounts disabled.
const LONGEST_LIFE: Duration = Duration::from_secs(3600);
/// A connection without any response is not replaced sooner: if the cluster is unreachable, another kubeconfig does not help.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How many requests in a row may be lost for any reason: the network may be bad for a moment.
const MOST_LOST: u32 = 2;

/// A connection as one kubeconfig describes it.
pub(super) struct Connection {
    pub client: Client,
    /// The scope of the Entra ID token, if the cluster requires one.
    pub scope: Option<&'static str>,
    made: Instant,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    was_answered: bool,
    /// The number of requests in a row without a response.
    lost: u32,
}

impl Connection {
    pub fn new(client: Client, scope: Option<&'static str>) -> Self {
        Self { client, scope, made: Instant::now(), health: Mutex::default() }
    }

    pub fn is_old(&self) -> bool {
        self.made.elapsed() >= LONGEST_LIFE
    }

    pub fn answered(&self) {
        *self.health() = Health { was_answered: true, lost: 0 };
    }

    /// Counts a request without a response. Returns whether to drop the connection.
    pub fn lose(&self, is_connecting: bool) -> bool {
        let mut health = self.health();
        health.lost += 1;
        (is_connecting || health.lost >= MOST_LOST) && (health.was_answered || self.made.elapsed() >= TIMEOUT)
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("made", &self.made).finish_non_exhaustive()
    }
}

/// Whether an exchange failed before there was a connection: unknown host, no route, or an unexpected certificate. Nothing was sent
/// then.
pub(super) fn is_connecting(err: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(err);
    while let Some(err) = next {
        if err.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_connect) {
            return true;
        }
        next = err.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let nobody = tower::service_fn(|_: http::Request<kube::client::Body>| async {
            Err::<http::Response<kube::client::Body>, tower::BoxError>("nobody".into())
        });
        Connection::new(Client::new(nobody, "default"), None)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_worked_is_given_up_when_its_address_is_gone_or_after_two_losses() {
        let connection = connection();
        connection.answered();
        assert!(connection.lose(true));
        connection.answered();
        assert!(!connection.lose(false));
        assert!(connection.lose(false));
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_worked_is_kept_for_a_while() {
        let connection = connection();
        assert!(!connection.lose(true) && !connection.lose(true));
        tokio::time::advance(TIMEOUT).await;
        assert!(connection.lose(true));
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_old_after_an_hour() {
        let connection = connection();
        tokio::time::advance(Duration::from_secs(3599)).await;
        assert!(!connection.is_old());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(connection.is_old());
    }
}
