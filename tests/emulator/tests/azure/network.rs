//! What nodes meet on their way to a registry follows from the resources of networks.

use aks_acr_emulator::{ClusterSeed, Emulator, RegistrySeed};
use serde_json::{Value, json};

use crate::client::arm;
use crate::pull::{IMAGE, attach, outcome, scene_of};

const HOST: &str = "myregistry.azurecr.io";
const DATA: &str = "myregistry.westeurope.data.azurecr.io";

/// A registry that is reached through private endpoints only, and the network of the cluster.
struct Net {
    azure: Emulator,
    network: String,
    registry: String,
}

impl Net {
    fn new() -> Self {
        Self::of(ClusterSeed::new("group", "dev"), closed())
    }

    fn of(cluster: ClusterSeed, registry: RegistrySeed) -> Self {
        let azure = scene_of(cluster, registry);
        attach(&azure);
        let (network, registry) = (azure.network_id("group", "dev"), azure.registry_id("group", "myregistry"));
        Self { azure, network, registry }
    }

    fn subnet(&self) -> String {
        format!("{}/subnets/aks-subnet", self.network)
    }

    /// An endpoint in a network of its own, which is a hub.
    fn hub(&self) -> (String, String) {
        let subnet = self.azure.add_subnet("hub", "hub", "endpoints", "10.8.1.0/24");
        let network = subnet.split("/subnets/").next().unwrap().to_owned();
        (network, self.azure.add_private_endpoint(&self.registry, &subnet, true))
    }

    fn peer(&self, network: &str, state: &str) {
        let (_, path) = self.network.split_once("/Microsoft.Network/").unwrap();
        let body = json!({"properties": {"remoteVirtualNetwork": {"id": network}, "peeringState": state}});
        let group = self.network.split('/').nth(4).unwrap();
        self.azure.put_network(group, &format!("{path}/virtualNetworkPeerings/hub"), body);
    }

    async fn runs(&self) {
        let (phase, waiting) = outcome(&self.azure, IMAGE).await;
        assert_eq!(phase, "Running", "{waiting}");
    }

    async fn says(&self, text: &str) {
        let (phase, waiting) = outcome(&self.azure, IMAGE).await;
        assert!(phase == "Pending" && waiting.contains(text), "{text}: {phase} {waiting}");
    }
}

fn closed() -> RegistrySeed {
    RegistrySeed::new("group", "myregistry").sku("Premium").public_network_disabled()
}

fn denying(addresses: &[&str]) -> RegistrySeed {
    RegistrySeed::new("group", "myregistry").sku("Premium").only_from(addresses)
}

fn outbound(kind: &str) -> ClusterSeed {
    ClusterSeed::new("group", "dev").property("networkProfile", json!({"outboundType": kind}))
}

#[tokio::test(start_paused = true)]
async fn a_complete_private_path_lets_nodes_into_a_closed_registry() {
    let net = Net::new();
    let endpoint = net.azure.add_private_endpoint(&net.registry, &net.subnet(), true);
    let zone = net.azure.add_private_zone("group", &endpoint);
    net.azure.link_zone(&zone, &net.network);
    net.runs().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_link_the_name_leads_to_the_public_address() {
    let net = Net::new();
    let endpoint = net.azure.add_private_endpoint(&net.registry, &net.subnet(), true);
    net.azure.add_private_zone("group", &endpoint);
    net.says("client with IP '198.51.100.20' is not allowed access").await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_waits_for_approval_does_not_respond_until_it_is_approved() {
    let net = Net::new();
    let endpoint = net.azure.add_private_endpoint(&net.registry, &net.subnet(), false);
    let zone = net.azure.add_private_zone("group", &endpoint);
    net.azure.link_zone(&zone, &net.network);
    net.says("dial tcp 10.224.0.100:443: i/o timeout").await;
    let list = format!("{}/privateEndpointConnections", net.registry);
    let listed = arm(&net.azure, "owner", azure_core::http::Method::Get, &list, None).await.body;
    let connection = listed["value"][0]["id"].as_str().unwrap();
    let state = json!({"properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}});
    let put = arm(&net.azure, "owner", azure_core::http::Method::Put, connection, Some(state)).await.body;
    assert_eq!(put["properties"]["privateLinkServiceConnectionState"]["status"], "Approved");
}

#[tokio::test(start_paused = true)]
async fn a_zone_without_a_record_hides_the_name_even_if_the_registry_is_open() {
    for (record, text) in [
        ("myregistry", format!("dial tcp: lookup {HOST} on 168.63.129.16:53: no such host")),
        ("myregistry.westeurope.data", format!("dial tcp: lookup {DATA} on 168.63.129.16:53: no such host")),
    ] {
        for seed in [closed(), RegistrySeed::new("group", "myregistry").sku("Premium")] {
            let net = Net::of(ClusterSeed::new("group", "dev"), seed);
            let endpoint = net.azure.add_private_endpoint(&net.registry, &net.subnet(), true);
            let zone = net.azure.add_private_zone("group", &endpoint);
            net.azure.link_zone(&zone, &net.network);
            assert!(net.azure.delete_network(&format!("{zone}/A/{record}")));
            net.says(&text).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn networks_route_to_each_other_once_they_are_peered() {
    for state in [None, Some("Initiated"), Some("Connected")] {
        let net = Net::new();
        let (hub, endpoint) = net.hub();
        let zone = net.azure.add_private_zone("hub", &endpoint);
        net.azure.link_zone(&zone, &net.network);
        if let Some(state) = state {
            net.peer(&hub, state);
        }
        if state == Some("Connected") {
            net.runs().await;
        } else {
            net.says("dial tcp 10.8.1.100:443: i/o timeout").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn dns_servers_of_the_network_decide_where_it_names_them() {
    for (known, text) in [
        (None, "lookup myregistry.azurecr.io on 10.8.0.4:53: read udp 10.224.0.4:49152->10.8.0.4:53: i/o timeout"),
        (Some(None), "is not allowed access"),
        (Some(Some("hub")), ""),
    ] {
        let net = Net::new();
        let (hub, endpoint) = net.hub();
        let zone = net.azure.add_private_zone("hub", &endpoint);
        net.azure.link_zone(&zone, &hub);
        net.peer(&hub, "Connected");
        let (_, path) = net.network.split_once("/Microsoft.Network/").unwrap();
        let body = json!({"properties": {"dhcpOptions": {"dnsServers": ["10.8.0.4"]}}});
        net.azure.put_network(net.network.split('/').nth(4).unwrap(), path, body);
        if let Some(server) = known {
            net.azure.set_name_server("10.8.0.4", server.map(|_| hub.as_str()));
        }
        if text.is_empty() { net.runs().await } else { net.says(text).await }
    }
}

#[tokio::test(start_paused = true)]
async fn the_outbound_type_decides_the_address_that_the_registry_sees() {
    for (kind, text) in [
        ("loadBalancer", "client with IP '198.51.100.20'"),
        ("managedNATGateway", "client with IP '198.51.100.20'"),
        ("userDefinedRouting", "client with IP '192.0.2."),
        ("none", "dial tcp 192.0.2."),
    ] {
        Net::of(outbound(kind), denying(&[])).says(text).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_nat_gateway_of_the_users_own_gives_its_address() {
    for (allowed, runs) in [("20.1.2.3", true), ("198.51.100.20", false)] {
        let mut net = Net::of(outbound("userAssignedNATGateway"), denying(&[allowed]));
        let address =
            net.azure.put_network("net", "publicIPAddresses/one", json!({"properties": {"ipAddress": "20.1.2.3"}}));
        let gateway = json!({"properties": {"publicIpAddresses": [{"id": address}]}});
        let gateway = net.azure.put_network("net", "natGateways/gateway", gateway);
        let subnet = json!({"properties": {"addressPrefix": "10.224.0.0/16", "natGateway": {"id": gateway}}});
        net.set_subnet(subnet);
        if runs { net.runs().await } else { net.says("client with IP '20.1.2.3'").await }
    }
}

impl Net {
    fn set_subnet(&mut self, body: Value) {
        let (_, path) = self.network.split_once("/Microsoft.Network/").unwrap();
        self.azure.put_network(self.network.split('/').nth(4).unwrap(), &format!("{path}/subnets/aks-subnet"), body);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_endpoint_shows_the_subnet_and_no_public_address() {
    for is_allowed in [true, false] {
        let mut net = Net::of(ClusterSeed::new("group", "dev"), denying(&["198.51.100.20"]));
        net.set_subnet(json!({"properties": {
            "addressPrefix": "10.224.0.0/16", "serviceEndpoints": [{"service": "Microsoft.ContainerRegistry"}],
        }}));
        if is_allowed {
            let rules =
                json!({"defaultAction": "Deny", "virtualNetworkRules": [{"action": "Allow", "id": net.subnet()}]});
            net.azure.set_registry("group", "myregistry", |seed| seed.property("networkRuleSet", rules));
            let shown = arm(&net.azure, "owner", azure_core::http::Method::Get, &net.registry, None).await.body;
            assert_eq!(shown["properties"]["networkRuleSet"]["virtualNetworkRules"], Value::Null, "{shown}");
            net.runs().await;
        } else {
            net.says("client with IP '10.224.0.4' is not allowed access").await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_stands_between_unless_a_host_is_exempt() {
    let config = |exempt: &[&str]| {
        let proxy = json!({"httpsProxy": "http://proxy.example.com:8080/", "noProxy": exempt});
        ClusterSeed::new("group", "dev").property("httpProxyConfig", proxy)
    };
    let open = || RegistrySeed::new("group", "myregistry").sku("Premium");
    Net::of(config(&[]), open()).runs().await;
    let net = Net::of(config(&[]), open());
    net.azure.set_proxy("proxy.example.com:8080", None, &[HOST]);
    net.says(": Forbidden").await;
    let net = Net::of(config(&[]), open());
    net.azure.set_silent_proxy("proxy.example.com:8080");
    net.says("proxyconnect tcp: dial tcp proxy.example.com:8080: i/o timeout").await;
    for (exempt, runs) in
        [(&[][..], false), (&["azurecr.io"], true), (&[".azurecr.io"], true), (&["*.azurecr.io"], false)]
    {
        let net = Net::of(config(exempt), closed());
        let endpoint = net.azure.add_private_endpoint(&net.registry, &net.subnet(), true);
        let zone = net.azure.add_private_zone("group", &endpoint);
        net.azure.link_zone(&zone, &net.network);
        if runs { net.runs().await } else { net.says("is not allowed access").await }
    }
}

#[tokio::test(start_paused = true)]
async fn layers_come_from_another_host() {
    let net = Net::of(ClusterSeed::new("group", "dev"), RegistrySeed::new("group", "myregistry").sku("Premium"));
    net.runs().await;
    let hosts = |azure: &Emulator| {
        let sent = azure.requests().into_iter().filter(|one| one.from == aks_acr_emulator::From::Node);
        sent.map(|one| one.host).filter(|host| host.ends_with("blob.core.windows.net")).count()
    };
    assert!(hosts(&net.azure) > 0, "{:?}", net.azure.requests());
}

/// With the text of `tests/vectors/pull_texts.json`, "a firewall without *.blob.core.windows.net".
#[tokio::test(start_paused = true)]
async fn a_firewall_drops_what_is_sent_to_a_host_until_it_is_allowed() {
    let seed = || (ClusterSeed::new("group", "dev"), RegistrySeed::new("group", "myregistry").sku("Premium"));
    for (blocked, allowed, is_through) in [
        ("*.blob.core.windows.net", None, false),
        ("*.blob.core.windows.net", Some("*.blob.core.windows.net"), true),
        ("other.azurecr.io", None, true),
    ] {
        let (cluster, registry) = seed();
        let net = Net::of(cluster, registry);
        assert!(net.azure.set_egress("group", "dev", blocked, false));
        assert!(!net.azure.set_egress("group", "none", blocked, false));
        allowed.map(|host| net.azure.set_egress("group", "dev", host, true));
        if is_through {
            net.runs().await;
            continue;
        }
        let (phase, waiting) = outcome(&net.azure, IMAGE).await;
        let copying = "failed to copy: httpReadSeeker: failed open: failed to do request: Get \"https://";
        assert!(
            phase == "Pending" && waiting.contains(copying) && waiting.contains(":443: i/o timeout, "),
            "{waiting}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_is_full_has_no_room_for_an_image_until_its_node_is_made_anew() {
    for is_renewed in [false, true] {
        let net = Net::of(ClusterSeed::new("group", "dev"), RegistrySeed::new("group", "myregistry"));
        assert!(net.azure.set_disk_room("group", "dev", "nodepool1", 0));
        assert!(!net.azure.set_disk_room("group", "dev", "none", 0));
        if is_renewed {
            net.azure.renew_nodes("group", "dev", "nodepool1");
            net.runs().await;
        } else {
            net.says("no space left on device").await;
        }
    }
}
