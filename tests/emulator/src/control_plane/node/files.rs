//! The files that the parts of a real node read.

use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::machine::{Azure, Common, KNOWN, Place, put as put_file};
use crate::door::network::SILENT;
use crate::kubernetes::{NodeSpec, machine::azure_labels};

/// Where the node's sockets are in its folder.
pub(super) const SOCKETS: &str = "s";
/// What the agent reads.
pub(super) const CONFIG: &str = "node.json";

/// The addresses of every machine of Azure: identity endpoint and name server.
const IDENTITY: &str = "169.254.169.254";
const NAME_SERVER: &str = "168.63.129.16";
/// Where the agent serves the image that holds the namespaces of pods.
const SANDBOX_REGISTRY: &str = "127.0.0.1:5000";

/// Version 2 is what all versions of containerd read. `opt` would make a folder outside.
const CONTAINERD: &str = r#"version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart", "io.containerd.internal.v1.tracing",
  "io.containerd.nri.v1.nri", "io.containerd.tracing.processor.v1.otlp", "io.containerd.snapshotter.v1.blockfile",
]
[grpc]
address = "/run/containerd/containerd.sock"
[ttrpc]
address = "/run/containerd/ttrpc.sock"
[plugins."io.containerd.grpc.v1.cri"]
disable_apparmor = true
restrict_oom_score_adj = true
sandbox_image = "127.0.0.1:5000/pause:1"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/run/programs"
conf_dir = "/run/node/cni"
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "/run/node/certs.d"
"#;

/// Writes all of them, and makes the node's folders.
pub(super) fn put(
    folder: &Path,
    common: &Common,
    spec: &NodeSpec,
    place: Place,
    azure: &Azure,
    trusted: &str,
) -> io::Result<()> {
    let name = &spec.name;
    let node = folder.join("run/node");
    let file = |name: &str, text: &str| put_file(&node.join(name), text);
    let (authority, client) = common.authority.node(name).map_err(|fault| io::Error::other(fault.to_string()))?;
    file("ca.pem", trusted)?;
    file("kubernetes-ca.pem", &authority)?;
    file("kubeconfig", &kubeconfig(&common.fqdn, &authority, &client).to_string())?;
    file("kubelet.json", &kubelet().to_string())?;
    file("azure.json", &cloud_configuration(azure).to_string())?;
    file("providers.json", &providers().to_string())?;
    file("containerd.toml", CONTAINERD)?;
    file("cni/pods.conflist", &network(place).to_string())?;
    file(&format!("certs.d/{SANDBOX_REGISTRY}/hosts.toml"), &format!("server = \"http://{SANDBOX_REGISTRY}\"\n"))?;
    put_file(&folder.join("etc/resolv.conf"), &format!("nameserver {NAME_SERVER}\n"))?;
    put_file(&folder.join("etc/hosts"), &format!("127.0.0.1 localhost\n{} {name}\n", place.address))?;
    readable(&folder.join("etc"))?;
    for made in [SOCKETS, "run/emulator", "var/lib", "var/log"] {
        std::fs::create_dir_all(folder.join(made))?;
    }
    put_file(&folder.join(CONFIG), &agent(folder, common, spec, place).to_string())
}

/// Programs in pods read these, whichever user they run as.
#[cfg(unix)]
fn readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let set = |path: &Path, mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
    set(folder, 0o755)?;
    ["resolv.conf", "hosts"].iter().try_for_each(|name| set(&folder.join(name), 0o644))
}

#[cfg(not(unix))]
fn readable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What the agent does.
fn agent(folder: &Path, common: &Common, spec: &NodeSpec, place: Place) -> Value {
    let address = place.address;
    let (hosts, server) = (KNOWN.hosts, KNOWN.server);
    let local = [IDENTITY, NAME_SERVER, &hosts.to_string(), &server.to_string(), &KNOWN.silent.to_string()]
        .map(|address| format!("address add {address}/32 dev lo\n"))
        .concat();
    let network = format!(
        "link set lo up\n{local}link add node0 type bridge\naddress add {address}/16 dev node0\nlink set node0 up\n\
         route add default dev node0\n"
    );
    let forward =
        |network: &str, listen: String, socket: &str| json!({"Network": network, "Listen": listen, "Socket": socket});
    let mut labels = vec![format!("agentpool={}", spec.pool), String::from("kubernetes.azure.com/role=agent")];
    labels.extend(azure_labels(spec).iter().map(|(name, value)| format!("{name}={value}")));
    let flags = [
        String::from("--config=/run/node/kubelet.json"),
        String::from("--kubeconfig=/run/node/kubeconfig"),
        String::from("--cert-dir=/var/lib/kubelet/pki"),
        format!("--hostname-override={}", spec.name),
        format!("--node-ip={address}"),
        format!("--node-labels={}", labels.join(",")),
        String::from("--image-credential-provider-config=/run/node/providers.json"),
        String::from("--image-credential-provider-bin-dir=/run/programs"),
    ];
    json!({
        "Name": spec.name,
        "Groups": folder.file_name().map(|name| name.to_string_lossy()),
        "Folder": folder,
        "Programs": common.programs.of_node(),
        "Network": network,
        "Forwards": [
            forward("tcp", format!("{hosts}:443"), "r"),
            forward("tcp", format!("{server}:443"), "k"),
            forward("tcp", format!("{IDENTITY}:80"), "i"),
            forward("tcp", format!("{NAME_SERVER}:53"), "n"),
            forward("udp", format!("{NAME_SERVER}:53"), "n"),
        ],
        "Silent": SILENT,
        "Parts": [
            {"Name": "containerd", "Arguments": ["--config", "/run/node/containerd.toml"], "Ready": "/run/containerd/containerd.sock"},
            {"Name": "kubelet", "Arguments": flags, "Restarts": true},
        ],
    })
}

fn kubeconfig(fqdn: &str, authority: &str, (certificate, key): &(String, String)) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "this",
        "clusters": [{"name": "this", "cluster": {"server": format!("https://{fqdn}:443"),
            "certificate-authority-data": STANDARD.encode(authority)}}],
        "users": [{"name": "this", "user": {"client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key)}}],
        "contexts": [{"name": "this", "context": {"cluster": "this", "user": "this"}}]})
}

fn kubelet() -> Value {
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": false},
            "x509": {"clientCAFile": "/run/node/kubernetes-ca.pem"}},
        // Nothing else gets there than the API server.
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupsPerQOS": false,
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        // The disk is the machine's own.
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "clusterDNS": [NAME_SERVER],
        "clusterDomain": "cluster.local",
        "readOnlyPort": 0,
        "healthzPort": 0,
        "resolvConf": "/etc/resolv.conf",
        "podLogsDir": "/var/log/pods",
        "volumePluginDir": "/var/lib/kubelet/plugins",
        // As AKS sets them.
        "serializeImagePulls": false,
        "eventRecordQPS": 0,
        // As emulated nodes: the registry decides how many pulls it takes.
        "registryPullQPS": 0,
    })
}

/// What the credential provider reads, in the fields of cloud-provider-azure.
fn cloud_configuration(azure: &Azure) -> Value {
    match &azure.identity {
        Some(one) if !one.is_managed => json!({"tenantId": azure.tenant, "useManagedIdentityExtension": false,
            "aadClientId": one.client, "aadClientSecret": one.secret}),
        one => json!({"tenantId": azure.tenant, "useManagedIdentityExtension": true,
            "userAssignedIdentityID": one.as_ref().map(|one| &one.client)}),
    }
}

/// As AKS configures its credential provider.
fn providers() -> Value {
    let clouds =
        ["io", "cn", "de", "us"].map(|cloud| [format!("*.azurecr.{cloud}"), format!("*.*.geo.azurecr.{cloud}")]);
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "providers": [{
            "name": "acr-credential-provider",
            "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
            "matchImages": clouds.concat(),
            "defaultCacheDuration": "10m",
            "args": ["/run/node/azure.json"],
        }],
    })
}

/// Pods reach their node, and through it what it reaches.
fn network(place: Place) -> Value {
    let [a, b, c] = place.pods;
    json!({
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "isDefaultGateway": true,
            "ipam": {"type": "host-local", "dataDir": "/run/cni", "ranges": [[{"subnet": format!("{a}.{b}.{c}.0/24")}]]}}],
    })
}
