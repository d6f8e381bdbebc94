//! The state of this Azure, and which part of it answers a request.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use tokio::time::Instant;
use uuid::Uuid;

use crate::arm;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::command;
use crate::entra;
use crate::entra::token::Signer;
use crate::fault::Faults;
use crate::graph;
use crate::identity::Identity;
use crate::ids::Ids;
use crate::keeper::{Change, Keeper};
use crate::log::{Log, Service};
use crate::network::Way;
use crate::operation::{Manner, Operation};
use crate::principal::{Principal, stable_id};
use crate::rbac::{self, Access, Assignment, Wanted};
use crate::registry::upstream::Upstream;
use crate::registry::{self, Registry};
use crate::reply::{self, Reply};
use crate::throttle::Throttle;
use crate::timing::Timing;

/// The name of the caller that every emulator has.
pub(crate) const OWNER: &str = "owner";

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A resource group.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) subscription: String,
    pub(crate) name: String,
    pub(crate) location: String,
}

/// How lists are cut into pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    pub(crate) size: usize,
    /// Whether a first page without items comes before the others.
    pub(crate) empty_first: bool,
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) timing: Timing,
    pub(crate) ids: Ids,
    pub(crate) signer: Signer,
    pub(crate) tenant: String,
    /// The first one is the one that [`crate::Emulator::subscription`] names.
    pub(crate) subscriptions: Vec<String>,
    /// Subscriptions of other tenants, each with its tenant.
    pub(crate) foreign_subscriptions: Vec<(String, String)>,
    pub(crate) groups: Vec<Group>,
    pub(crate) registries: Vec<Registry>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) principals: Vec<Principal>,
    /// Managed identities that are resources.
    pub(crate) identities: Vec<Identity>,
    /// Object ids of removed principals: they are not given to another one.
    pub(crate) gone: Vec<String>,
    pub(crate) access: Access,
    /// Locks on resources and what is above them.
    pub(crate) locks: Vec<arm::lock::Lock>,
    /// Policies that deny, where they are assigned.
    pub(crate) policies: Vec<arm::governance::Policy>,
    /// What regions have left for nodes.
    pub(crate) capacity: arm::cluster::capacity::Capacity,
    /// Networks and private DNS zones.
    pub(crate) resources: arm::stored::Stored,
    /// The same as Resource Graph has it, if that lags behind.
    pub(crate) index: Option<arm::stored::Stored>,
    /// What users run in networks.
    pub(crate) hosts: crate::network::Hosts,
    pub(crate) deny_assignments: Vec<arm::governance::DenyAssignment>,
    /// What principals can activate.
    pub(crate) eligible: Vec<arm::eligibility::Eligibility>,
    /// Object ids of the principals to which conditional access gives no token.
    pub(crate) blocked: Vec<String>,
    /// What came of commands that were run in clusters.
    pub(crate) commands: Vec<command::Outcome>,
    /// Namespaces that a subscription has not registered.
    pub(crate) unregistered: Vec<(String, String)>,
    /// What writes have changed at resources, as Resource Graph has it.
    pub(crate) changes: Vec<arm::resource_graph::changes::Change>,
    /// Until when Resource Graph shows changes, if it lags behind.
    pub(crate) changes_until: Option<Instant>,
    /// What the activity logs have.
    pub(crate) activity: Vec<crate::arm::activity::Event>,
    /// Workspaces, diagnostic settings and resource logs.
    pub(crate) monitor: crate::arm::monitor::Monitor,
    /// The preview features that subscriptions have registered: the subscription, the name.
    pub(crate) features: std::collections::BTreeSet<(String, String)>,
    pub(crate) applications: Vec<crate::graph::application::Application>,
    pub(crate) operations: Vec<Operation>,
    /// How operations that begin from now on are shown, and how they end.
    pub(crate) manner: Manner,
    /// Registries of others, by the host that serves them.
    pub(crate) upstreams: std::collections::BTreeMap<String, Upstream>,
    pub(crate) log: Log,
    pub(crate) faults: Faults,
    pub(crate) throttle: Throttle,
    pub(crate) paging: Paging,
    /// Principals that the directory does not find for a time.
    pub(crate) forgotten: Vec<(String, Instant)>,
    /// What a `PUT` that repeats a role assignment is answered.
    pub(crate) repeated_assignment: StatusCode,
    /// Whether links to operations at the subscription need an action there.
    pub(crate) links_need_action: bool,
    /// The address that the program under test is seen at, and the one of all nodes.
    pub(crate) addresses: Addresses,
    /// The keeper that records what changes all this, if there is one.
    pub(crate) keeper: Option<Box<dyn Keeper>>,
    /// How the API servers are reached over a wire, where they are.
    pub(crate) wire: Option<Wire>,
    /// What starts real control planes, if clusters have them.
    #[cfg(feature = "serve")]
    pub(crate) control_planes: Option<crate::control_plane::ControlPlanes>,
    /// What images of scenes run on real nodes.
    pub(crate) program: bytes::Bytes,
    /// The ids of clusters that were removed, as often as they were.
    pub(crate) removed_clusters: Vec<String>,
    /// The tokens that nodes keep: of which principal, for which audience, since when.
    pub(crate) node_tokens: Vec<NodeToken>,
    /// Names of the identities that the machine of the program under test has, its own first.
    pub(crate) machine: Vec<String>,
}

/// A token that a cluster's nodes keep.
#[derive(Clone)]
pub(crate) struct NodeToken {
    pub(crate) cluster: String,
    pub(crate) principal: String,
    pub(crate) audience: String,
    pub(crate) since: Instant,
    pub(crate) token: String,
}

/// What a client over a wire needs, to come to an API server and to trust it.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    /// The address of the proxy.
    pub(crate) proxy: Option<String>,
    /// The authority's certificate.
    pub(crate) authority: String,
    /// A certificate and a key for the client to show.
    pub(crate) client: (String, String),
}

/// Addresses that a registry's firewall sees.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) client: String,
    pub(crate) nodes: String,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::rooted(Uuid::new_v4(), SystemTime::now())
    }

    /// A world that begins at `wall`, whose ids and secrets grow from a root.
    pub(crate) fn rooted(root: Uuid, wall: SystemTime) -> Self {
        let clock = Clock::new(wall);
        let ids = Ids::of(root);
        let owner = Principal::service(OWNER, ids.secret(), clock.start());
        let mut world = Self {
            clock,
            timing: Timing::none(),
            signer: Signer::new(ids.named("the key of tokens")),
            ids,
            tenant: stable_id("tenant"),
            subscriptions: Vec::new(),
            foreign_subscriptions: Vec::new(),
            groups: Vec::new(),
            registries: Vec::new(),
            clusters: Vec::new(),
            principals: vec![owner],
            identities: Vec::new(),
            gone: Vec::new(),
            access: Access::new(),
            locks: Vec::new(),
            policies: Vec::new(),
            capacity: arm::cluster::capacity::Capacity::default(),
            resources: arm::stored::Stored::new(),
            index: None,
            hosts: crate::network::Hosts::default(),
            deny_assignments: Vec::new(),
            eligible: Vec::new(),
            blocked: Vec::new(),
            commands: Vec::new(),
            changes: Vec::new(),
            changes_until: None,
            activity: Vec::new(),
            monitor: crate::arm::monitor::Monitor::default(),
            features: std::collections::BTreeSet::new(),
            applications: Vec::new(),
            unregistered: Vec::new(),
            operations: Vec::new(),
            manner: Manner::default(),
            upstreams: std::collections::BTreeMap::new(),
            log: Log::default(),
            faults: Faults::default(),
            throttle: Throttle::default(),
            paging: Paging { size: 1000, empty_first: false },
            forgotten: Vec::new(),
            repeated_assignment: StatusCode::OK,
            links_need_action: false,
            // Addresses of the blocks that are kept for examples.
            addresses: Addresses { client: String::from("203.0.113.7"), nodes: String::from("198.51.100.20") },
            keeper: None,
            wire: None,
            #[cfg(feature = "serve")]
            control_planes: None,
            program: bytes::Bytes::new(),
            removed_clusters: Vec::new(),
            node_tokens: Vec::new(),
            machine: Vec::new(),
        };
        world.add_subscription(&stable_id("subscription"));
        world
    }

    /// Adds a subscription of which the first caller is Owner.
    pub(crate) fn add_subscription(&mut self, id: &str) {
        self.subscriptions.push(id.to_owned());
        let owner = self.principals[0].object_id.clone();
        self.grant("Owner", &owner, &format!("/subscriptions/{id}"));
    }

    /// Makes a role assignment as if it had always been there. A role or scope that does not exist grants nothing.
    pub(crate) fn grant(&mut self, role: &str, principal: &str, scope: &str) -> Option<String> {
        let role = self.access.role_named(role).or_else(|| self.access.role(role))?.id.clone();
        let same = |one: &&Assignment| one.is_for(scope, principal, &role);
        if let Some(known) = self.access.standing().find(same) {
            return Some(known.name.clone());
        }
        let name = stable_id(&format!("{scope}-{principal}-{role}"));
        let start = self.clock.start();
        self.access.assignments.push(Assignment {
            name: name.clone(),
            scope: scope.to_owned(),
            principal: principal.to_owned(),
            principal_type: self.principal(principal).map_or("ServicePrincipal", |one| one.kind).to_owned(),
            role,
            condition: None,
            condition_version: None,
            description: None,
            created: start,
            updated: start,
            // Recorded: only the answer that says an assignment was made leaves out who made it.
            created_by: Some(self.principals[0].object_id.clone()),
            updated_by: Some(self.principals[0].object_id.clone()),
            effective: start,
            fades: None,
            listed: start,
            unlisted: None,
        });
        Some(name)
    }

    pub(crate) fn subscription(&self) -> &str {
        self.subscriptions.first().map_or("", String::as_str)
    }

    pub(crate) fn is_tenant(&self, tenant: &str) -> bool {
        tenant.eq_ignore_ascii_case(&self.tenant) || tenant == "organizations" || tenant == "common"
    }

    pub(crate) fn group(&self, subscription: &str, name: &str) -> Option<&Group> {
        let same = |group: &&Group| {
            group.subscription.eq_ignore_ascii_case(subscription) && group.name.eq_ignore_ascii_case(name)
        };
        self.groups.iter().find(same)
    }

    /// Makes a group unless it is there.
    pub(crate) fn ensure_group(&mut self, subscription: &str, name: &str, location: &str) {
        if self.group(subscription, name).is_none() {
            self.groups.push(Group {
                subscription: subscription.to_owned(),
                name: name.to_owned(),
                location: location.to_owned(),
            });
        }
    }

    /// Removes a group with all that is in it, by its scope.
    pub(crate) fn remove_group(&mut self, scope: &str) {
        let inside = |id: &str| rbac::within(id, scope);
        let clusters = self.clusters.iter().map(Cluster::id).filter(|id| inside(id)).collect::<Vec<_>>();
        for id in clusters {
            self.remove_cluster(&id);
        }
        let identities = self.identities.iter().map(Identity::id).filter(|id| inside(id)).collect::<Vec<_>>();
        for id in identities {
            self.remove_identity(&id);
        }
        self.registries.retain(|registry| !inside(&registry.id()));
        let id = |group: &Group| format!("/subscriptions/{}/resourceGroups/{}", group.subscription, group.name);
        self.groups.retain(|group| !inside(&id(group)));
        self.access.assignments.retain(|one| !inside(&one.scope));
    }

    /// Has a change kept before it is made at `now`, where a record is kept.
    pub(crate) fn keep(&mut self, change: &Change<'_>, now: Instant) -> Result<(), String> {
        if let Some(keeper) = &mut self.keeper {
            let salt = keeper.keep(self.clock.since_start(now), change)?;
            self.ids.salt(salt);
        }
        Ok(())
    }

    /// The change kept last was made, or came to nothing.
    pub(crate) fn kept(&mut self, lasting: bool) {
        if let Some(keeper) = &mut self.keeper {
            keeper.kept(lasting);
        }
    }

    /// Whether a caller may do it: one of its roles gives it, and no deny assignment takes it away.
    pub(crate) fn permits(&self, principal: &Principal, wanted: &Wanted<'_>, now: Instant) -> bool {
        let ids = principal.ids();
        self.access.permits(&ids, wanted, now) && arm::governance::denying(self, &ids, wanted).is_none()
    }

    /// Lets go of what has lost its effect.
    pub(crate) fn forget(&mut self, now: Instant) {
        let ends = |assignment: &Assignment| Some(assignment.fades?.max(assignment.unlisted?));
        let holds = |assignment: &Assignment| ends(assignment).is_none_or(|end| now < end);
        self.access.assignments.retain(holds);
        self.forgotten.retain(|(_, until)| now < *until);
        // A caller that has not polled an operation for a day does not poll it again.
        let old = |operation: &Operation| operation.outcome.is_some() && operation.due + DAY < now;
        self.operations.retain(|operation| !old(operation));
    }

    /// Which service a host is.
    pub(crate) fn service(&self, host: &str) -> Service {
        match host {
            entra::HOST | entra::machine::HOST => Service::Entra,
            arm::HOST => Service::Arm,
            graph::HOST => Service::Graph,
            _ if self.clusters.iter().any(|cluster| !cluster.stopped && cluster.fqdn() == host) => Service::Kubernetes,
            _ if registry::is_host(self, host) => Service::Registry,
            _ => Service::Unknown,
        }
    }

    /// Answers a request to anything but an API server.
    pub(crate) fn serve(&mut self, request: &Request<Bytes>, way: &Way, now: Instant) -> Reply {
        let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
        match self.service(&host) {
            Service::Entra if host == entra::machine::HOST => entra::machine::serve(self, request, now),
            Service::Entra => entra::serve(self, request, now),
            Service::Arm => arm::serve(self, request, now),
            Service::Registry => registry::serve(self, &host, request, way, now),
            Service::Graph => graph::serve(self, request, now),
            Service::Kubernetes | Service::Unknown => unknown_request(request.method(), request.uri()),
        }
    }
}

/// What is answered to a request that no rule is there for: it must be seen, not mistaken for an answer of Azure.
pub(crate) fn unknown_request(method: &Method, uri: &Uri) -> Reply {
    let message = format!("The emulator has no rule for {method} {uri}");
    reply::arm_error(StatusCode::NOT_IMPLEMENTED, "EmulatorUnknownRequest", &message)
}
