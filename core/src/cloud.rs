//! The Azure clouds: hosts, audiences, suffixes of login servers.

use crate::error::{Error, Result};
use std::str::FromStr;
use url::{Origin, Url};

/// Suffixes of login servers in all clouds, so that a mix-up of clouds is detected before a request.
const REGISTRY_SUFFIXES: [&str; 5] =
    [".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.de", ".azurecr.sovcloud-azure.fr"];

/// The AKS server application in Entra ID, the audience of tokens for clusters with Entra ID; the same in every cloud.
#[cfg(feature = "kubernetes")]
const AKS_SCOPE: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

/// An Azure cloud: the address of its Resource Manager, and the audience of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// `https://` and the host, without a trailing slash.
    arm: String,
    arm_scope: String,
    registry_suffix: String,
    /// The address of Microsoft Graph and the scope of its tokens, if known.
    graph: Option<(String, String)>,
    /// The authority that issues tokens, in the same form as `arm`; possibly unknown in a custom cloud.
    authority: Option<String>,
    /// The documented suffixes of the API servers' names; `None` in a custom cloud.
    cluster_suffixes: Option<&'static [&'static str]>,
}

impl Cloud {
    /// The public cloud.
    #[must_use]
    pub fn public() -> Self {
        let graph = Some(graph_at("https://graph.microsoft.com"));
        Self {
            graph,
            cluster_suffixes: Some(&[".azmk8s.io"]),
            ..Self::known("https://management.azure.com", ".azurecr.io", "https://login.microsoftonline.com")
        }
    }

    /// Azure in China, operated by 21Vianet.
    #[must_use]
    pub fn china() -> Self {
        let graph = Some(graph_at("https://microsoftgraph.chinacloudapi.cn"));
        Self {
            graph,
            cluster_suffixes: Some(&[".cx.prod.service.azk8s.cn"]),
            ..Self::known("https://management.chinacloudapi.cn", ".azurecr.cn", "https://login.chinacloudapi.cn")
        }
    }

    /// Azure for the US Government.
    #[must_use]
    pub fn us_government() -> Self {
        let graph = Some(graph_at("https://graph.microsoft.us"));
        Self {
            graph,
            cluster_suffixes: Some(&[".cx.aks.containerservice.azure.us"]),
            ..Self::known("https://management.usgovcloudapi.net", ".azurecr.us", "https://login.microsoftonline.us")
        }
    }

    /// Bleu, Azure in France.
    #[must_use]
    pub fn bleu() -> Self {
        let authority = "https://login.sovcloud-identity.fr";
        Self::known("https://management.sovcloud-api.fr", ".azurecr.sovcloud-azure.fr", authority)
    }

    /// A custom cloud, or an emulator.
    ///
    /// It takes the address of the Resource Manager, such as `https://localhost:8443`, and the suffix of login servers, such as
    /// `.azurecr.io`. Tokens are requested for the Resource Manager's address.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) unless the address is `https` with a host and no path.
    pub fn custom(resource_manager: &str, registry_suffix: &str) -> Result<Self> {
        let arm = origin(resource_manager, "resource manager")?;
        let suffix = registry_suffix.trim_start_matches('.').to_ascii_lowercase();
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        // A single label would match hosts of other owners, and tokens would be sent to them.
        if !suffix.contains('.') || !suffix.split('.').all(is_plain) {
            return Err(Error::invalid(
                "expected a domain name, such as azurecr.io",
                "registry suffix",
                registry_suffix,
            ));
        }
        let arm_scope = format!("{arm}/.default");
        Ok(Self {
            arm,
            arm_scope,
            registry_suffix: format!(".{suffix}"),
            authority: None,
            graph: None,
            cluster_suffixes: None,
        })
    }

    /// Sets the authority that issues tokens, such as `https://login.microsoftonline.com`.
    ///
    /// Only the default credential chain uses it. A custom cloud without it uses `AZURE_AUTHORITY_HOST`, or else the Resource Manager's
    /// address.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) unless the address is `https` with a host and no path.
    pub fn with_authority(mut self, authority: &str) -> Result<Self> {
        self.authority = Some(origin(authority, "authority")?);
        Ok(self)
    }

    /// Sets the address of Microsoft Graph, such as `https://graph.microsoft.com`.
    ///
    /// Tokens for Graph are requested for that address. In a custom cloud without it,
    /// [`query_graph`](crate::AttachmentsOptions::query_graph) is [`Unsupported`](crate::ErrorKind::Unsupported).
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) unless the address is `https` with a host and no path.
    pub fn with_graph(mut self, graph: &str) -> Result<Self> {
        self.graph = Some(graph_at(&origin(graph, "graph")?));
        Ok(self)
    }

    fn known(arm: &str, registry_suffix: &str, authority: &str) -> Self {
        Self {
            arm: arm.to_owned(),
            arm_scope: format!("{arm}/.default"),
            registry_suffix: registry_suffix.to_owned(),
            authority: Some(authority.to_owned()),
            graph: None,
            cluster_suffixes: Some(&[]),
        }
    }

    #[cfg(feature = "identity")]
    pub(crate) fn authority(&self, environment: &crate::environment::Environment) -> Result<String> {
        const VARIABLE: &str = "AZURE_AUTHORITY_HOST";
        match (&self.authority, environment.get(VARIABLE)) {
            (Some(known), _) => Ok(known.clone()),
            (None, Some(named)) => origin(&named, VARIABLE),
            (None, None) => Ok(self.arm.clone()),
        }
    }

    pub(crate) fn arm(&self) -> &str {
        &self.arm
    }

    /// The address of Microsoft Graph, and the scope of a token for it. See [national
    /// clouds](https://learn.microsoft.com/graph/deployments). Bleu's is not documented.
    pub(crate) fn graph(&self) -> Option<(&str, &str)> {
        self.graph.as_ref().map(|(address, scope)| (address.as_str(), scope.as_str()))
    }

    pub(crate) fn arm_scope(&self) -> &str {
        &self.arm_scope
    }

    /// The registry's audience is the same in every cloud.
    /// See [Azure CLI's cloud table](https://github.com/Azure/azure-cli/blob/dev/src/azure-cli-core/azure/cli/core/cloud.py).
    pub(crate) fn registry_scope() -> &'static str {
        "https://containerregistry.azure.net/.default"
    }

    #[cfg(feature = "kubernetes")]
    pub(crate) fn kubernetes_scope() -> &'static str {
        AKS_SCOPE
    }

    /// Whether a host can be the API server of a cluster in this cloud, judging by its name. In a custom cloud, every host can. See
    /// [outbound rules](https://learn.microsoft.com/azure/aks/outbound-rules-control-egress), which list the suffixes. Bleu's are not
    /// documented.
    pub(crate) fn has_cluster(&self, host: &str) -> bool {
        self.cluster_suffixes.is_none_or(|suffixes| suffixes.iter().any(|suffix| ends_with(host, suffix)))
    }

    /// Whether a kubeconfig may name this proxy. AKS names none; the kubeconfigs of an emulator may name one on the machine of its
    /// Resource Manager.
    pub(crate) fn may_name_proxy(&self, proxy: &str) -> bool {
        let host = |address: &str| {
            let host = Url::parse(address).ok()?.host_str()?.to_owned();
            let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str());
            Some(if is_local { "localhost".to_owned() } else { host })
        };
        self.cluster_suffixes.is_none() && host(proxy).is_some_and(|named| host(&self.arm) == Some(named))
    }

    /// Whether a host is a registry of this cloud.
    pub(crate) fn has_registry(&self, host: &str) -> bool {
        ends_with(host, &self.registry_suffix)
    }

    /// The login server of a registry without a domain label; with a label it differs.
    pub(crate) fn plain_login_server(&self, name: &str) -> String {
        format!("{}{}", name.to_ascii_lowercase(), self.registry_suffix)
    }

    /// Rejects a host that is not a login server of this cloud.
    pub(crate) fn check_login_server(&self, host: &str) -> Result<()> {
        self.check_registry_host(host, "registry")?;
        if self.has_registry(host) {
            return Ok(());
        }
        let wanted = format!("not an Azure registry: login servers end in {}", self.registry_suffix);
        Err(Error::invalid(wanted, "registry", host))
    }

    /// Rejects the host of a registry in another cloud: this cloud's identities have no access there.
    pub(crate) fn check_registry_host(&self, host: &str, part: &'static str) -> Result<()> {
        if !self.has_registry(host) && is_registry_host(host) {
            let wanted = format!(
                "the registry is in another cloud: login servers of this cloud end in {}",
                self.registry_suffix
            );
            let hint = "create the client for that cloud";
            return Err(Error::invalid(wanted, part, host).with_context("hint", hint));
        }
        Ok(())
    }
}

impl FromStr for Cloud {
    type Err = Error;

    /// Reads the name of a known cloud: `public`, `china`, `us_government` or `bleu`.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "public" => Ok(Self::public()),
            "china" => Ok(Self::china()),
            "us_government" => Ok(Self::us_government()),
            "bleu" => Ok(Self::bleu()),
            _ => Err(Error::invalid("expected one of: public, china, us_government, bleu", "cloud", name)),
        }
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}

/// The address of Microsoft Graph, and the scope of its tokens.
fn graph_at(address: &str) -> (String, String) {
    (address.to_owned(), format!("{address}/.default"))
}

/// The `https` address of a host, without a trailing slash.
fn origin(address: &str, part: &'static str) -> Result<String> {
    let wrong = || Error::invalid("expected https://host[:port]", part, address);
    let url = Url::parse(address).map_err(|err| wrong().with_source(err))?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let Origin::Tuple(..) = url.origin() else { return Err(wrong()) };
    if url.scheme() != "https" || !is_bare {
        return Err(wrong());
    }
    Ok(url.origin().ascii_serialization())
}

/// Whether a host is a registry of any Azure cloud.
fn is_registry_host(host: &str) -> bool {
    REGISTRY_SUFFIXES.iter().any(|suffix| ends_with(host, suffix))
}

fn ends_with(host: &str, suffix: &str) -> bool {
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    host.strip_suffix(suffix).is_some_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cloud_is_read_from_its_name() {
        assert_eq!("us_government".parse::<Cloud>().unwrap(), Cloud::us_government());
        let err = "mars".parse::<Cloud>().unwrap_err();
        assert!(err.to_string().contains("public, china, us_government, bleu"), "{err}");
    }

    #[test]
    fn a_registry_of_another_cloud_is_refused() {
        let err = Cloud::public().check_registry_host("myreg.azurecr.cn", "registry").unwrap_err();
        assert!(err.to_string().contains("another cloud"), "{err}");
        assert!(Cloud::china().check_registry_host("myreg.azurecr.cn", "registry").is_ok());
        assert!(Cloud::public().check_registry_host("docker.io", "registry").is_ok());
    }

    #[test]
    fn a_custom_cloud_needs_a_bare_https_address() {
        for wrong in ["http://localhost", "https://host/path", "https://u@host", "localhost", "https://h?x", ""] {
            assert!(Cloud::custom(wrong, ".azurecr.io").is_err(), "{wrong}");
        }
        assert_eq!(Cloud::custom("https://localhost", "azurecr.io").unwrap().graph(), None);
        let cloud = Cloud::custom("https://localhost:8443/", "azurecr.io").unwrap();
        for wrong in ["http://localhost", "https://graph/v1.0", "graph.microsoft.com"] {
            assert!(cloud.clone().with_graph(wrong).is_err(), "{wrong}");
        }
        let with_graph = cloud.clone().with_graph("https://localhost:8444/").unwrap();
        assert_eq!(with_graph.graph(), Some(("https://localhost:8444", "https://localhost:8444/.default")));
        assert_eq!((cloud.arm(), cloud.arm_scope()), ("https://localhost:8443", "https://localhost:8443/.default"));
    }
}
