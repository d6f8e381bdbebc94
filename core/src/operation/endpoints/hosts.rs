//! From the settings of a registry to its hosts. See [firewall access
//! rules](https://learn.microsoft.com/azure/container-registry/container-registry-firewall-access-rules), [dedicated data
//! endpoints](https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints) and [outbound rules of
//! AKS](https://learn.microsoft.com/azure/aks/outbound-rules-control-egress).

use super::result::{HostPurpose, HostUser, PrivateDnsRecord, RegistryEndpoints, RegistryHost};
use crate::{
    diagnosis::{network::has_no_egress, private_path::zone_name},
    id::ResourceId,
    inventory::ClusterSettings,
    registry::RegistrySettings,
};

const HTTPS: u16 = 443;
/// The suffixes of storage accounts, by those of login servers.
const STORAGE: [(&str, &str); 2] =
    [("azurecr.cn", "blob.core.chinacloudapi.cn"), ("azurecr.us", "blob.core.usgovcloudapi.net")];
/// Microsoft's registry has a host for manifests, and others for layers.
const MCR: [&str; 2] = ["mcr.microsoft.com", "*.data.mcr.microsoft.com"];

pub(super) fn of(settings: &RegistrySettings, cluster: Option<(ResourceId, ClusterSettings)>) -> RegistryEndpoints {
    let login = settings.registry.login_server.as_str();
    let has_data = settings.data_endpoint.unwrap_or(!settings.data_hosts.is_empty());
    let data: &[String] = if has_data { &settings.data_hosts } else { &[] };
    let mut hosts = vec![host(login, HostPurpose::Login, HostUser::NodeAndClient, true)];
    hosts.extend(data.iter().map(|one| host(one, HostPurpose::Data, HostUser::NodeAndClient, true)));
    if data.is_empty() {
        let blob = format!("*.{}", storage(login));
        hosts.push(host(&blob, HostPurpose::Blob, HostUser::NodeAndClient, false));
    }
    let regions = regions(settings);
    // Images may be named by the login server of a region; whether that is enabled, the stable API does not report.
    let regional = regions.iter().filter_map(|region| Some((login.split_once('.')?, region)));
    hosts.extend(regional.map(|((name, suffix), region)| {
        let name = format!("{name}.{region}.geo.{suffix}");
        host(&name, HostPurpose::RegionalLogin, HostUser::NodeAndClient, false)
    }));
    if let Some((_, nodes)) = &cluster {
        // Nodes without a way to public addresses get their images through a registry of their own.
        let is_isolated = has_no_egress(nodes);
        hosts.extend(
            MCR.map(|name| host(name, HostPurpose::Mcr, HostUser::Node, !is_isolated && !name.starts_with('*'))),
        );
    }
    let mut no_proxy = vec![login.to_owned()];
    no_proxy.extend(data.iter().cloned());
    RegistryEndpoints {
        registry: settings.registry.id.clone(),
        service_tags: service_tags(data.is_empty(), cluster.is_some()),
        cluster: cluster.map(|(id, _)| id),
        hosts,
        private_dns: records(login, &regions),
        no_proxy,
    }
}

fn host(name: &str, purpose: HostPurpose, needed_by: HostUser, certain: bool) -> RegistryHost {
    RegistryHost { host: name.to_owned(), port: HTTPS, purpose, needed_by, certain }
}

fn storage(login_server: &str) -> &'static str {
    let known = STORAGE.iter().find(|(suffix, _)| login_server.ends_with(suffix));
    known.map_or("blob.core.windows.net", |(_, storage)| storage)
}

/// The regions of a registry, by its data endpoints. Only registries of the tier Premium have hosts with a region in their names.
fn regions(settings: &RegistrySettings) -> Vec<String> {
    if !settings.registry.is_premium() {
        return Vec::new();
    }
    let of_hosts: Vec<String> =
        settings.data_hosts.iter().filter_map(|host| host.split('.').nth(1)).map(str::to_owned).collect();
    if of_hosts.is_empty() { vec![settings.registry.location.replace(' ', "").to_ascii_lowercase()] } else { of_hosts }
}

/// The records that a private endpoint needs. It enables the data endpoints of a registry without them.
fn records(login_server: &str, regions: &[String]) -> Vec<PrivateDnsRecord> {
    let Some((name, _)) = login_server.split_once('.').filter(|_| !regions.is_empty()) else { return Vec::new() };
    let record = |record: String| PrivateDnsRecord { zone: zone_name(login_server), record };
    let data = regions.iter().map(|region| record(format!("{name}.{region}.data")));
    std::iter::once(record(name.to_owned())).chain(data).collect()
}

/// See [service tags](https://learn.microsoft.com/azure/virtual-network/service-tags-overview): that of Microsoft's registry depends on the
/// one of Azure Front Door.
fn service_tags(has_blobs: bool, has_cluster: bool) -> Vec<String> {
    let mut tags = vec!["AzureContainerRegistry"];
    if has_blobs {
        tags.push("Storage");
    }
    if has_cluster {
        tags.extend(["MicrosoftContainerRegistry", "AzureFrontDoor.FirstParty"]);
    }
    tags.into_iter().map(str::to_owned).collect()
}
