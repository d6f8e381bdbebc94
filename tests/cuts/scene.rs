//! What there is before an operation.

use aks_acr::{CallOptions, Client, ClusterRef, Event, RegistryRef};
use aks_acr_emulator::{Emulator, Mark};
use aks_acr_tests::folder::Folder;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// An emulator, and what the caller keeps between two runs.
pub struct Scene {
    pub azure: Emulator,
    /// For files.
    pub folder: Folder,
    /// From here on requests are the operation's.
    pub begun: Mark,
    /// When that was.
    pub since: Instant,
    stored: Mutex<Value>,
    /// What the operation is called with besides.
    call: Mutex<CallOptions>,
    called: Mutex<Option<Instant>>,
    heard: Arc<Mutex<Vec<Event>>>,
}

impl Scene {
    pub fn of(azure: Emulator) -> Self {
        Self {
            begun: azure.mark(),
            since: Instant::now(),
            folder: Folder::new(),
            stored: Mutex::default(),
            call: Mutex::default(),
            called: Mutex::default(),
            heard: Arc::default(),
            azure,
        }
    }

    /// A cluster `group/dev` and a registry `myregistry`.
    pub fn plain() -> Self {
        Self::of(Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry"))
    }

    /// A client whose requests are not cut.
    pub fn client(&self) -> Client {
        let builder = Client::builder(self.azure.credential(), self.azure.subscription());
        let builder = builder.transport(self.azure.transport()).kubernetes(self.azure.kubernetes());
        builder.environment(|_| None).build().expect("a client")
    }

    /// What was done so far belongs to the scene.
    pub fn begin(mut self) -> Self {
        self.begun = self.azure.mark();
        self.since = Instant::now();
        self
    }

    /// Bounds the calls from here on.
    pub fn bound(&self, call: CallOptions) {
        *self.call.lock().unwrap_or_else(PoisonError::into_inner) = call;
    }

    /// The options that every operation has: the bounds that were set, and a listener.
    pub fn call(&self) -> CallOptions {
        *self.called.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let heard = self.heard.clone();
        let call = self.call.lock().unwrap_or_else(PoisonError::into_inner).clone();
        call.with_progress(move |event| heard.lock().unwrap_or_else(PoisonError::into_inner).push(event))
    }

    /// When the last call began.
    pub fn called(&self) -> Instant {
        self.called.lock().unwrap_or_else(PoisonError::into_inner).expect("a call")
    }

    /// What was heard since the last time.
    pub fn heard(&self) -> Vec<Event> {
        std::mem::take(&mut self.heard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the caller has written down: it is there after a cut.
    pub fn store(&self, value: &impl Serialize) {
        let value = serde_json::to_value(value).expect("JSON");
        *self.stored.lock().unwrap_or_else(PoisonError::into_inner) = value;
    }

    pub fn stored<T: DeserializeOwned>(&self) -> T {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone();
        serde_json::from_value(stored).expect("what was stored")
    }

    pub fn grant(&self, role: &str, scope: &str) {
        self.azure.grant(role, &self.azure.kubelet_object_id("group", "dev"), scope);
    }

    pub fn registry_id(&self) -> String {
        self.azure.registry_id("group", "myregistry")
    }

    pub fn by_id(&self) -> RegistryRef {
        self.registry_id().parse().expect("an id")
    }
}

pub fn cluster() -> ClusterRef {
    ClusterRef::new("group", "dev").expect("a cluster's name")
}

pub fn registry() -> RegistryRef {
    "myregistry".parse().expect("a registry's name")
}
