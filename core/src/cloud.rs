//! The clouds of Azure: hosts, audiences, the ending of login servers.

use crate::error::{Error, Result};
use url::{Origin, Url};

/// Endings of login servers in all clouds, this one's and the others', so that a slip between clouds is seen before a request.
const REGISTRY_SUFFIXES: [&str; 5] =
    [".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.de", ".azurecr.sovcloud-azure.fr"];

/// The AKS server application in Entra, for which an Entra-enabled cluster wants its tokens; the same in every cloud.
#[cfg(feature = "kubernetes")]
const AKS_SCOPE: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

/// One of Azure's clouds: where its Resource Manager is, and for whom tokens are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// `https://` and the host, without a slash at the end.
    arm: String,
    arm_scope: String,
    registry_suffix: String,
    /// Where its directory is asked, and for whom a token is for that, where it is known.
    graph: Option<(&'static str, &'static str)>,
}

impl Cloud {
    /// The public cloud.
    #[must_use]
    pub fn public() -> Self {
        let graph = Some(("https://graph.microsoft.com", "https://graph.microsoft.com/.default"));
        Self { graph, ..Self::known("https://management.azure.com", ".azurecr.io") }
    }

    /// Azure in China, operated by 21Vianet.
    #[must_use]
    pub fn china() -> Self {
        let graph =
            Some(("https://microsoftgraph.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/.default"));
        Self { graph, ..Self::known("https://management.chinacloudapi.cn", ".azurecr.cn") }
    }

    /// Azure for the US Government.
    #[must_use]
    pub fn us_government() -> Self {
        let graph = Some(("https://graph.microsoft.us", "https://graph.microsoft.us/.default"));
        Self { graph, ..Self::known("https://management.usgovcloudapi.net", ".azurecr.us") }
    }

    /// Bleu, Azure in France.
    #[must_use]
    pub fn bleu() -> Self {
        Self::known("https://management.sovcloud-api.fr", ".azurecr.sovcloud-azure.fr")
    }

    /// Another cloud, or an emulator of one: the address of its Resource Manager, such as `https://localhost:8443`, and the
    /// ending of its login servers, such as `.azurecr.io`. Tokens are asked for the Resource Manager's address.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) unless the address is `https` with a host and nothing behind it.
    pub fn custom(resource_manager: &str, registry_suffix: &str) -> Result<Self> {
        let wrong = || Error::invalid("wanted https://host[:port]", "resource manager", resource_manager);
        let url = Url::parse(resource_manager).map_err(|err| wrong().with_source(err))?;
        let is_bare =
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        let Origin::Tuple(..) = url.origin() else { return Err(wrong()) };
        if url.scheme() != "https" || !is_bare {
            return Err(wrong());
        }
        let suffix = registry_suffix.trim_start_matches('.').to_ascii_lowercase();
        let is_plain =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        // One label alone would take in hosts of everybody, and tokens would be sent to them.
        if !suffix.contains('.') || !suffix.split('.').all(is_plain) {
            return Err(Error::invalid("wanted a domain name, such as azurecr.io", "registry suffix", registry_suffix));
        }
        Ok(Self::known(&url.origin().ascii_serialization(), &format!(".{suffix}")))
    }

    fn known(arm: &str, registry_suffix: &str) -> Self {
        Self {
            arm: arm.to_owned(),
            arm_scope: format!("{arm}/.default"),
            registry_suffix: registry_suffix.to_owned(),
            graph: None,
        }
    }

    pub(crate) fn arm(&self) -> &str {
        &self.arm
    }

    /// Where the directory is asked, and the scope of a token for it.
    /// See [national clouds](https://learn.microsoft.com/graph/deployments). Of Bleu's it is not established.
    pub(crate) fn graph(&self) -> Option<(&'static str, &'static str)> {
        self.graph
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

    /// Whether a host is a registry of this cloud.
    pub(crate) fn has_registry(&self, host: &str) -> bool {
        ends_with(host, &self.registry_suffix)
    }

    /// Refuses what is no login server of this cloud.
    pub(crate) fn check_login_server(&self, host: &str) -> Result<()> {
        self.check_registry_host(host, "registry")?;
        if self.has_registry(host) {
            return Ok(());
        }
        let wanted = format!("not a registry of Azure: login servers end in {}", self.registry_suffix);
        Err(Error::invalid(wanted, "registry", host))
    }

    /// Refuses the host of a registry in another cloud: nothing here can reach it with this cloud's identities.
    pub(crate) fn check_registry_host(&self, host: &str, part: &'static str) -> Result<()> {
        if !self.has_registry(host) && is_registry_host(host) {
            let wanted =
                format!("a registry of another cloud: in this one, login servers end in {}", self.registry_suffix);
            return Err(Error::invalid(wanted, part, host));
        }
        Ok(())
    }
}

impl Default for Cloud {
    fn default() -> Self {
        Self::public()
    }
}

/// Whether a host is a registry of some cloud of Azure.
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
        let cloud = Cloud::custom("https://localhost:8443/", "azurecr.io").unwrap();
        assert_eq!((cloud.arm(), cloud.arm_scope()), ("https://localhost:8443", "https://localhost:8443/.default"));
    }
}
