//! The story: a registry and a cluster are made, images imported, the kubeconfig merged, a deployment applied whose pods cannot pull,
//! the registry attached, the pods run, the registry detached and attached again; and a second cluster is made with the registry attached.

use crate::{
    dice,
    stage::{OTHERS, Stage},
};
use aks_acr::{
    ApplyOptions, AttachOptions, AttachmentsOptions, CallOptions, Client, ClusterRef, CreateClusterOptions,
    CreateRegistryOptions, DetachOptions, DetachOutcome, Error, ErrorKind, ImportItem, ImportManyOptions,
    ImportOptions, Manifest, MergeKubeconfigOptions, PodSelection, PullGrant, RegistryRef, RolloutOptions, WorkloadRef,
};
use serde_json::Value;
use std::{fmt, fs, time::Duration};
use tokio::time::Instant;

pub const REGISTRY: &str = "myregistry";
pub const CLUSTERS: [&str; 2] = ["dev", "second"];
const MANIFEST: &str = include_str!("../../examples/acr-nginx.yaml");
/// What a call may take longer than its deadline: the steps of the clock.
const TOLERANCE: Duration = Duration::from_secs(1);

/// How long the calls may take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    Long,
    /// Long, except for an occasional call, which has to be short.
    ByChance,
}

/// Why the story stopped before its end.
pub enum Stop {
    /// A call failed.
    Failed { step: &'static str, err: Box<Error> },
    /// A promise was broken.
    Broken { step: &'static str, why: String },
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { step, err } => write!(f, "{step}: {:?}: {err:#}", err.kind()),
            Self::Broken { step, why } => write!(f, "{step}: {why}"),
        }
    }
}

/// How long a call took, and how long it was allowed.
#[derive(Clone, Copy)]
pub struct Timed {
    pub step: &'static str,
    pub took: Duration,
    pub allowed: Duration,
}

/// What became of a telling.
pub struct Told {
    pub stopped: Option<Stop>,
    pub calls: Vec<Timed>,
}

struct Teller<'a> {
    stage: &'a Stage,
    patience: Patience,
    calls: Vec<Timed>,
}

pub async fn tell(stage: &Stage, patience: Patience) -> Told {
    let mut teller = Teller { stage, patience, calls: Vec::new() };
    let stopped = teller.tell().await.err();
    Told { stopped, calls: teller.calls }
}

impl Teller<'_> {
    async fn tell(&mut self) -> Result<(), Stop> {
        let client = self.stage.client();
        let cluster = ClusterRef::new("group", "dev").unwrap();
        let registry: RegistryRef = REGISTRY.parse().unwrap();
        let deployment = WorkloadRef::new("nginx0-deployment");

        self.call("create_registry", 20, |call| {
            client.create_registry("group", REGISTRY, CreateRegistryOptions::default().with_call(call))
        })
        .await?;
        self.call("create_cluster", 60, |call| {
            client.create_cluster(&cluster, CreateClusterOptions::default().with_node_count(1).with_call(call))
        })
        .await?;
        let source = "nginx".parse().unwrap();
        self.call("import_image", 30, |call| {
            client.import_image(&registry, &source, ImportOptions::default().with_target("nginx:v1").with_call(call))
        })
        .await?;
        let results = self
            .call("import_images", 60, |call| {
                client.import_images(&registry, list(), ImportManyOptions::default().with_call(call))
            })
            .await?;
        for result in results {
            result.map_err(|err| failed("import_images", err))?;
        }
        let file = self.stage.kubeconfig();
        self.call("merge_kubeconfig", 10, |call| {
            client.merge_kubeconfig(&cluster, MergeKubeconfigOptions::default().with_file(&file).with_call(call))
        })
        .await?;
        self.call("apply", 10, |call| {
            let manifests = Manifest::parse_all(MANIFEST).unwrap();
            client.apply(&cluster, manifests, ApplyOptions::default().with_registry(registry.clone()).with_call(call))
        })
        .await?;
        let rolled = self
            .call("wait_for_rollout", 30, |call| {
                client.wait_for_rollout(&cluster, &deployment, RolloutOptions::default().with_call(call))
            })
            .await;
        // When the story is run again, the pods may be running by then.
        if let Err(Stop::Failed { step, err }) = rolled
            && err.kind() != ErrorKind::PullFailed
        {
            return Err(Stop::Failed { step, err });
        }
        self.attach("attach").await?;
        self.call("wait_for_rollout again", 60, |call| {
            client.wait_for_rollout(&cluster, &deployment, RolloutOptions::default().with_call(call))
        })
        .await?;
        self.pods(&client, &cluster).await?;
        self.attachments(&client, &registry).await?;
        self.detach(&client, &cluster, &registry).await?;
        self.attach("attach again").await?;
        let options = || CreateClusterOptions::default().with_node_count(1).with_registry(registry.clone());
        let second = ClusterRef::new("group", "second").unwrap();
        self.call("create_cluster with attach", 60, |call| client.create_cluster(&second, options().with_call(call)))
            .await
            .map(drop)
    }

    /// Reads the pods, which run. A pod whose status cannot be read is shown as unknown.
    async fn pods(&mut self, client: &Client, cluster: &ClusterRef) -> Result<(), Stop> {
        let selection = PodSelection::default().with_labels("app=nginx0");
        loop {
            let mark = self.stage.azure.mark();
            let pods = self.call("pods", 10, |call| client.pods(cluster, &selection, call)).await?.pods;
            let run = pods.len() == 2 && pods.iter().all(|pod| pod.status == "Running");
            let is_odd = pods.iter().any(|pod| pod.status == "Unknown") && self.stage.has_left_out(mark);
            match (run, is_odd) {
                (true, _) => return Ok(()),
                (false, true) => {}
                (false, false) => return Err(broken("pods", format!("{pods:?}"))),
            }
        }
    }

    /// Reads who can pull. What Azure does not list yet is read again, as often as a waiting caller would.
    async fn attachments(&mut self, client: &Client, registry: &RegistryRef) -> Result<(), Stop> {
        loop {
            let mark = self.stage.azure.mark();
            let attached = self
                .call("attachments", 10, |call| {
                    client.attachments_of_registry(registry, AttachmentsOptions::default().with_call(call))
                })
                .await?;
            // When the story is run again, the second cluster may already be attached.
            let is_of_first = |grant: &&PullGrant| grant.clusters.iter().any(|one| one.name() == CLUSTERS[0]);
            let of_first = attached.grants.iter().filter(is_of_first).count();
            match of_first {
                1 => return Ok(()),
                0 if self.stage.has_left_out(mark) => tokio::time::sleep(Duration::from_secs(5)).await,
                _ => {
                    let why = format!("{of_first} grants of the first cluster: {:?}", attached.grants);
                    return Err(broken("attachments", why));
                }
            }
        }
    }

    /// Detach removes what Azure lists: a grant may stay only where a list has left it out, and then none is said to be removed.
    async fn detach(&mut self, client: &Client, cluster: &ClusterRef, registry: &RegistryRef) -> Result<(), Stop> {
        let mark = self.stage.azure.mark();
        let detached = self
            .call("detach", 10, |call| client.detach(cluster, registry, DetachOptions::default().with_call(call)))
            .await?;
        let stays = self.stage.grants().keys().any(|grant| grant.starts_with("dev "));
        let may_stay = detached.outcome == DetachOutcome::NothingToRemove && self.stage.has_left_out(mark);
        if stays && !may_stay {
            return Err(broken("detach", format!("the grant stays: {detached:?}")));
        }
        Ok(())
    }

    async fn attach(&mut self, step: &'static str) -> Result<(), Stop> {
        let (client, cluster) = (self.stage.client(), ClusterRef::new("group", "dev").unwrap());
        let registry: RegistryRef = REGISTRY.parse().unwrap();
        self.call(step, 10, |call| client.attach(&cluster, &registry, AttachOptions::default().with_call(call)))
            .await
            .map(drop)
    }

    /// Makes a call with a deadline, and looks at what it promises whatever it ends as.
    async fn call<T, F>(
        &mut self,
        step: &'static str,
        minutes: u64,
        call: impl FnOnce(CallOptions) -> F,
    ) -> Result<T, Stop>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let seed = self.stage.seed;
        let allowed = match dice::below(30, seed, step) {
            0 if self.patience == Patience::ByChance => {
                Duration::from_secs(1 + dice::below(90, seed, &format!("{step}?")))
            }
            _ => Duration::from_secs(minutes * 60),
        };
        let begun = Instant::now();
        let ended = call(CallOptions::default().with_deadline(allowed)).await;
        let took = begun.elapsed();
        self.calls.push(Timed { step, took, allowed });
        if took > allowed + TOLERANCE {
            return Err(broken(step, format!("it took {took:.1?}, and its deadline was {allowed:.1?}")));
        }
        self.promises(step)?;
        ended.map_err(|err| failed(step, err))
    }

    fn promises(&self, step: &'static str) -> Result<(), Stop> {
        if let Some((grant, times)) = self.stage.grants().into_iter().find(|(_, times)| *times > 1) {
            return Err(broken(step, format!("{times} grants of {grant}")));
        }
        for cluster in CLUSTERS {
            let made = self.stage.writes_of(cluster);
            if made > 1 {
                return Err(broken(step, format!("the cluster {cluster} was written {made} times")));
            }
        }
        damage(&fs::read_to_string(self.stage.kubeconfig()).unwrap_or_default())
            .map_or(Ok(()), |why| Err(broken(step, why)))
    }
}

/// What is wrong with the kubeconfig file: it is as it was, or others' entries are and ours is beside them.
fn damage(text: &str) -> Option<String> {
    if text == OTHERS {
        return None;
    }
    let values: Result<Value, _> = serde_saphyr::from_str(text);
    let Ok(values) = values else { return Some(format!("the kubeconfig file is none: {text}")) };
    let has =
        |list: &str, name: &str| values[list].as_array().is_some_and(|all| all.iter().any(|one| one["name"] == name));
    let kept = OTHERS.lines().filter(|line| !line.starts_with("current-context")).all(|line| text.contains(line));
    let whole = has("contexts", "theirs") && has("contexts", "dev") && has("clusters", "dev") && kept;
    (!whole).then(|| format!("the kubeconfig file is damaged: {text}"))
}

fn list() -> Vec<ImportItem> {
    let item = |source: &str, target: &str| {
        ImportItem::new(source.parse().unwrap(), ImportOptions::default().with_target(target))
    };
    vec![item("redis:7", "redis:7"), item("team/app:v1", "app:v1"), item("team/tool:v2", "tool:v2")]
}

fn failed(step: &'static str, err: Error) -> Stop {
    Stop::Failed { step, err: Box::new(err) }
}

fn broken(step: &'static str, why: impl Into<String>) -> Stop {
    Stop::Broken { step, why: why.into() }
}
