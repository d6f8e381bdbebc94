//! What takes time: the operations that were started, and what they bring about when they are through.

use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::arm::import::{self, Import};
use crate::command::Command;
use crate::world::World;

/// A running operation.
#[derive(Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) started: Instant,
    pub(crate) due: Instant,
    pub(crate) work: Work,
    /// `None` until it is through; then what went wrong, if anything.
    pub(crate) outcome: Option<Result<(), Failure>>,
    /// With which error it is to fail, if it is.
    fails: Option<Value>,
}

/// How operations are shown, and how they end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manner {
    /// Whether fields without a value are there, as `null`.
    pub(crate) nulls: bool,
    /// The error with which creations and imports fail, in whatever form.
    pub(crate) error: Option<Value>,
}

impl Operation {
    /// Whether it has ended, well or not.
    pub(crate) fn is_through(&self, now: Instant) -> bool {
        self.outcome.is_some() || self.due <= now
    }
}

/// What it brings about.
#[derive(Clone)]
pub(crate) enum Work {
    /// A registry comes to be `Succeeded`.
    Registry(String),
    /// A registry goes, with what was granted on it.
    RegistryDeletion(String),
    /// A cluster comes to be `Succeeded` again.
    Cluster(String),
    /// A cluster comes to be.
    ClusterCreation(String),
    /// A cluster that is being created shows its kubelet identity.
    KubeletIdentity(String),
    /// A cluster goes.
    ClusterDeletion(String),
    /// The nodes of a pool are made anew from the newest image: the cluster's id, the pool.
    NodeImage(String, String),
    /// A cluster comes to have other certificates.
    ClusterRotation(String),
    /// A group goes, with all that is in it.
    Group(String),
    /// A subscription comes to have a provider: its id, the namespace.
    Registration(String, String),
    /// A command runs in a cluster.
    Command(Box<Command>),
    /// An image is copied.
    Import(Box<Import>),
}

/// How an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl World {
    /// Starts an operation; the answer is its id.
    pub(crate) fn start(&mut self, work: Work, now: Instant, due: Instant) -> String {
        let id = self.ids.id().to_string();
        let may_fail = matches!(work, Work::Registry(_) | Work::ClusterCreation(_) | Work::Import(_));
        let fails = self.manner.error.clone().filter(|_| may_fail);
        self.operations.push(Operation { id: id.clone(), started: now, due, work, outcome: None, fails });
        id
    }

    /// The body with an operation's state: `word` is for one that is running.
    pub(crate) fn state_of(&self, operation: &Operation, word: &str, now: Instant) -> Value {
        let mut body = json!({"status": if operation.is_through(now) { "Succeeded" } else { word }});
        if self.manner.nulls {
            body = json!({"status": body["status"], "properties": null, "error": null, "percentComplete": null});
        }
        if let Some(error) = operation.fails.as_ref().filter(|_| operation.is_through(now)) {
            body["status"] = "Failed".into();
            body["error"] = error.clone();
        }
        body
    }

    pub(crate) fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id.eq_ignore_ascii_case(id))
    }
}

/// When the next operation is through.
pub(crate) fn next(world: &World) -> Option<Instant> {
    let open = world.operations.iter().filter(|operation| operation.outcome.is_none());
    open.map(|operation| operation.due).min()
}

/// Finishes what is due.
pub(crate) fn settle(world: &mut World, now: Instant) {
    for at in 0..world.operations.len() {
        let operation = &world.operations[at];
        if operation.outcome.is_none() && operation.due <= now {
            let work = operation.work.clone();
            let outcome = if operation.fails.is_some() { fail(world, &work) } else { bring_about(world, &work, now) };
            world.operations[at].outcome = Some(outcome);
        }
    }
}

/// What a creation that failed leaves behind.
fn fail(world: &mut World, work: &Work) -> Result<(), Failure> {
    match work {
        Work::Registry(id) => {
            let found = world.registries.iter_mut().find(|registry| registry.id().eq_ignore_ascii_case(id));
            if let Some(registry) = found {
                registry.properties["provisioningState"] = "Failed".into();
            }
        }
        Work::ClusterCreation(id) => {
            if let Some(at) = world.cluster_of_id(id) {
                world.clusters[at].state = String::from("Failed");
            }
        }
        _ => {}
    }
    Err(Failure { status: StatusCode::OK, code: "", message: String::new() })
}

fn bring_about(world: &mut World, work: &Work, now: Instant) -> Result<(), Failure> {
    match work {
        Work::Registry(id) => {
            let found = world.registries.iter_mut().find(|registry| registry.id().eq_ignore_ascii_case(id));
            if let Some(registry) = found {
                registry.properties["provisioningState"] = "Succeeded".into();
            }
            Ok(())
        }
        Work::RegistryDeletion(id) => {
            world.remove_registry(id);
            Ok(())
        }
        Work::ClusterRotation(id) => {
            world.rotate_certificates(id);
            Ok(())
        }
        Work::Cluster(id) | Work::ClusterCreation(id) => {
            world.open_cluster(id, now);
            Ok(())
        }
        Work::NodeImage(id, pool) => {
            if let Some(at) = world.cluster_of_id(id) {
                world.clusters[at].renew_nodes(pool, now);
            }
            world.open_cluster(id, now);
            Ok(())
        }
        Work::KubeletIdentity(id) => {
            if let Some(at) = world.cluster_of_id(id) {
                world.clusters[at].shows_kubelet = true;
            }
            Ok(())
        }
        Work::ClusterDeletion(id) => {
            world.remove_cluster(id);
            Ok(())
        }
        Work::Group(scope) => {
            world.remove_group(scope);
            Ok(())
        }
        Work::Registration(subscription, namespace) => {
            world.registered(subscription, namespace);
            Ok(())
        }
        Work::Command(command) => {
            world.run(command, now);
            Ok(())
        }
        Work::Import(import) => import::copy(world, import, now),
    }
}
