//! A client of core's: usable until it is closed, in the process that made it.

use crate::{
    argument::{Listening, Span},
    call::Manner,
    cloud::Cloud,
    credential::PyCredential,
    error::to_py,
    runtime::check_process,
    write::Hook,
};
use aks_acr::{CancellationToken, Client};
use pyo3::{
    exceptions::{PyRuntimeError, PyTypeError},
    prelude::*,
};
use std::sync::{Mutex, PoisonError};

/// A client, until it is closed.
pub struct Held {
    client: Mutex<Option<Client>>,
    /// Cancels running calls when the client is closed.
    closed: CancellationToken,
    pub cloud: String,
    pub subscription_id: String,
    process: u32,
}

impl Held {
    pub fn new(
        py: Python<'_>,
        credential: Option<Bound<'_, PyAny>>,
        subscription_id: &str,
        cloud: Cloud,
        proxy: Option<&str>,
        ca: Option<&str>,
        read_only: bool,
        on_write: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let begun = match credential {
            Some(credential) => Client::builder(PyCredential::new(&credential)?, subscription_id),
            None => Client::builder_with_default_credential(subscription_id),
        };
        let mut builder = begun.cloud(cloud.cloud);
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy);
        }
        if let Some(ca) = ca {
            builder = builder.add_root_certificates(ca);
        }
        if read_only {
            builder = builder.read_only();
        }
        if let Some(hook) = on_write {
            if !hook.bind(py).is_callable() {
                let class = hook.bind(py).get_type().qualname()?;
                return Err(PyTypeError::new_err(format!("on_write: must be a function, not {class}")));
            }
            builder = builder.on_write(Hook(hook));
        }
        let client = builder.build().map_err(|err| to_py(py, &err))?;
        Ok(Self {
            subscription_id: client.subscription_id().to_string(),
            client: Mutex::new(Some(client)),
            closed: CancellationToken::new(),
            cloud: cloud.name,
            process: std::process::id(),
        })
    }

    /// The client, for one call.
    pub fn client(&self) -> PyResult<Client> {
        check_process(self.process, "client")?;
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).clone();
        client.ok_or_else(|| PyRuntimeError::new_err("this client is closed"))
    }

    pub fn manner(&self, py: Python<'_>, deadline: Option<Span>, on_progress: Option<Listening>) -> PyResult<Manner> {
        let deadline = Span::named(deadline, py, "deadline")?;
        let on_progress = on_progress.map(|Listening(listener)| listener);
        Ok(Manner { deadline, on_progress, closed: self.closed.clone() })
    }

    pub fn close(&self) {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.process == std::process::id() {
            self.closed.cancel();
        } else {
            // In a forked child the threads of its connections do not exist: change nothing there.
            std::mem::forget(client);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.close();
    }
}
