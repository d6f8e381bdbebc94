//! The host of an image beside the login server of its registry: the same, a regional one, a misspelled one, or another registry's.

use super::distance::distance;

/// How many letters may be wrong in a host that is taken for misspelled.
const MOST_WRONG: usize = 2;
/// The host names of Azure's registries end like this.
const SUFFIXES: [&str; 4] = [".azurecr.io", ".azurecr.cn", ".azurecr.us", ".azurecr.sovcloud-azure.fr"];

/// What a host is to a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    LoginServer,
    /// `{name}.{region}.geo.{suffix}`: see [Regional
    /// endpoints](https://learn.microsoft.com/azure/container-registry/container-registry-regional-endpoints).
    Regional,
    Misspelled,
    Other,
}

impl Host {
    pub fn of(host: &str, login_server: &str) -> Self {
        let (host, login_server) = (host.to_ascii_lowercase(), login_server.to_ascii_lowercase());
        if host == login_server {
            return Self::LoginServer;
        }
        if is_regional(&host, &login_server) {
            return Self::Regional;
        }
        let is_azures = SUFFIXES.iter().any(|suffix| host.ends_with(suffix)) || has_suffix_of(&host, &login_server);
        let has_name = host.split('.').next() == login_server.split('.').next();
        let is_alike = distance(&host, &login_server) <= MOST_WRONG || (has_name && has_label_like_azures(&host));
        if !is_azures && is_alike { Self::Misspelled } else { Self::Other }
    }
}

/// Whether one of the labels after the name is nearly that of Azure's registries.
fn has_label_like_azures(host: &str) -> bool {
    host.split('.').skip(1).any(|label| distance(label, "azurecr") <= MOST_WRONG)
}

/// Whether a host is a regional one of this login server.
pub(crate) fn is_regional(host: &str, login_server: &str) -> bool {
    let Some((name, suffix)) = login_server.split_once('.') else { return false };
    let rest =
        host.strip_suffix(suffix).and_then(|rest| rest.strip_suffix(".geo.")?.strip_prefix(name)?.strip_prefix('.'));
    rest.is_some_and(|region| !region.is_empty() && region.bytes().all(|letter| letter.is_ascii_alphanumeric()))
}

/// The login server that a regional host, `{name}.{region}.geo.{suffix}`, belongs to, or the name in a private DNS zone,
/// `{name}.privatelink.{suffix}`.
pub(crate) fn login_server_of(host: &str) -> Option<String> {
    match &host.split('.').collect::<Vec<_>>()[..] {
        [name, _, "geo", suffix @ ..] => {
            let login_server = format!("{name}.{}", suffix.join("."));
            is_regional(host, &login_server).then_some(login_server)
        }
        [name, "privatelink", suffix @ ..] if suffix.len() > 1 => Some(format!("{name}.{}", suffix.join("."))),
        _ => None,
    }
}

fn has_suffix_of(host: &str, login_server: &str) -> bool {
    login_server.split_once('.').is_some_and(|(_, suffix)| host.ends_with(&format!(".{suffix}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_compared_with_the_login_server() {
        for (host, wanted) in [
            ("myregistry.azurecr.io", Host::LoginServer),
            ("MyRegistry.azurecr.io", Host::LoginServer),
            ("myregistry.westeurope.geo.azurecr.io", Host::Regional),
            ("myregistry.azureacr.io", Host::Misspelled),
            ("myregistry.azurecr.com", Host::Misspelled),
            ("myregistry.azurcr.example.com", Host::Misspelled),
            ("myregistry.example.com", Host::Other),
            ("myregistri.azurecr.io", Host::Other),
            ("other.westeurope.geo.azurecr.io", Host::Other),
            ("myregistry.geo.azurecr.io", Host::Other),
            ("myregistry.a.b.geo.azurecr.io", Host::Other),
            ("myregistry.privatelink.azurecr.io", Host::Other),
            ("myregistry.azurecr.cn", Host::Other),
            ("docker.io", Host::Other),
        ] {
            assert_eq!(Host::of(host, "myregistry.azurecr.io"), wanted, "{host}");
        }
        assert!(is_regional("myregistry-abc.westeurope.geo.azurecr.io", "myregistry-abc.azurecr.io"));
    }
}
