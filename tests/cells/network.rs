//! The set network: how a registry admits callers, and how nodes reach it, by the cluster's outbound type.

use crate::{
    cell::{Cell, HEALTHY, Pods, Wanted},
    scene::{CALLER, CLUSTER, GROUP, REGISTRY, Scene},
};
use aks_acr::{FindingId, FindingStatus, Verdict};
use aks_acr_emulator::{ClusterSeed, Emulator, RegistrySeed};
use serde_json::{Value, json};

const SET: &str = "network";
/// The address of nodes behind what AKS makes.
const USUAL: &str = "198.51.100.20";
/// The addresses of load balancers and gateways of the user's own.
const OWN: [&str; 2] = ["198.51.100.40", "198.51.100.41"];
const DENIED: &str = "is not allowed access";
const TIMEOUT: &str = "i/o timeout";
const NO_SUCH_HOST: &str = "no such host";
/// What a check of a complete private path costs: the four requests of any, and five more in two steps.
const PRIVATE: (usize, usize) = (9, 3);
const PROXY: &str = "proxy.example.com:8080";
const ANONYMOUS: &str = "failed to fetch anonymous token";

/// How the registry admits callers, and what leads to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Open,
    Listed,
    Unlisted,
    PartlyListed,
    NoRules,
    Closed,
    Pending,
    SameNetwork,
    NotLinked,
    /// The nodes' network is linked to another zone of that name.
    HubZone,
    /// The same, and that zone has no record.
    HubZoneEmpty,
    /// Records that are kept by hand, without a zone group.
    ByHand,
    RecordMissing,
    DataRecordMissing,
    Peered,
    Unpeered,
    OwnDns,
    Proxied,
    SubnetRule,
}

use Access::{
    ByHand, Closed, DataRecordMissing, HubZone, HubZoneEmpty, Listed, NoRules, NotLinked, Open, OwnDns, PartlyListed,
    Peered, Pending, Proxied, RecordMissing, SameNetwork, SubnetRule, Unlisted, Unpeered,
};

/// The outbound type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outbound {
    LoadBalancer,
    ManagedNat,
    OwnNat,
    UserDefined,
    NodeAddresses,
    None,
}

const ALL: [Outbound; 6] = [
    Outbound::LoadBalancer,
    Outbound::ManagedNat,
    Outbound::OwnNat,
    Outbound::UserDefined,
    Outbound::NodeAddresses,
    Outbound::None,
];
const WITH_EGRESS: [Outbound; 5] =
    [Outbound::LoadBalancer, Outbound::ManagedNat, Outbound::OwnNat, Outbound::UserDefined, Outbound::NodeAddresses];

impl Access {
    fn name(self) -> &'static str {
        match self {
            Open => "open",
            Listed => "firewall with the address",
            Unlisted => "firewall without the address",
            PartlyListed => "firewall with one of two addresses",
            NoRules => "firewall without rules",
            Closed => "private without an endpoint",
            Pending => "private, endpoint not approved",
            SameNetwork => "private, endpoint in the same network",
            NotLinked => "private, zone not linked",
            HubZone => "private, another zone of that name linked",
            HubZoneEmpty => "private, another zone of that name linked, without records",
            ByHand => "private, records kept by hand",
            RecordMissing => "private, record missing",
            DataRecordMissing => "private, data record missing",
            Peered => "private, endpoint in a peered network",
            Unpeered => "private, endpoint in an unpeered network",
            OwnDns => "private, DNS servers of the network's own",
            Proxied => "private, through an HTTP proxy",
            SubnetRule => "firewall with a rule for the subnet",
        }
    }

    /// The outbound types that are combined with it. A verdict that stays unknown is shown with one or two.
    fn outbound(self) -> &'static [Outbound] {
        match self {
            Open | Closed | Pending | SameNetwork | NotLinked | RecordMissing | DataRecordMissing | Peered => &ALL,
            Listed | Unlisted | NoRules => &WITH_EGRESS,
            PartlyListed => &[Outbound::LoadBalancer, Outbound::ManagedNat, Outbound::OwnNat],
            Unpeered | OwnDns | HubZone | HubZoneEmpty | ByHand => &[Outbound::LoadBalancer, Outbound::None],
            Proxied | SubnetRule => &[Outbound::LoadBalancer],
        }
    }

    fn registry(self, outbound: Outbound) -> RegistrySeed {
        let seed = RegistrySeed::new(GROUP, REGISTRY).sku("Premium");
        let own = if outbound == Outbound::OwnNat || self == PartlyListed { OWN[0] } else { USUAL };
        match self {
            Open => seed,
            Listed | SubnetRule | PartlyListed => seed.only_from(&[own, CALLER]),
            Unlisted => seed.only_from(&[CALLER]),
            NoRules => seed.only_from(&[]),
            _ => seed.public_network_disabled(),
        }
    }

    /// Whether the registry is reached through a private endpoint or not at all.
    fn is_private(self) -> bool {
        !matches!(self, Open | Listed | Unlisted | PartlyListed | NoRules | SubnetRule)
    }

    /// The rules, for nodes with a grant.
    fn wanted(self, outbound: Outbound) -> Wanted {
        let is_shown = !matches!(outbound, Outbound::UserDefined | Outbound::NodeAddresses);
        match self {
            Open if outbound == Outbound::None => Wanted::fails(FindingId::NO_EGRESS, TIMEOUT),
            Open => Wanted { cost: HEALTHY, ..Wanted::healthy() },
            SameNetwork | Peered => Wanted { cost: PRIVATE, ..Wanted::healthy() },
            HubZone => Wanted { cost: (PRIVATE.0 + 3, PRIVATE.1 + 2), ..Wanted::healthy() },
            // Its zone is not named by the endpoint, so that nothing else is read.
            ByHand => Wanted { cost: (PRIVATE.0 + 1, PRIVATE.1 + 1), ..Wanted::healthy() },
            Listed if is_shown => Wanted::healthy(),
            Listed | Unlisted if !is_shown => {
                let wanted = Wanted::unknown(FindingId::OUTBOUND_IP_UNKNOWN, Pods::None);
                wanted.inside(FindingId::OUTBOUND_IP_NOT_ALLOWED, DENIED)
            }
            Listed | Unlisted | NoRules => Wanted::fails(FindingId::OUTBOUND_IP_NOT_ALLOWED, DENIED),
            // Which of its addresses a node has is a matter of chance: here it is the one that is listed.
            PartlyListed => {
                let found = Some((FindingStatus::Warning, FindingId::OUTBOUND_IP_NOT_ALLOWED));
                Wanted { found, verdict: Some(Verdict::Unknown), ..Wanted::healthy() }
            }
            Closed => Wanted::fails(FindingId::PUBLIC_ACCESS_DISABLED, if_egress(outbound)),
            Pending => Wanted::fails(FindingId::PRIVATE_ENDPOINT_NOT_APPROVED, TIMEOUT),
            NotLinked => Wanted::fails(FindingId::PRIVATE_ZONE_NOT_LINKED, if_egress(outbound)),
            RecordMissing | DataRecordMissing | HubZoneEmpty => Wanted::fails(FindingId::RECORD_MISSING, NO_SUCH_HOST),
            Unpeered => {
                let wanted = Wanted::unknown(FindingId::PRIVATE_PATH_UNKNOWN, Pods::None);
                wanted.inside(FindingId::ADDRESS_TIMEOUT, TIMEOUT)
            }
            OwnDns => Wanted::unknown(FindingId::PRIVATE_PATH_UNKNOWN, Pods::All),
            Proxied => Wanted::unknown(FindingId::PROXY_BLOCKS, Pods::All),
            SubnetRule => Wanted::unknown(FindingId::SUBNET_RULES_NOT_VISIBLE, Pods::All),
        }
    }

    /// Makes the networks.
    fn prepare(self, scene: &Scene, outbound: Outbound) {
        let net = Net::new(scene);
        let options = if self == OwnDns { json!({"dnsServers": ["10.8.1.4"]}) } else { json!({}) };
        net.put("", &json!({"properties": {"dhcpOptions": options}}));
        net.subnet(outbound, self == PartlyListed, self == SubnetRule);
        match self {
            SubnetRule => {
                let rules =
                    json!({"defaultAction": "Deny", "virtualNetworkRules": [{"action": "Allow", "id": net.subnet}]});
                scene.azure.set_registry(GROUP, REGISTRY, |seed| seed.property("networkRuleSet", rules));
            }
            Peered | Unpeered | OwnDns => {
                let subnet = scene.azure.add_subnet("hub", "hub", "endpoints", "10.8.1.0/24");
                let hub = network_of(&subnet);
                let zone = net.endpoint(&subnet, true);
                if self == OwnDns {
                    scene.azure.set_name_server("10.8.1.4", Some(&hub));
                    scene.azure.link_zone(&zone, &hub);
                } else {
                    scene.azure.link_zone(&zone, &net.network);
                }
                if self != Unpeered {
                    net.peer();
                }
            }
            HubZone | HubZoneEmpty | ByHand => {
                let zone = net.endpoint(&net.subnet, true);
                let hub = scene.azure.copy_zone(&zone, "hub");
                scene.azure.link_zone(&hub, &net.network);
                if self == ByHand {
                    net.remove_zone_group();
                }
                if self == HubZoneEmpty {
                    for record in [REGISTRY, &format!("{REGISTRY}.westeurope.data")] {
                        assert!(
                            scene.azure.delete_network(&format!("{hub}/A/{record}")),
                            "there is no record {record}"
                        );
                    }
                }
            }
            Pending | SameNetwork | NotLinked | RecordMissing | DataRecordMissing | Proxied => {
                let zone = net.endpoint(&net.subnet, self != Pending);
                if self != NotLinked {
                    scene.azure.link_zone(&zone, &net.network);
                }
                let remove = |record: &str| {
                    assert!(scene.azure.delete_network(&format!("{zone}/A/{record}")), "there is no record {record}");
                };
                match self {
                    RecordMissing => remove(REGISTRY),
                    DataRecordMissing => remove(&format!("{REGISTRY}.westeurope.data")),
                    Proxied => scene.azure.set_proxy(PROXY, Some(&net.subnet), &[]),
                    _ => {}
                }
            }
            Open | Listed | Unlisted | PartlyListed | NoRules | Closed => {}
        }
    }

    /// What a person does, where the next step needs a decision.
    fn mend(self, scene: &Scene, outbound: Outbound) {
        let net = Net::new(scene);
        match self {
            Unpeered => net.peer(),
            _ if outbound == Outbound::None => {
                let zone = net.endpoint(&net.subnet, true);
                scene.azure.link_zone(&zone, &net.network);
            }
            // The address of the user's own firewall, or of the nodes.
            _ => scene
                .azure
                .set_registry(GROUP, REGISTRY, |seed| seed.only_from(&["192.0.2.0/24", USUAL, OWN[0], CALLER])),
        }
    }

    fn cell(self, outbound: Outbound, is_granted: bool) -> Cell {
        let name = format!("{}, {}, {}", self.name(), outbound.name(), if is_granted { "granted" } else { "no grant" });
        let wanted = self.wanted(outbound);
        let wanted = match self {
            _ if is_granted => wanted,
            // The grant is missed before the layers are.
            DataRecordMissing => Wanted::fails(FindingId::GRANT_MISSING, ANONYMOUS),
            _ => without_grant(wanted),
        };
        let mut cell = Cell::new(SET, name, wanted).cluster(self.cluster(outbound)).registry(self.registry(outbound));
        // The caller does not reach the image of a registry that does not admit its address.
        cell.asked.with_image = !self.is_private() && self != NoRules;
        cell.then(move |scene| {
            self.prepare(scene, outbound);
            if is_granted {
                scene.grant("AcrPull");
            }
        })
        .mend(move |scene| self.mend(scene, outbound))
    }

    fn cluster(self, outbound: Outbound) -> ClusterSeed {
        let subscription = Emulator::new().subscription().to_owned();
        let address = |name: &str| {
            let group = format!("/subscriptions/{subscription}/resourceGroups/net");
            json!({"id": format!("{group}/providers/Microsoft.Network/publicIPAddresses/{name}")})
        };
        let mut profile = json!({"outboundType": outbound.kind()});
        if self == PartlyListed {
            let own = json!({"effectiveOutboundIPs": [address("one"), address("two")]});
            profile[if outbound == Outbound::ManagedNat { "natGatewayProfile" } else { "loadBalancerProfile" }] = own;
        }
        let pool = json!([{"name": "nodepool1", "count": 1, "vmSize": "Standard_D2s_v5", "mode": "System", "osType": "Linux",
            "vnetSubnetID": subnet_id(&subscription), "enableNodePublicIP": outbound == Outbound::NodeAddresses}]);
        let seed =
            ClusterSeed::new(GROUP, CLUSTER).property("networkProfile", profile).property("agentPoolProfiles", pool);
        if self == Proxied {
            return seed.property(
                "httpProxyConfig",
                json!({"httpsProxy": format!("http://{PROXY}/"), "noProxy": ["10.0.0.0/8"]}),
            );
        }
        seed
    }
}

impl Outbound {
    /// As AKS names it.
    fn kind(self) -> &'static str {
        match self {
            Self::LoadBalancer | Self::NodeAddresses => "loadBalancer",
            Self::ManagedNat => "managedNATGateway",
            Self::OwnNat => "userAssignedNATGateway",
            Self::UserDefined => "userDefinedRouting",
            Self::None => "none",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::NodeAddresses => "node public IPs",
            other => other.kind(),
        }
    }
}

/// What is expected without a grant: a failing network comes first, and what is only unknown comes after it.
fn without_grant(wanted: Wanted) -> Wanted {
    if wanted.found.as_ref().is_some_and(|(status, _)| *status == FindingStatus::Failing) {
        return wanted;
    }
    let missing = Wanted { cost: wanted.cost, ..Wanted::fails(FindingId::GRANT_MISSING, ANONYMOUS) };
    // A node that does not reach the registry does not come to its grant.
    match wanted.inside {
        Some(inside) => Wanted { inside: Some(inside), text: wanted.text, ..missing },
        None => missing,
    }
}

/// The message of a node whose request comes to the public address of a closed registry, if it comes there.
fn if_egress(outbound: Outbound) -> &'static str {
    if outbound == Outbound::None { TIMEOUT } else { DENIED }
}

fn subnet_id(subscription: &str) -> String {
    let network =
        format!("/subscriptions/{subscription}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/nodes");
    format!("{network}/subnets/nodes")
}

fn network_of(subnet: &str) -> String {
    subnet.split("/subnets/").next().unwrap_or(subnet).to_owned()
}

/// The network of the cluster's nodes.
struct Net<'s> {
    scene: &'s Scene,
    network: String,
    subnet: String,
}

impl<'s> Net<'s> {
    fn new(scene: &'s Scene) -> Self {
        let subnet = subnet_id(scene.azure.subscription());
        Self { scene, network: network_of(&subnet), subnet }
    }

    fn put(&self, below: &str, body: &Value) {
        self.scene.azure.put_network("net", &format!("virtualNetworks/nodes{below}"), body.clone());
    }

    /// The subnet of the nodes, with what the outbound type needs.
    fn subnet(&self, outbound: Outbound, is_several: bool, has_endpoint: bool) {
        let azure = &self.scene.azure;
        let mut properties = json!({"addressPrefix": "10.224.0.0/16"});
        let address = |(name, address): (&str, &str)| {
            let body = json!({"properties": {"ipAddress": address}});
            json!({"id": azure.put_network("net", &format!("publicIPAddresses/{name}"), body)})
        };
        let own = [("one", OWN[0]), ("two", OWN[1])].map(address);
        if outbound == Outbound::OwnNat {
            let used = if is_several { &own[..] } else { &own[..1] };
            let gateway = json!({"properties": {"publicIpAddresses": used}});
            properties["natGateway"] = json!({"id": azure.put_network("net", "natGateways/gateway", gateway)});
        }
        if has_endpoint {
            properties["serviceEndpoints"] = json!([{"service": "Microsoft.ContainerRegistry"}]);
        }
        self.put("/subnets/nodes", &json!({"properties": properties}));
    }

    /// A private endpoint of the registry, and the zone with its records.
    fn endpoint(&self, subnet: &str, is_approved: bool) -> String {
        let endpoint = self.scene.azure.add_private_endpoint(&self.scene.registry_id(), subnet, is_approved);
        self.scene.azure.add_private_zone("dns", &endpoint)
    }

    /// Removes the endpoint's zone group, and with it the records that it has written.
    fn remove_zone_group(&self) {
        for endpoint in self.scene.azure.endpoint_ids() {
            assert!(self.scene.azure.delete_network(&format!("{endpoint}/privateDnsZoneGroups/default")));
        }
    }

    /// Peers it with the hub.
    fn peer(&self) {
        let hub = self.network.replace("/resourceGroups/net/", "/resourceGroups/hub/").replace("/nodes", "/hub");
        let body = json!({"properties": {"remoteVirtualNetwork": {"id": hub}, "peeringState": "Connected"}});
        self.put("/virtualNetworkPeerings/hub", &body);
    }
}

const ACCESS: [Access; 19] = [
    Open,
    Listed,
    Unlisted,
    PartlyListed,
    NoRules,
    Closed,
    Pending,
    SameNetwork,
    NotLinked,
    HubZone,
    HubZoneEmpty,
    ByHand,
    RecordMissing,
    DataRecordMissing,
    Peered,
    Unpeered,
    OwnDns,
    Proxied,
    SubnetRule,
];

pub fn cells() -> Vec<Cell> {
    let pairs = ACCESS.into_iter().flat_map(|access| access.outbound().iter().map(move |outbound| (access, *outbound)));
    pairs.flat_map(|(access, outbound)| [true, false].map(|is_granted| access.cell(outbound, is_granted))).collect()
}
