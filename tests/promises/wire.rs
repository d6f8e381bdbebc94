//! A transport between the client and the emulator that answers some requests itself, and notes what it saw.

use aks_acr_emulator::Emulator;
use async_trait::async_trait;
use azure_core::{
    Bytes,
    http::{AsyncRawResponse, HttpClient, Request, StatusCode, headers::Headers},
};
use std::{
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

type Rule = dyn Fn(&Request) -> Option<Script> + Send + Sync;

/// What it answers.
#[derive(Clone)]
pub enum Script {
    /// Parts without end.
    Endless(u16),
    /// This body.
    Body(u16, &'static [(&'static str, &'static str)], String),
    /// No connection.
    Unreachable(&'static str),
    /// No response.
    Silent,
}

pub struct Wire {
    inner: Arc<dyn HttpClient>,
    rule: Box<Rule>,
    /// How many bytes of endless bodies were taken.
    pub taken: Arc<AtomicUsize>,
    /// The host and the user agent of each request.
    pub seen: Mutex<Vec<(String, String)>>,
}

impl Wire {
    pub fn of(azure: &Emulator, rule: impl Fn(&Request) -> Option<Script> + Send + Sync + 'static) -> Arc<Self> {
        let (taken, seen) = (Arc::default(), Mutex::default());
        Arc::new(Self { inner: azure.transport(), rule: Box::new(rule), taken, seen })
    }

    pub fn count(&self, host: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|(one, _)| one == host).count()
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let agent = request.headers().get_optional_str(&"user-agent".into()).unwrap_or_default().to_owned();
        self.seen.lock().unwrap().push((request.url().host_str().unwrap_or_default().to_owned(), agent));
        match (self.rule)(request) {
            None => self.inner.execute_request(request).await,
            Some(Script::Silent) => std::future::pending().await,
            Some(Script::Unreachable(why)) => {
                Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Connection, why))
            }
            Some(Script::Body(status, headers, body)) => {
                let mut all = Headers::new();
                for (name, value) in headers {
                    all.insert(*name, *value);
                }
                Ok(AsyncRawResponse::from_bytes(StatusCode::from(status), all, body))
            }
            Some(Script::Endless(status)) => {
                let (taken, part) = (self.taken.clone(), Bytes::from(vec![b' '; 1 << 16]));
                let parts = futures::stream::repeat_with(move || {
                    taken.fetch_add(part.len(), Ordering::Relaxed);
                    Ok(part.clone())
                });
                Ok(AsyncRawResponse::new(StatusCode::from(status), Headers::new(), Box::pin(parts)))
            }
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
