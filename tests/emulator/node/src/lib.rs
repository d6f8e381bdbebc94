//! The native half of the Node package `aks-acr-emulator`: JSON in, JSON out. `index.cjs` makes errors of faults.

#![expect(clippy::needless_pass_by_value, reason = "what comes from JavaScript is owned")]

use std::sync::Arc;

use aks_acr_emulator::serve::{Background, OrderError, ServeError};
use napi::bindgen_prelude::{AsyncTask, PromiseRaw};
use napi::{Env, Result, Task};
use napi_derive::napi;
use serde_json::{Value, json};

/// The version of the package.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A running emulator.
#[napi]
pub struct Native(Arc<Background>);

#[napi]
impl Native {
    /// Starts one; the answer is a `Native`, or a fault as text.
    #[napi(ts_return_type = "Promise<Native | string>")]
    #[must_use]
    pub fn start(wanted: String) -> AsyncTask<Start> {
        AsyncTask::new(Start(wanted))
    }

    /// Where everything is.
    #[napi]
    #[must_use]
    pub fn facts(&self) -> String {
        self.0.facts().to_string()
    }

    /// Does what an order says.
    #[napi]
    #[must_use]
    pub fn order(&self, name: String, body: String) -> String {
        told(read(&body).and_then(|body| Ok(self.0.order(&name, body)?)))
    }

    /// What there is to see.
    #[napi]
    #[must_use]
    pub fn look(&self, name: String, since: u32) -> String {
        told(self.0.look(&name, since as usize).map_err(Fault::from))
    }

    /// Client id and secret of a caller.
    #[napi]
    #[must_use]
    pub fn client_of(&self, caller: String) -> String {
        let client = self.0.client_of(&caller).map_err(Fault::from);
        told(client.map(|(id, secret)| json!({"clientId": id, "clientSecret": secret})))
    }

    /// A token of Entra.
    ///
    /// # Errors
    /// If the promise cannot be made.
    #[napi(ts_return_type = "Promise<string>")]
    pub fn token<'env>(&self, env: &'env Env, caller: String, scopes: Vec<String>) -> Result<PromiseRaw<'env, String>> {
        let token = self.0.token(&caller, scopes);
        env.spawn_future(async move {
            let token = token.await.map_err(|fault| Fault { code: "NoToken", text: fault.to_string() });
            // JavaScript counts milliseconds.
            Ok(told(token.map(|one| json!({"token": one.token, "expiresOnTimestamp": one.expires * 1000}))))
        })
    }

    /// The resource id of a registry.
    #[napi]
    #[must_use]
    pub fn registry_id(&self, group: String, name: String) -> String {
        self.0.emulator().registry_id(&group, &name)
    }

    /// The resource id of a cluster.
    #[napi]
    #[must_use]
    pub fn cluster_id(&self, group: String, name: String) -> String {
        self.0.emulator().cluster_id(&group, &name)
    }

    /// The object ID of a cluster's kubelet identity.
    #[napi]
    #[must_use]
    pub fn kubelet_object_id(&self, group: String, name: String) -> String {
        self.0.emulator().kubelet_object_id(&group, &name)
    }

    /// The object id of a caller.
    #[napi]
    #[must_use]
    pub fn object_id(&self, caller: String) -> String {
        self.0.emulator().object_id_of(&caller)
    }

    /// The digest that a tag stands for.
    #[napi]
    #[must_use]
    pub fn digest(&self, image: String) -> Option<String> {
        self.0.emulator().digest(&image)
    }

    /// Ends it.
    #[napi(ts_return_type = "Promise<void>")]
    #[must_use]
    pub fn stop(&self) -> AsyncTask<Stop> {
        AsyncTask::new(Stop(Arc::clone(&self.0)))
    }

    /// Ends it without waiting for anything.
    #[napi]
    pub fn abandon(&self) {
        self.0.abandon();
    }
}

/// What goes wrong, for `EmulatorError`.
struct Fault {
    code: &'static str,
    text: String,
}

impl From<OrderError> for Fault {
    fn from(fault: OrderError) -> Self {
        Self { code: if fault.is_missing() { "Missing" } else { "Invalid" }, text: fault.to_string() }
    }
}

impl From<ServeError> for Fault {
    fn from(fault: ServeError) -> Self {
        Self { code: if fault.is_system() { "System" } else { "Invalid" }, text: fault.to_string() }
    }
}

fn read(text: &str) -> std::result::Result<Value, Fault> {
    serde_json::from_str(text).map_err(|fault| Fault { code: "Invalid", text: fault.to_string() })
}

fn told(done: std::result::Result<Value, Fault>) -> String {
    match done {
        Ok(value) => json!({"value": value}),
        Err(fault) => json!({"fault": {"code": fault.code, "message": fault.text}}),
    }
    .to_string()
}

/// Work of another thread: the start.
pub struct Start(String);

impl Task for Start {
    type Output = std::result::Result<Background, String>;
    type JsValue = napi::Either<Native, String>;

    fn compute(&mut self) -> Result<Self::Output> {
        let started = read(&self.0).and_then(|wanted| Ok(Background::start(wanted)?));
        Ok(started.map_err(|fault| told(Err(fault))))
    }

    fn resolve(&mut self, _: Env, started: Self::Output) -> Result<Self::JsValue> {
        Ok(match started {
            Ok(started) => napi::Either::A(Native(Arc::new(started))),
            Err(fault) => napi::Either::B(fault),
        })
    }
}

/// Work of another thread: the shutdown, which waits for running requests.
pub struct Stop(Arc<Background>);

impl Task for Stop {
    type Output = ();
    type JsValue = ();

    fn compute(&mut self) -> Result<()> {
        self.0.stop();
        Ok(())
    }

    fn resolve(&mut self, _: Env, (): ()) -> Result<()> {
        Ok(())
    }
}
