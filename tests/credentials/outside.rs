//! Addresses that are not Azure's, played between the client and the emulator.

use aks_acr_emulator::Emulator;
use async_trait::async_trait;
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode, headers::Headers};
use std::{
    fmt,
    sync::{Arc, Mutex},
};

type Rule = dyn Fn(&Request) -> Option<String> + Send + Sync;

/// A transport that answers itself what its rule knows; all other requests are the emulator's.
pub struct Outside {
    inner: Arc<dyn HttpClient>,
    rule: Box<Rule>,
    hangs_at: &'static str,
    /// Method and address of each request.
    pub asked: Mutex<Vec<String>>,
}

impl Outside {
    pub fn of(azure: &Emulator, rule: impl Fn(&Request) -> Option<String> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { inner: azure.transport(), rule: Box::new(rule), hangs_at: "", asked: Mutex::default() })
    }

    /// One that never answers for a host.
    pub fn that_hangs(azure: &Emulator, host: &'static str) -> Arc<Self> {
        Arc::new(Self { inner: azure.transport(), rule: Box::new(|_| None), hangs_at: host, asked: Mutex::default() })
    }

    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl HttpClient for Outside {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.asked.lock().unwrap().push(format!("{} {}", request.method(), request.url()));
        if request.url().host_str() == Some(self.hangs_at) {
            std::future::pending::<()>().await;
        }
        match (self.rule)(request) {
            Some(body) => Ok(AsyncRawResponse::from_bytes(StatusCode::Ok, Headers::new(), body)),
            None => self.inner.execute_request(request).await,
        }
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outside")
    }
}
