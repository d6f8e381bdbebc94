//! What happens to a cluster's nodes and its database while a test runs.

use tokio::time::Instant;

use crate::cluster::Cluster;
use crate::emulator::Emulator;
use crate::kubernetes::Kubernetes;
use crate::seed::{SeedNode, node_pool};

impl Emulator {
    /// Adds a node to a cluster, named as in [`ClusterSeed::node`](crate::ClusterSeed::node). It holds no image and has
    /// asked for no credential yet.
    pub fn add_node(&self, group: &str, cluster: &str, name: &str, os: &str, architecture: &str) {
        let node = SeedNode {
            name: name.to_owned(),
            pool: node_pool(name).to_owned(),
            os: os.to_owned(),
            architecture: architecture.to_owned(),
        };
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            if let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) {
                let now = world.clock.now();
                world.clusters[at].add_node(node, now);
            }
        });
    }

    /// Makes the nodes of a pool anew, as an upgrade does: images and credentials that they held are gone, and so are
    /// the pods on them. They have the cluster's present kubelet identity.
    pub fn renew_nodes(&self, group: &str, cluster: &str, pool: &str) {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            if let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) {
                let now = world.clock.now();
                world.clusters[at].renew_nodes(pool, now);
            }
        });
    }

    /// Leaves so many bytes on the disks of a pool's nodes, as other images and logs do that have filled them. Nodes that are made anew have
    /// an empty disk. Returns whether the pool exists.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_cluster("group", "dev");
    /// assert!(azure.set_disk_room("group", "dev", "nodepool1", 0));
    /// ```
    #[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
    pub fn set_disk_room(&self, group: &str, cluster: &str, pool: &str, bytes: u64) -> bool {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            let at = known.and_then(|id| world.cluster_of_id(&id));
            at.is_some_and(|at| world.clusters[at].leave_room(pool, bytes))
        })
    }

    /// Removes the file of a manifest from the store of a node, as after a power failure: containerd goes on knowing it, does not fetch it
    /// again, and each pull of the image fails on this node until it is made anew. Returns whether the node and the image exist.
    ///
    /// ```
    /// # use aks_acr_emulator::Emulator;
    /// let azure = Emulator::new().with_cluster("group", "dev").with_registry("group", "myregistry");
    /// azure.push_image("myregistry.azurecr.io/app:v1", &["linux/amd64"]);
    /// assert!(azure.lose_content("group", "dev", "aks-nodepool1-0", "myregistry.azurecr.io/app:v1"));
    /// assert!(!azure.lose_content("group", "dev", "aks-nodepool1-0", "myregistry.azurecr.io/app:v2"));
    /// ```
    #[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
    pub fn lose_content(&self, group: &str, cluster: &str, node: &str, image: &str) -> bool {
        let (host, repository, reference) = crate::image::split(image);
        let Some(digest) = self.tag_of(host, repository, reference) else { return false };
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            let at = known.and_then(|id| world.cluster_of_id(&id));
            at.is_some_and(|at| world.clusters[at].lose(node, &digest))
        })
    }

    /// Stops a cluster, or starts it again, as `az aks stop` and `az aks start` do.
    pub fn set_stopped(&self, group: &str, cluster: &str, stopped: bool) {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            if let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) {
                let now = world.clock.now();
                world.clusters[at].stopped = stopped;
                world.clusters[at].adjust_nodes(now);
            }
        });
    }

    /// Reconciles a cluster, as `az aks update` without options does: its scale sets have its kubelet identity again.
    pub fn reconcile(&self, group: &str, cluster: &str) {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            if let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) {
                let now = world.clock.now();
                world.clusters[at].reconcile();
                world.bootstrap_again(at, now);
            }
        });
    }

    /// Gives a cluster another kubelet identity, as `az aks update --assign-kubelet-identity` does. Its nodes keep the one that they have
    /// until they are [renewed](Self::renew_nodes). Returns the object id of the new one.
    #[must_use]
    pub fn change_kubelet_identity(&self, group: &str, cluster: &str, name: &str) -> String {
        self.act(|world| {
            let known = world.cluster_named(group, cluster).map(Cluster::id);
            let Some(at) = known.and_then(|id| world.cluster_of_id(&id)) else { return String::new() };
            let (subscription, location) =
                (world.clusters[at].subscription.clone(), world.clusters[at].location.clone());
            let now = world.clock.now();
            let made = world.make_identity([&subscription, group, name], &location, now);
            let (id, principal) = (made.id(), made.principal);
            let identity = world.node_identity(&principal);
            world.clusters[at].change_kubelet(id, principal.clone(), identity);
            principal
        })
    }

    /// Lets a cluster's database forget old revisions, as it does from time to time: who watches from one of them, or
    /// pages through one, gets an error that says that it is gone.
    pub fn forget_history(&self, group: &str, cluster: &str) {
        self.inside(group, cluster, |kubernetes, _| kubernetes.compact());
    }

    fn inside(&self, group: &str, cluster: &str, act: impl FnOnce(&mut Kubernetes, Instant)) {
        self.act(|world| {
            let now = world.clock.now();
            let mut clusters = world.clusters.iter_mut();
            let known =
                clusters.find(|one| one.group.eq_ignore_ascii_case(group) && one.name.eq_ignore_ascii_case(cluster));
            if let Some(kubernetes) = known.and_then(|one| one.kubernetes.as_mut()) {
                act(kubernetes, now);
            }
        });
    }
}
