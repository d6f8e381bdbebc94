//! A registry outside of Azure, as it stands in a scene.

use serde::{Deserialize, Serialize};

use super::ServeError;
use crate::upstream_seed::{Asks, UpstreamSeed};

/// A registry outside of Azure.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Outside {
    host: String,
    /// Who may pull; everyone if it is empty.
    #[serde(default)]
    users: Vec<User>,
    /// `none`, `token`, `password`, `both` or `bothApart`.
    challenge: Option<String>,
    /// The token endpoint that it names.
    realm: Option<String>,
    /// The digest that it reports for each manifest; `none` reports no digest.
    digest: Option<String>,
    /// The host that it redirects manifest requests to.
    moved_to: Option<String>,
    /// Whether it has no referrers API.
    #[serde(default)]
    without_referrers: bool,
    /// Whether it throttles registries that fetch images from it without credentials.
    #[serde(default)]
    throttles_anonymous: bool,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct User {
    name: String,
    password: String,
}

impl Outside {
    pub(super) fn seed(self) -> Result<UpstreamSeed, ServeError> {
        let mut seed = UpstreamSeed::new(&self.host);
        seed = self.users.iter().fold(seed, |seed, user| seed.user(&user.name, &user.password));
        if let Some(word) = &self.challenge {
            let how = Asks::named(word);
            let wanted = "must be none, token, password, both or bothApart";
            seed = seed.asks(how.ok_or_else(|| ServeError::new(format!("challenge of {}: {wanted}", self.host)))?);
        }
        seed = self.realm.iter().fold(seed, |seed, realm| seed.realm(realm));
        seed = match self.digest.as_deref() {
            None => seed,
            Some("none") => seed.without_digest(),
            Some(text) => seed.digest(text),
        };
        if self.without_referrers {
            seed = seed.without_referrers();
        }
        if self.throttles_anonymous {
            seed = seed.throttles_anonymous();
        }
        Ok(self.moved_to.iter().fold(seed, |seed, host| seed.moved_to(host)))
    }
}
