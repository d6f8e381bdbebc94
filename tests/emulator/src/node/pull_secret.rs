//! Image pull secrets: what a `kubernetes.io/dockerconfigjson` says about a registry.

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

/// The credentials that a secret (as the API server keeps it) holds for an image's registry.
pub(crate) fn credentials_for(image: &Image, secret: &Value) -> Vec<PullSecret> {
    let name = |field: &str| secret["metadata"][field].as_str().unwrap_or_default().to_owned();
    let from = [name("namespace"), name("name"), name("uid")];
    entries_for(image, secret).into_iter().map(|credential| PullSecret { secret: from.clone(), credential }).collect()
}

fn entries_for(image: &Image, secret: &Value) -> Vec<Credential> {
    let Some(auths) = docker_config(secret) else {
        return Vec::new();
    };
    let Some(auths) = auths.get("auths").and_then(Value::as_object) else {
        return Vec::new();
    };
    auths.iter().filter(|(server, _)| serves(server, image)).filter_map(|(_, entry)| credential(entry)).collect()
}

fn docker_config(secret: &Value) -> Option<Value> {
    let encoded = secret.get("data")?.get(".dockerconfigjson")?.as_str()?;
    serde_json::from_slice(&STANDARD.decode(encoded).ok()?).ok()
}

/// A key may be a host or a URL, and may go on with a path that the repository must start with.
fn serves(server: &str, image: &Image) -> bool {
    let bare = server.trim_start_matches("https://").trim_start_matches("http://");
    let (host, path) = bare.split_once('/').unwrap_or((bare, ""));
    let path = path.trim_end_matches('/');
    // `v1` and `v2` at the end of a key name a version of the protocol, not a repository.
    let path = if matches!(path, "v1" | "v2") { "" } else { path };
    let host = if host == "index.docker.io" { "docker.io" } else { host };
    host == image.host() && image.repository().starts_with(path)
}

fn credential(entry: &Value) -> Option<Credential> {
    let field = |name: &str| entry.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if let (Some(username), Some(password)) = (field("username"), field("password")) {
        return Some(Credential { username: username.to_owned(), password: password.to_owned() });
    }
    let pair = String::from_utf8(STANDARD.decode(field("auth")?).ok()?).ok()?;
    let (username, password) = pair.split_once(':')?;
    Some(Credential { username: username.to_owned(), password: password.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn secret(config: &Value) -> Value {
        json!({"data": {".dockerconfigjson": STANDARD.encode(config.to_string())}})
    }

    #[test]
    fn the_entry_of_the_images_host_is_used() {
        let secret = secret(&json!({"auths": {
            "other.example": {"username": "a", "password": "b"},
            "r.azurecr.io": {"auth": STANDARD.encode("robot:word")},
        }}));
        let found = entries_for(&Image::parse("r.azurecr.io/app:1").unwrap(), &secret);
        assert_eq!(found, [Credential { username: "robot".into(), password: "word".into() }]);
    }

    #[test]
    fn docker_hub_is_known_by_its_old_address() {
        let secret = secret(&json!({"auths": {"https://index.docker.io/v1/": {"username": "u", "password": "p"}}}));
        assert_eq!(credentials_for(&Image::parse("nginx").unwrap(), &secret).len(), 1);
        assert!(credentials_for(&Image::parse("r.azurecr.io/nginx").unwrap(), &secret).is_empty());
    }
}
