//! What an image pull secret would not do: pure functions over what it contains.

use crate::{
    cloud::Cloud,
    cluster::{RegistryCredential, pull_secret::serves},
    error::{Result, words},
    image::ImageReference,
    quoted::Complete,
    registry::expiry,
    stored_time,
};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    time::{Duration, SystemTime},
};

/// A token that expires within this time will not be valid when a node is replaced or a pod is rescheduled.
const SHORT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The kind of a warning about an image pull secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullSecretWarningKind {
    /// The password is a token that has expired.
    Expired,
    /// The password is a token that expires within 7 days. A refresh token of an Azure registry is valid for about 3 hours.
    ShortLived,
    /// No registry of the secret serves an image that it is for.
    WrongHost,
    /// The registry is an Azure registry. Nodes try the secret before the cluster's own identity.
    ShadowsIdentity,
}

words!(
    PullSecretWarningKind, "kind":
    Expired => "expired",
    ShortLived => "short_lived",
    WrongHost => "wrong_host",
    ShadowsIdentity => "shadows_identity",
);

/// A warning about an image pull secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullSecretWarning {
    /// The kind of the warning.
    pub kind: PullSecretWarningKind,
    /// The registry in the secret, or the image that no registry serves.
    pub subject: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl fmt::Display for PullSecretWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Complete(&self.subject), Complete(&self.message))
    }
}

/// The warnings about credentials, each with its registry's key.
pub(super) fn of_credentials(
    credentials: &[RegistryCredential],
    cloud: &Cloud,
    now: SystemTime,
) -> Result<Vec<PullSecretWarning>> {
    let mut warnings = Vec::new();
    for one in credentials {
        let key = one.key()?;
        let mut warn = |kind, message| warnings.push(PullSecretWarning { kind, subject: key.clone(), message });
        let expires = expiry(one.password.secret());
        let is_expired = expires.is_some_and(|at| at <= now);
        if let Some(at) = expires.filter(|_| is_expired) {
            let message = format!("the password expired at {}; get a new one", stored_time::text(at));
            warn(PullSecretWarningKind::Expired, message);
        } else if let Some(at) = expires.filter(|at| at.duration_since(now).is_ok_and(|left| left < SHORT)) {
            let message = format!(
                "the password expires at {}; pods that start later cannot pull with it, so renew the secret before",
                stored_time::text(at)
            );
            warn(PullSecretWarningKind::ShortLived, message);
        }
        if cloud.has_registry(key.split('/').next().unwrap_or_default()) {
            let state = if is_expired { "this expired secret" } else { "the secret" };
            let message = format!(
                "nodes try {state} before the kubelet identity, so every pull first fails once it is invalid, and a missing grant stays \
                 unnoticed while it is valid; attach the registry to the cluster instead"
            );
            warn(PullSecretWarningKind::ShadowsIdentity, message);
        }
    }
    Ok(warnings)
}

/// The warnings about images that no key serves.
pub(super) fn of_images(keys: &[String], images: &[ImageReference]) -> Vec<PullSecretWarning> {
    let unserved = images.iter().filter(|image| !keys.iter().any(|key| serves(key, image)));
    unserved
        .map(|image| PullSecretWarning {
            kind: PullSecretWarningKind::WrongHost,
            subject: image.to_string(),
            message: format!(
                "no registry of the secret serves this image, whose host is {}; the secret has {}",
                image.registry(),
                keys.join(", ")
            ),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use PullSecretWarningKind::{Expired, ShadowsIdentity, ShortLived};
    use azure_core::credentials::Secret;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    fn kinds(registry: &str, password: &str) -> Vec<PullSecretWarningKind> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let one = RegistryCredential::new(registry, "robot", Secret::new(password.to_owned()));
        let warnings = of_credentials(&[one], &Cloud::public(), now).unwrap();
        assert!(warnings.iter().all(|one| !one.to_string().contains(password)));
        warnings.into_iter().map(|one| one.kind).collect()
    }

    #[test]
    fn an_expired_token_that_shadows_the_identity_is_named() {
        let token = |exp: u64| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(format!("{{\"exp\":{exp}}}")));
        assert_eq!(kinds("myregistry.azurecr.io", &token(999_999)), [Expired, ShadowsIdentity]);
        assert_eq!(kinds("myregistry.azurecr.io", &token(1_010_000)), [ShortLived, ShadowsIdentity]);
        assert_eq!(kinds("myregistry.azurecr.io", "plain-password"), [ShadowsIdentity]);
        assert_eq!(kinds("ghcr.io", &token(9_000_000)), []);
        assert_eq!(kinds("ghcr.io", &token(1_000_000)), [Expired]);
    }
}
