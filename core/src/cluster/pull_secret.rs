//! Image pull secrets: what one contains, and what a cluster has.

use crate::{
    error::{Error, Result},
    image::ImageReference,
};
use azure_core::credentials::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The type of a secret for image pulls.
pub(crate) const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";
/// Its only key.
pub(crate) const DOCKER_CONFIG_KEY: &str = ".dockerconfigjson";
/// The key of Docker Hub in a docker configuration.
const HUB_KEY: &str = "https://index.docker.io/v1/";

/// A user name and a password for a registry, as part of an image pull secret. `Debug` does not show the password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryCredential {
    /// The registry's host as in the names of its images, such as `ghcr.io` or `registry.example.com:5000`; `docker.io` for Docker Hub. A path
    /// limits the credential to the repositories below it.
    pub registry: String,
    /// The user name.
    pub username: String,
    /// The password, or a token that the registry accepts as a password.
    pub password: Secret,
}

impl RegistryCredential {
    /// A credential for a registry. It is checked when it is used.
    #[must_use]
    pub fn new(registry: impl Into<String>, username: impl Into<String>, password: Secret) -> Self {
        Self { registry: registry.into(), username: username.into(), password }
    }

    /// The key of the credential in a docker configuration.
    pub(crate) fn key(&self) -> Result<String> {
        let text = self.registry.as_str();
        let wrong = || Error::invalid("expected a registry's host, such as ghcr.io", "registry", text);
        let bare = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text);
        let bare = bare.trim_end_matches('/');
        let bare = bare.strip_suffix("/v1").or_else(|| bare.strip_suffix("/v2")).unwrap_or(bare);
        let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || "-._:/*[]".contains(letter);
        let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
        if host.is_empty() || !bare.chars().all(is_allowed) || path.split('/').any(|part| matches!(part, "." | "..")) {
            return Err(wrong());
        }
        let host = host.to_ascii_lowercase();
        match (host.as_str(), path) {
            ("docker.io" | "index.docker.io", "") => Ok(HUB_KEY.to_owned()),
            (_, "") => Ok(host),
            _ => Ok(format!("{host}/{path}")),
        }
    }

    /// Rejects what kubelet could not read back.
    fn check(&self) -> Result<()> {
        if self.username.is_empty() || self.username.contains(':') || self.username.contains(char::is_control) {
            let wanted = "expected a user name: not empty, without ':' and without control characters";
            return Err(Error::invalid(wanted, "username", self.username.escape_debug().to_string()));
        }
        let password = self.password.secret();
        if password.is_empty() || password.contains(char::is_control) {
            let wanted = "expected a password: not empty, without control characters such as a line break at its end";
            return Err(Error::invalid(wanted, "password of", self.username.clone()));
        }
        Ok(())
    }
}

/// The text of a docker configuration with these credentials. It is a secret.
pub(crate) fn docker_config(credentials: &[RegistryCredential]) -> Result<Secret> {
    if credentials.is_empty() {
        return Err(Error::invalid(
            "expected at least one registry with a user name and a password",
            "credentials",
            "",
        ));
    }
    let (mut auths, mut seen) = (Map::new(), HashSet::new());
    for one in credentials {
        let key = one.key()?;
        one.check()?;
        if !seen.insert(key.clone()) {
            return Err(Error::invalid("expected each registry once", "registry", &*one.registry));
        }
        let (username, password) = (&one.username, one.password.secret());
        let auth = STANDARD.encode(format!("{username}:{password}"));
        auths.insert(key, json!({ "username": username, "password": password, "auth": auth }));
    }
    Ok(Secret::from(json!({ "auths": auths }).to_string()))
}

/// The registries of a docker configuration, and their user names.
pub(crate) fn entries(config: &str) -> Vec<(String, String)> {
    let config: Value = serde_json::from_str(config).unwrap_or_default();
    let auths = config["auths"].as_object().cloned().unwrap_or_default();
    auths.into_iter().map(|(key, entry)| (key, user(&entry))).collect()
}

/// Kubelet prefers `auth` to the two other fields.
fn user(entry: &Value) -> String {
    let decoded = entry["auth"].as_str().and_then(|auth| STANDARD.decode(auth).ok());
    let pair = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let of_pair = pair.as_deref().and_then(|pair| pair.split_once(':')).map(|(user, _)| user.to_owned());
    of_pair.or_else(|| entry["username"].as_str().map(str::to_owned)).unwrap_or_default()
}

/// Whether two docker configurations give the same credentials for the same registries.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().map(|config| pairs(&config));
    matches!((read(one), read(other)), (Some(one), Some(other)) if one == other)
}

fn pairs(config: &Value) -> Vec<(String, String)> {
    let auths = config["auths"].as_object().cloned().unwrap_or_default();
    let pair = |entry: &Value| {
        let auth = entry["auth"].as_str().filter(|auth| !auth.is_empty()).map(str::to_owned);
        let plain = || {
            let field = |name: &str| entry[name].as_str().unwrap_or_default();
            STANDARD.encode(format!("{}:{}", field("username"), field("password")))
        };
        auth.unwrap_or_else(plain)
    };
    auths.iter().map(|(key, entry)| (key.clone(), pair(entry))).collect()
}

/// Whether kubelet uses a credential with this key for an image: `Lookup` in
/// [keyring.go](https://github.com/kubernetes/kubernetes/blob/v1.33.3/pkg/credentialprovider/keyring.go).
pub(crate) fn serves(key: &str, image: &ImageReference) -> bool {
    let bare = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let is_hub = image.registry() == "docker.io" && host == "index.docker.io" && matches!(path, "" | "v1/" | "v2/");
    is_hub || (is_like(host, image.registry()) && image.repository().starts_with(path))
}

/// Each label of a host may have a `*`; the number of labels and the port are the same.
fn is_like(pattern: &str, host: &str) -> bool {
    let split = |text: &str| -> (Vec<String>, Option<String>) {
        let (name, port) = text.rsplit_once(':').map_or((text, None), |(name, port)| (name, Some(port.to_owned())));
        (name.split('.').map(str::to_owned).collect(), port)
    };
    let ((patterns, port), (labels, other)) = (split(pattern), split(host));
    port == other
        && patterns.len() == labels.len()
        && patterns.iter().zip(&labels).all(|(pattern, label)| match pattern.split_once('*') {
            Some((begin, end)) => {
                label.len() >= begin.len() + end.len() && label.starts_with(begin) && label.ends_with(end)
            }
            None => pattern == label,
        })
}

/// What a cluster has of a pull secret, and of the service accounts that should use it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullSecretState {
    /// The secret of that name, if it exists.
    pub secret: Option<ExistingSecret>,
    /// The service accounts, in the order in which they were asked for.
    pub service_accounts: Vec<ServiceAccountState>,
}

/// A secret of a cluster. `Debug` does not show its content.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExistingSecret {
    /// Its type, such as `kubernetes.io/dockerconfigjson`.
    pub secret_type: String,
    /// Whether Kubernetes rejects every change.
    pub is_immutable: bool,
    /// Its docker configuration, if it has one.
    pub docker_config: Option<Secret>,
    /// The field managers that own its docker configuration, except this library.
    pub other_managers: Vec<String>,
}

impl ExistingSecret {
    /// A pull secret with this docker configuration.
    #[must_use]
    pub fn new(docker_config: Secret) -> Self {
        Self {
            secret_type: DOCKER_CONFIG.to_owned(),
            is_immutable: false,
            docker_config: Some(docker_config),
            other_managers: Vec::new(),
        }
    }
}

/// A service account of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceAccountState {
    /// Its name.
    pub name: String,
    /// Whether it exists.
    pub exists: bool,
    /// Whether its `imagePullSecrets` name the secret.
    pub is_linked: bool,
}

impl ServiceAccountState {
    /// A service account of this name.
    #[must_use]
    pub fn new(name: impl Into<String>, exists: bool, is_linked: bool) -> Self {
        Self { name: name.into(), exists, is_linked }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(registry: &str) -> RegistryCredential {
        RegistryCredential::new(registry, "robot", Secret::new("hidden-word"))
    }

    #[test]
    fn every_spelling_of_docker_hub_becomes_its_usual_key() {
        for text in ["docker.io", "Docker.io/", "index.docker.io", "https://index.docker.io/v1/", "https://docker.io"] {
            assert_eq!(credential(text).key().unwrap(), HUB_KEY, "{text}");
        }
        for (text, key) in [
            ("ghcr.io", "ghcr.io"),
            ("https://GHCR.io/v2/", "ghcr.io"),
            ("host.example:5000/team", "host.example:5000/team"),
            ("*.azurecr.io", "*.azurecr.io"),
        ] {
            assert_eq!(credential(text).key().unwrap(), key, "{text}");
        }
        for text in ["", "https://", "gh cr.io", "user@ghcr.io", "ghcr.io/../x", "ghcr.io?x", "ftp:// x"] {
            assert!(credential(text).key().is_err(), "{text}");
        }
    }

    #[test]
    fn what_kubelet_could_not_read_back_is_rejected_without_the_password() {
        for (user, password) in [("a:b", "hidden-word"), ("", "hidden-word"), ("a", "hidden-word\n"), ("a", "")] {
            let one = RegistryCredential::new("ghcr.io", user, Secret::new(password));
            let err = docker_config(&[one]).unwrap_err();
            assert!(!format!("{err:#} {err:?}").contains("hidden-word"), "{err:#}");
        }
        assert!(docker_config(&[]).is_err());
        assert!(docker_config(&[credential("docker.io"), credential("https://index.docker.io/v1/")]).is_err());
    }

    #[test]
    fn a_configuration_is_read_back() {
        let config = docker_config(&[credential("ghcr.io"), credential("docker.io")]).unwrap();
        let users = |key: &str| (key.to_owned(), "robot".to_owned());
        assert_eq!(entries(config.secret()), [users("ghcr.io"), users(HUB_KEY)]);
        // `kubectl create secret docker-registry` writes an email too.
        let of_kubectl = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"cm9ib3Q6aGlkZGVuLXdvcmQ=","email":"a@b"},
            "ghcr.io":{"username":"robot","password":"hidden-word"}}}"#;
        assert!(is_same(config.secret(), of_kubectl));
        assert!(!is_same(config.secret(), &of_kubectl.replace("hidden-word", "other")));
        assert!(!is_same(config.secret(), "no JSON"));
    }

    #[test]
    fn a_credential_serves_the_images_that_kubelet_uses_it_for() {
        for (key, image, wanted) in [
            (HUB_KEY, "nginx", true),
            ("docker.io", "nginx", true),
            ("registry-1.docker.io", "nginx", false),
            ("hub.docker.com", "nginx", false),
            (HUB_KEY, "ghcr.io/a/b", false),
            ("ghcr.io", "ghcr.io/a/b:1", true),
            ("ghcr.io/a", "ghcr.io/a/b:1", true),
            ("ghcr.io/c", "ghcr.io/a/b:1", false),
            ("host.example", "host.example:5000/a", false),
            ("host.example:5000", "host.example:5000/a", true),
            ("*.azurecr.io", "myregistry.azurecr.io/a", true),
            ("*.azurecr.io", "a.b.azurecr.io/a", false),
        ] {
            assert_eq!(serves(key, &ImageReference::parse(image).unwrap()), wanted, "{key} for {image}");
        }
    }
}
