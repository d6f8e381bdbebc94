//! Image pull secrets: what a `kubernetes.io/dockerconfigjson` says about a registry.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Credential, Image};

/// A credential of a pod, and the secret that it is from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct PullSecret {
    /// Namespace, name and UID.
    secret: [String; 3],
    pub(crate) credential: Credential,
}

impl PullSecret {
    /// A credential of a secret that has the user's name.
    #[cfg(test)]
    pub(crate) fn of(credential: Credential) -> Self {
        Self { secret: [String::new(), credential.username.clone(), String::new()], credential }
    }

    /// Whether it is from the same secret, whatever that says by now, or says the same.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.secret == other.secret || self.credential == other.credential
    }
}

/// The credentials that secrets (as the API server keeps them) hold for an image's registry, in the order in which kubelet tries them: the
/// more specific keys first, whatever secret they are in. `BasicDockerKeyring` in
/// [keyring.go](https://github.com/kubernetes/kubernetes/blob/v1.33.3/pkg/credentialprovider/keyring.go).
pub(crate) fn credentials_for(image: &Image, secrets: &[Value]) -> Vec<PullSecret> {
    let mut ring: BTreeMap<String, Vec<PullSecret>> = BTreeMap::new();
    for secret in secrets {
        let name = |field: &str| secret["metadata"][field].as_str().unwrap_or_default().to_owned();
        for (server, entry) in entries(secret) {
            if let Some(credential) = credential(&entry) {
                let of_secret = PullSecret { secret: [name("namespace"), name("name"), name("uid")], credential };
                ring.entry(key(&server)).or_default().push(of_secret);
            }
        }
    }
    let found: Vec<PullSecret> =
        ring.iter().rev().filter(|(key, _)| serves(key, image)).flat_map(|(_, all)| all.clone()).collect();
    if found.is_empty() && image.host() == "docker.io" {
        return ring.remove("index.docker.io").unwrap_or_default();
    }
    found
}

/// Servers and what is said of each. Secrets of another type say nothing.
fn entries(secret: &Value) -> Vec<(String, Value)> {
    let data = |key: &str| -> Option<Value> {
        let encoded = secret.get("data")?.get(key)?.as_str()?;
        serde_json::from_slice(&STANDARD.decode(encoded).ok()?).ok()
    };
    let auths = match secret["type"].as_str() {
        Some("kubernetes.io/dockerconfigjson") => data(".dockerconfigjson").map(|mut config| config["auths"].take()),
        Some("kubernetes.io/dockercfg") => data(".dockercfg"),
        _ => None,
    };
    auths
        .as_ref()
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(key, one)| (key.clone(), one.clone()))
        .collect()
}

/// A server is a host or a URL, and may go on with a path. `/v1/` and `/v2/` name a version of the protocol, and only with their last slash.
fn key(server: &str) -> String {
    let bare = server.strip_prefix("https://").or_else(|| server.strip_prefix("http://")).unwrap_or(server);
    let (host, path) = bare.find('/').map_or((bare, ""), |at| bare.split_at(at));
    let path = if path.starts_with("/v1/") || path.starts_with("/v2/") { &path[3..] } else { path };
    if path == "/" { host.to_owned() } else { format!("{host}{path}") }
}

/// Whether a key is for an image: the ports are the same, each label of the host may be a pattern, and the path begins the repository.
fn serves(key: &str, image: &Image) -> bool {
    let (host, path) = key.find('/').map_or((key, ""), |at| key.split_at(at));
    let split = |text: &str| {
        let (name, port) = text.rsplit_once(':').unwrap_or((text, ""));
        (name.split('.').map(str::to_owned).collect::<Vec<_>>(), port.to_owned())
    };
    let ((patterns, port), (labels, own_port)) = (split(host), split(image.host()));
    port == own_port
        && patterns.len() == labels.len()
        && format!("/{}", image.repository()).starts_with(path)
        && patterns.iter().zip(&labels).all(|(pattern, label)| fits(pattern, label))
}

/// A `*` stands for any letters of a label.
fn fits(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((begin, rest)) => label
            .strip_prefix(begin)
            .is_some_and(|left| (0..=left.len()).any(|at| left.is_char_boundary(at) && fits(rest, &left[at..]))),
    }
}

/// `auth` has precedence, as in `UnmarshalJSON` of `DockerConfigEntry` in config.go there.
fn credential(entry: &Value) -> Option<Credential> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(auth) = field("auth") else {
        let (username, password) = (field("username")?, field("password")?);
        return Some(Credential { username: username.to_owned(), password: password.to_owned() });
    };
    let pair = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (username, password) = pair.split_once(':')?;
    Some(Credential { username: username.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(auths: &Value) -> Value {
        let config = json!({"auths": auths});
        json!({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": STANDARD.encode(config.to_string())}})
    }

    fn users(image: &str, secrets: &[Value]) -> Vec<String> {
        let found = credentials_for(&Image::parse(image).unwrap(), secrets);
        found.into_iter().map(|one| one.credential.username).collect()
    }

    fn user(name: &str) -> Value {
        json!({"username": name, "password": "word"})
    }

    #[test]
    fn the_entry_of_the_images_host_is_used() {
        let auth = json!({"auth": STANDARD.encode("robot:word"), "username": "ignored", "password": "ignored"});
        let secret = secret(&json!({"other.example": user("a"), "r.azurecr.io": auth}));
        let found = credentials_for(&Image::parse("r.azurecr.io/app:1").unwrap(), &[secret]);
        let found: Vec<Credential> = found.into_iter().map(|one| one.credential).collect();
        assert_eq!(found, [Credential { username: "robot".into(), password: "word".into() }]);
    }

    #[test]
    fn docker_hub_is_known_by_its_old_address_if_no_other_key_fits() {
        let old = secret(&json!({"https://index.docker.io/v1/": user("old")}));
        assert_eq!(users("nginx", std::slice::from_ref(&old)), ["old"]);
        assert!(users("r.azurecr.io/nginx", std::slice::from_ref(&old)).is_empty());
        assert_eq!(users("nginx", &[old, secret(&json!({"docker.io": user("new")}))]), ["new"]);
        for wrong in ["https://index.docker.io/v1", "registry-1.docker.io", "hub.docker.com"] {
            assert!(users("nginx", &[secret(&json!({wrong: user("a")}))]).is_empty(), "{wrong}");
        }
    }

    #[test]
    fn specific_keys_come_first_whatever_secret_they_are_in() {
        let secrets = [
            secret(&json!({"q.example": user("all"), "*.example": user("any"), "q.example:5000": user("port")})),
            secret(
                &json!({"https://q.example/v2/": user("second"), "q.example/team": user("team"), "q.example/o": user("o")}),
            ),
        ];
        assert_eq!(users("q.example/team/app:1", &secrets), ["team", "all", "second", "any"]);
        assert_eq!(users("q.example:5000/team/app:1", &secrets), ["port"]);
        assert!(users("a.q.example/team/app:1", &secrets).is_empty());
    }

    #[test]
    fn only_secrets_for_pulls_are_read() {
        let mut of_another_type = secret(&json!({"q.example": user("a")}));
        of_another_type["type"] = json!("Opaque");
        let old = json!({"type": "kubernetes.io/dockercfg",
            "data": {".dockercfg": STANDARD.encode(json!({"q.example": user("old")}).to_string())}});
        assert_eq!(users("q.example/a", &[of_another_type, old]), ["old"]);
    }
}
