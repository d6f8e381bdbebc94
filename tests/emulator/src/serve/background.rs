//! A server with its own threads, for a program that has no runtime: what the packages for Python and Node are made
//! of.

use std::fmt;
use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use super::ca_file::CaFile;
use super::control::order::{Speed, TimingOrder};
use super::control::{self, Refusal};
use super::scene_file::{Caller, Scene};
use super::{OrderError, ServeError, Server, ServerOptions, advice};
use crate::control_plane::Programs;
use crate::emulator::Emulator;
use crate::world::OWNER;

/// What a server in the background starts with, as it stands in JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Wanted {
    /// As in a seed file; without it, the usual one.
    scene: Option<Scene>,
    /// A preset by its name, or an order of timing.
    timing: Option<Value>,
    clock: Option<u32>,
    latency_ms: Option<f64>,
    /// More than the scene has.
    callers: Vec<Caller>,
    /// The folder of a real control plane for each cluster.
    kubernetes: Option<PathBuf>,
    /// Whether nodes are real, too.
    node: bool,
}

/// A running server and its threads. It ends when it is dropped; what it has seen can be read after
/// [`stop`](Self::stop), too.
///
/// ```
/// use aks_acr_emulator::serve::Background;
/// use serde_json::json;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let azure = Background::start(json!({"scene": {"registries": [{"group": "group", "name": "myregistry"}]}}))?;
/// assert!(azure.facts()["origin"].as_str().is_some_and(|origin| origin.starts_with("https://localhost:")));
/// azure.order("clock", json!({"speed": 60}))?;
/// azure.stop();
/// assert_eq!(azure.look("summary", 0)?["count"], 0);
/// # Ok(()) }
/// ```
pub struct Background {
    emulator: Emulator,
    facts: Value,
    /// The process that has the threads: a fork of it has none.
    process: u32,
    live: Mutex<Option<Live>>,
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("origin", &self.facts["origin"]).finish_non_exhaustive()
    }
}

/// What ends with the server.
struct Live {
    runtime: Runtime,
    server: Server,
    ca_file: CaFile,
}

/// A token of the emulator's Entra.
#[derive(Clone)]
#[non_exhaustive]
pub struct Token {
    /// The token that a request sends.
    pub token: String,
    /// When it expires, in seconds since 1970.
    pub expires: u64,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Background {
    /// Starts an emulator and its server: `scene` as in a seed file (without it, the images that are usual), `timing` (`"none"`,
    /// `"typical"`, or the body of that order), `clock` (how many times faster it runs), `latencyMs`, `callers` in
    /// addition to the scene's, and `kubernetes` (a folder that `build-kubernetes` has filled: clusters have a real control plane), and
    /// `node` (whether nodes are real, too). When this returns, both ways in are open.
    ///
    /// # Errors
    /// If what is wanted is not understood, which the text then names, or if the server does not come up.
    pub fn start(wanted: Value) -> Result<Self, ServeError> {
        let wanted: Wanted =
            serde_path_to_error::deserialize(wanted).map_err(|fault| ServeError::new(fault.to_string()))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("aks-acr-emulator")
            .enable_all()
            .build()
            .map_err(|fault| ServeError::io("threads", &fault))?;
        let _inside = runtime.enter();
        let emulator = wanted.set()?;
        let server = runtime.block_on(Server::start(emulator.clone(), ServerOptions::default()))?;
        let ca_file = CaFile::write(None, server.ca_pem())?;
        let facts = facts(&server, &ca_file);
        let live = Mutex::new(Some(Live { runtime, server, ca_file }));
        Ok(Self { emulator, facts, process: std::process::id(), live })
    }

    /// Where everything is: `origin`, `proxy`, `ca`, `caFile`, `tenantId`, `subscriptionId`, `clientId`, `clientSecret`
    /// (of the owner), `environment`.
    #[must_use]
    pub fn facts(&self) -> &Value {
        &self.facts
    }

    /// The emulator that is served.
    #[must_use]
    pub fn emulator(&self) -> &Emulator {
        &self.emulator
    }

    /// Does what an order of the control endpoint says: see [`Server::order`].
    ///
    /// # Errors
    /// If the order is not understood, or names what is not there, or in a fork.
    pub fn order(&self, name: &str, body: Value) -> Result<Value, OrderError> {
        self.at_home()?;
        Ok(control::obey(&self.emulator, name, body)?)
    }

    /// What the control endpoint shows: see [`Server::look`].
    ///
    /// # Errors
    /// If there is nothing under this name, or in a fork.
    pub fn look(&self, name: &str, since: usize) -> Result<Value, OrderError> {
        self.at_home()?;
        Ok(control::look(&self.emulator, name, since)?)
    }

    /// Client ID and secret of a caller, for another credential type.
    ///
    /// # Errors
    /// If the caller does not exist or cannot sign in.
    pub fn client_of(&self, caller: &str) -> Result<(String, String), OrderError> {
        let known = Some(self.emulator.client_secret_of(caller)).filter(|(_, secret)| !secret.is_empty());
        known.ok_or_else(|| control::missing(format!("caller {caller} does not exist")).into())
    }

    /// Asks Entra for a token, as [`Emulator::credential_of`] does: each time anew, so that it shows in the log. It takes as
    /// long as the emulator's latency and faults say, for every caller.
    ///
    /// # Errors
    /// If Entra gives none, or the server has stopped.
    pub fn token(
        &self,
        caller: &str,
        scopes: Vec<String>,
    ) -> impl Future<Output = Result<Token, OrderError>> + Send + 'static + use<> {
        let credential = self.emulator.credential_of(caller);
        let asked = self.at_home().map(|()| {
            let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
            live.as_ref().map(|live| {
                live.runtime.spawn(async move {
                    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                    credential.get_token(&scopes, None).await
                })
            })
        });
        async move {
            let stopped = || OrderError::from(control::unclear("the emulator is stopped"));
            let token = asked?.ok_or_else(stopped)?.await.map_err(|_| stopped())?;
            let token = token.map_err(|fault| control::unclear(fault.to_string()))?;
            let expires = SystemTime::from(token.expires_on).duration_since(SystemTime::UNIX_EPOCH);
            Ok(Token { token: token.token.secret().to_owned(), expires: expires.map_or(0, |time| time.as_secs()) })
        }
    }

    /// Waits for a [`token`](Self::token).
    ///
    /// # Errors
    /// As there.
    pub fn token_now(&self, caller: &str, scopes: Vec<String>) -> Result<Token, OrderError> {
        futures::executor::block_on(self.token(caller, scopes))
    }

    /// Ends the server as [`Server::stop`] does, and removes the file of the certificate. The second time it does nothing.
    pub fn stop(&self) {
        if let Some(Live { runtime, server, ca_file }) = self.take() {
            runtime.block_on(server.stop());
            runtime.shutdown_timeout(Duration::from_secs(1));
            drop(ca_file);
        }
    }

    /// Ends the server without waiting for anything, as a process does that is about to end.
    pub fn abandon(&self) {
        if let Some(Live { runtime, server, ca_file }) = self.take() {
            drop(server);
            drop(ca_file);
            runtime.shutdown_background();
        }
    }

    /// What is to be ended, in the process that has it.
    fn take(&self) -> Option<Live> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        if self.process == std::process::id() {
            return Some(live);
        }
        // In a fork the threads are not there to be waited for, and the file is the parent's.
        let _ = ManuallyDrop::new(live);
        None
    }

    fn at_home(&self) -> Result<(), Refusal> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(control::unclear("this emulator belongs to the parent of this forked process: start another one here"))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl Wanted {
    fn set(self) -> Result<Emulator, ServeError> {
        let mut emulator = Emulator::new();
        if let Some(folder) = &self.kubernetes {
            emulator = emulator.with_control_planes(Programs::open(folder, self.node)?)?;
        } else if self.node {
            return Err(ServeError::new("node needs kubernetes: real nodes are clients of a real control plane"));
        }
        emulator = self.scene.unwrap_or_else(Scene::usual).set(emulator)?;
        for caller in self.callers {
            emulator = caller.enter(emulator)?;
        }
        let timing = match self.timing {
            None => json!({}),
            Some(Value::String(preset)) => json!({"preset": preset}),
            Some(order) => order,
        };
        let mut timing: TimingOrder = control::read(timing)?;
        if let Some(latency) = self.latency_ms {
            timing = timing.with_latency(latency / 1000.0);
        }
        timing.obey(&emulator)?;
        if let Some(speed) = self.clock {
            Speed { speed }.obey(&emulator)?;
        }
        Ok(emulator)
    }
}

fn facts(server: &Server, ca_file: &CaFile) -> Value {
    let emulator = server.emulator();
    let (client_id, client_secret) = emulator.client_secret_of(OWNER);
    let environment: serde_json::Map<String, Value> = advice::environment(server, ca_file.path())
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    json!({
        "origin": server.origin(),
        "proxy": server.proxy(),
        "ca": server.ca_pem(),
        "caFile": ca_file.path(),
        "tenantId": emulator.tenant(),
        "subscriptionId": emulator.subscription(),
        "clientId": client_id,
        "clientSecret": client_secret,
        "environment": environment,
    })
}
