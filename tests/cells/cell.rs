//! A cell: a scene, and what a check, the nodes and an explanation must say of it.

use crate::scene::{CLUSTER, GROUP, IMAGE, REGISTRY, Scene};
use aks_acr::{FindingId, FindingStatus, Verdict};
use aks_acr_emulator::{ClusterSeed, RegistrySeed};
use std::{sync::Arc, time::Duration};

/// What is done to a scene before the check.
pub type Prepare = Arc<dyn Fn(&Scene) + Send + Sync>;

/// Objects of Kubernetes, made for a scene.
pub type Objects = Box<dyn Fn(&Scene) -> Vec<String> + Send + Sync>;

pub struct Cell {
    pub set: &'static str,
    /// Its place in each dimension of the set.
    pub name: String,
    pub cluster: ClusterSeed,
    /// The node pools whose pods are started, by the seed's nodes.
    pub pools: Vec<String>,
    /// `None`: there is no registry of that name.
    pub registry: Option<RegistrySeed>,
    /// Those of the image `team/app:v1`. Without any, there is no such image.
    pub platforms: Vec<&'static str>,
    pub prepare: Prepare,
    pub pod: Pod,
    /// What is applied in the cluster before the pods.
    pub objects: Option<Objects>,
    /// A pod that runs before, so that nodes have its image.
    pub warm_up: Option<Pod>,
    pub asked: Asked,
    pub wanted: Wanted,
    /// Whether the registry was switched to repository permissions while nodes had credentials of before.
    pub is_switched: bool,
    /// What a person writes in the manifest instead of the pod's image, and about which finding.
    pub correction: Option<(FindingId, String)>,
    /// What a person does about findings, if neither an operation nor a command says it.
    pub mends: Vec<(Option<FindingId>, Prepare)>,
}

/// What the pods of a cell have in common.
#[derive(Clone)]
pub struct Pod {
    pub image: String,
    /// Their pull secrets.
    pub secrets: Vec<String>,
    pub policy: Option<&'static str>,
}

/// How the check is asked.
#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one switch of its own")]
pub struct Asked {
    /// Whether about the image, or about the registry as a whole.
    pub with_image: bool,
    /// Whether Microsoft Graph may be queried.
    pub query_graph: bool,
    /// Whether the nodes and their scale sets are read.
    pub nodes: bool,
    /// Whether the registry is given by its name, and not by its ID.
    pub by_name: bool,
    /// The subscription of the registry, if it is one of another tenant.
    pub subscription: Option<&'static str>,
    /// Whether an explanation and a proof are given the registry's ID, too.
    pub is_named_inside: bool,
}

/// What the rules of the set say, without a look into the library.
#[derive(Clone)]
pub struct Wanted {
    /// The first finding of the check. `None`: nothing stands in the way.
    pub found: Option<(FindingStatus, FindingId)>,
    pub pods: Pods,
    /// The root cause that an explanation names, if it is not that of the check.
    pub inside: Option<FindingId>,
    /// How long the pods fail before they run without a step. Zero: what fails goes on failing.
    pub later: Duration,
    /// A part of the kubelet's message, if the pods do not run.
    pub text: Option<&'static str>,
    /// The verdict, if it does not follow from the first finding.
    pub verdict: Option<Verdict>,
    /// Whether there is no API server at first, and so no pods.
    pub is_closed: bool,
    /// Whether the pods have what a check does not know: pull secrets or a pull policy.
    pub is_of_pod: bool,
    /// Parts of what a check takes for granted, since only nodes show these causes.
    pub assumed: Vec<&'static str>,
    /// Whether a proof pulls, and what it names otherwise, if that is not what the pods do.
    pub proof: Option<(bool, Option<FindingId>)>,
    /// The highest number of requests of the check, and their depth.
    pub cost: (usize, usize),
}

/// Whether the pods run.
#[derive(Clone)]
pub enum Pods {
    All,
    None,
    /// Those of these pools only.
    #[allow(dead_code, reason = "of sets whose pools differ")]
    Of(Vec<&'static str>),
}

impl Pods {
    pub fn run_in(&self, pool: &str) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Of(pools) => pools.contains(&pool),
        }
    }
}

/// The most that a check may cost, by the section on evidence of the design.
pub const MOST: (usize, usize) = (24, 6);
/// What a healthy cluster costs with an image of one platform.
pub const HEALTHY: (usize, usize) = (8, 4);

impl Wanted {
    /// Nothing stands in the way, and the pods run.
    pub fn healthy() -> Self {
        Self {
            found: None,
            pods: Pods::All,
            inside: None,
            later: Duration::ZERO,
            text: None,
            verdict: None,
            is_closed: false,
            is_of_pod: false,
            assumed: Vec::new(),
            proof: None,
            cost: MOST,
        }
    }

    /// The pods do not run because of this, and the kubelet's message has this text.
    pub fn fails(id: FindingId, text: &'static str) -> Self {
        Self { found: Some((FindingStatus::Failing, id)), pods: Pods::None, text: Some(text), ..Self::healthy() }
    }

    /// The pods run, and something is to be mentioned.
    pub fn warns(id: FindingId) -> Self {
        Self { found: Some((FindingStatus::Warning, id)), ..Self::healthy() }
    }

    /// The check does not know because of this. `pods` is what the nodes do.
    pub fn unknown(id: FindingId, pods: Pods) -> Self {
        Self { found: Some((FindingStatus::Unknown, id)), pods, ..Self::healthy() }
    }

    /// The cause that only the cluster knows.
    pub fn inside(mut self, id: FindingId, text: &'static str) -> Self {
        (self.inside, self.text) = (Some(id), Some(text));
        self
    }

    /// The pods fail with this text at first, and run after this time. `inside` is what is said of it meanwhile.
    pub fn later(self, time: Duration, inside: FindingId, text: &'static str) -> Self {
        Self { later: time, pods: Pods::None, ..self.inside(inside, text) }
    }

    pub fn verdict(&self) -> Verdict {
        if let Some(verdict) = self.verdict {
            return verdict;
        }
        match self.found {
            Some((FindingStatus::Failing, _)) => Verdict::CannotPull,
            Some((FindingStatus::Unknown, _)) => Verdict::Unknown,
            _ => Verdict::CanPull,
        }
    }

    /// The root cause from inside, if the pods do not run.
    pub fn cause(&self) -> Option<&FindingId> {
        if self.is_of_pod {
            return self.inside.as_ref();
        }
        let failing = self.found.as_ref().filter(|(status, _)| *status == FindingStatus::Failing);
        self.inside.as_ref().or_else(|| failing.map(|(_, id)| id))
    }
}

impl Cell {
    /// A healthy cell but for the grant: a cluster with one pool, a registry, and an image of one platform.
    pub fn new(set: &'static str, name: impl Into<String>, wanted: Wanted) -> Self {
        Self {
            set,
            name: name.into(),
            cluster: ClusterSeed::new(GROUP, CLUSTER),
            pools: vec!["nodepool1".to_owned()],
            registry: Some(RegistrySeed::new(GROUP, REGISTRY).sku("Premium")),
            platforms: vec!["linux/amd64"],
            prepare: Arc::new(|_| {}),
            pod: Pod { image: IMAGE.to_owned(), secrets: Vec::new(), policy: None },
            objects: None,
            warm_up: None,
            asked: Asked {
                with_image: true,
                query_graph: false,
                nodes: false,
                by_name: false,
                subscription: None,
                is_named_inside: true,
            },
            wanted,
            is_switched: false,
            correction: None,
            mends: Vec::new(),
        }
    }

    pub fn cluster(mut self, seed: ClusterSeed) -> Self {
        self.cluster = seed;
        self
    }

    /// Asks what the nodes themselves pull with.
    pub fn asking_nodes(mut self) -> Self {
        self.asked.nodes = true;
        self
    }

    /// Asks Microsoft Graph, as a caller who may.
    pub fn asking_graph(mut self) -> Self {
        self.asked.query_graph = true;
        self.then(|scene| drop(scene.azure.clone().with_graph_rights("owner")))
    }

    pub fn registry(mut self, seed: RegistrySeed) -> Self {
        self.registry = Some(seed);
        self
    }

    /// Does this, after what the cell does already.
    pub fn then(mut self, more: impl Fn(&Scene) + Send + Sync + 'static) -> Self {
        let before = self.prepare;
        self.prepare = Arc::new(move |scene| {
            before(scene);
            more(scene);
        });
        self
    }

    /// The pods have this image, which a person corrects about a finding.
    pub fn written_as(mut self, image: &str, id: &FindingId, correct: &str) -> Self {
        image.clone_into(&mut self.pod.image);
        self.correction = Some((id.clone(), correct.to_owned()));
        self
    }

    /// What a person does about each finding.
    pub fn mend(mut self, mend: impl Fn(&Scene) + Send + Sync + 'static) -> Self {
        self.mends.push((None, Arc::new(mend)));
        self
    }

    /// What a person does about this finding.
    pub fn mend_of(mut self, id: &FindingId, mend: impl Fn(&Scene) + Send + Sync + 'static) -> Self {
        self.mends.push((Some(id.clone()), Arc::new(mend)));
        self
    }

    /// Whether there is a registry in which identities of this tenant can have roles.
    pub fn is_of_tenant(&self) -> bool {
        self.registry.is_some() && self.asked.subscription.is_none()
    }

    pub fn full_name(&self) -> String {
        format!("{}: {}", self.set, self.name)
    }
}
