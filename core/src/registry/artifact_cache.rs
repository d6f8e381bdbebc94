//! What stands between a registry and other registries: cache rules with their credentials, and its own replicas.

use super::lookup::API;
use crate::{
    action::{READ_CACHE_RULES, READ_CREDENTIAL_SETS, READ_REPLICAS},
    call::Call,
    error::Result,
    http::{Arm, ArmRequest},
    id::ResourceId,
};
use futures::try_join;
use serde::{Deserialize, Serialize};

/// A rule that makes a registry fetch images from another registry when they are pulled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CacheRule {
    /// Its name.
    pub name: String,
    /// The repository upstream, such as `docker.io/library/nginx` or `docker.io/library/*`.
    pub source: String,
    /// The repository in the registry, such as `hub/nginx` or `hub/*`.
    pub target: String,
    /// The name of the credential set with which it signs in upstream; `None` if it does so anonymously.
    pub credential_set: Option<String>,
    /// Whether Azure could sign in with these credentials, such as `Healthy`, if Azure reports it.
    pub credential_health: Option<String>,
    /// Azure's code and message if it could not.
    pub credential_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRule {
    name: String,
    properties: WireRuleProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRuleProperties {
    source_repository: String,
    target_repository: String,
    credential_set_resource_id: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSet {
    id: String,
    properties: WireSetProperties,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireSetProperties {
    #[serde(default, deserialize_with = "crate::lenient::or_default")]
    auth_credentials: Vec<WireCredential>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireCredential {
    credential_health: Option<WireHealth>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireHealth {
    #[serde(default, deserialize_with = "crate::lenient::word")]
    status: Option<String>,
    #[serde(default, deserialize_with = "crate::lenient::word")]
    error_code: Option<String>,
    #[serde(default, deserialize_with = "crate::lenient::word")]
    error_message: Option<String>,
}

impl CacheRule {
    /// A rule without credentials.
    #[must_use]
    pub fn new(name: impl Into<String>, source: impl Into<String>, target: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            source: source.into(),
            target: target.into(),
            credential_set: None,
            credential_health: None,
            credential_error: None,
        }
    }

    /// The repository upstream from which it fetches a repository. `None` if the rule is for others.
    pub(crate) fn source_of(&self, repository: &str) -> Option<String> {
        match (self.source.strip_suffix('*'), self.target.strip_suffix('*')) {
            (Some(source), Some(target)) => {
                let rest = repository.strip_prefix(target.trim_start_matches('/'))?;
                Some(format!("{source}{rest}"))
            }
            _ => (self.target == repository).then(|| self.source.clone()),
        }
    }

    /// The rule that applies to a repository: one for it alone before one for many, and the longer of two. See [Wildcards in artifact
    /// cache](https://learn.microsoft.com/azure/container-registry/wildcards-artifact-cache).
    pub(crate) fn of_repository<'a>(rules: &'a [Self], repository: &str) -> Option<&'a Self> {
        let applies = rules.iter().filter(|rule| rule.source_of(repository).is_some());
        applies.max_by_key(|rule| (!rule.target.ends_with('*'), rule.target.len()))
    }

    /// Whether Azure could not sign in with its credentials.
    pub(crate) fn is_unhealthy(&self) -> bool {
        self.credential_health.as_deref().is_some_and(|health| health.eq_ignore_ascii_case("unhealthy"))
    }
}

/// See [Cache rules](https://learn.microsoft.com/rest/api/container-registry/cache-rules/list) and [Credential
/// sets](https://learn.microsoft.com/rest/api/container-registry/credential-sets/list).
pub(super) async fn rules(arm: &Arm, registry: &ResourceId, call: &Call) -> Result<Vec<CacheRule>> {
    let request = |part: &str, step: &str, action: &'static str| {
        ArmRequest::get(format!("{registry}/{part}"), API).step(step).needs(action, registry.as_str())
    };
    let rules = request("cacheRules", "listing the cache rules", READ_CACHE_RULES);
    let sets = request("credentialSets", "listing the credential sets", READ_CREDENTIAL_SETS);
    let (rules, sets) = try_join!(
        arm.list(rules, "a list of cache rules", call, |one: WireRule| Ok(Some(one.into_rule()))),
        arm.list(sets, "a list of credential sets", call, |one: WireSet| Ok(Some(one))),
    )?;
    Ok(rules.into_iter().map(|(rule, set)| with_health(rule, set.as_deref(), &sets)).collect())
}

impl WireRule {
    /// The rule, and the resource ID of its credential set.
    fn into_rule(self) -> (CacheRule, Option<String>) {
        let WireRuleProperties { source_repository, target_repository, credential_set_resource_id } = self.properties;
        let set = credential_set_resource_id.filter(|id| !id.is_empty());
        let rule = CacheRule {
            credential_set: set.as_deref().and_then(|id| id.rsplit('/').next()).map(str::to_owned),
            ..CacheRule::new(self.name, source_repository, target_repository)
        };
        (rule, set)
    }
}

/// A set is as healthy as its worst credential.
fn with_health(rule: CacheRule, set: Option<&str>, sets: &[WireSet]) -> CacheRule {
    let set = set.and_then(|id| sets.iter().find(|one| one.id.eq_ignore_ascii_case(id)));
    let health: Vec<&WireHealth> = set
        .into_iter()
        .flat_map(|set| &set.properties.auth_credentials)
        .filter_map(|one| one.credential_health.as_ref())
        .collect();
    let is_healthy =
        |one: &&&WireHealth| one.status.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("healthy"));
    let Some(worst) = health.iter().find(|one| !is_healthy(one)).or_else(|| health.first()) else { return rule };
    let error: Vec<&str> =
        [&worst.error_code, &worst.error_message].into_iter().flatten().map(String::as_str).collect();
    CacheRule {
        credential_health: worst.status.clone(),
        credential_error: (!error.is_empty()).then(|| error.join(": ")),
        ..rule
    }
}

/// The regions of a registry's replicas, its own among them. See
/// [Replications](https://learn.microsoft.com/rest/api/container-registry/replications/list).
pub(super) async fn replicas(arm: &Arm, registry: &ResourceId, call: &Call) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct WireReplica {
        location: String,
    }
    let request = ArmRequest::get(format!("{registry}/replications"), API)
        .step("listing the replicas")
        .needs(READ_REPLICAS, registry.as_str());
    arm.list(request, "a list of replicas", call, |one: WireReplica| Ok(Some(one.location))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_for_its_repositories() {
        let one = CacheRule::new("one", "docker.io/library/nginx", "hub/nginx");
        let many = CacheRule::new("many", "docker.io/library/*", "hub/*");
        let all = CacheRule::new("all", "mcr.microsoft.com/*", "/*");
        assert_eq!(one.source_of("hub/nginx").as_deref(), Some("docker.io/library/nginx"));
        assert_eq!(one.source_of("hub/nginx2"), None);
        assert_eq!(many.source_of("hub/redis").as_deref(), Some("docker.io/library/redis"));
        assert_eq!(all.source_of("dotnet/sdk").as_deref(), Some("mcr.microsoft.com/dotnet/sdk"));
        let rules = [all, many, one];
        let of = |repository: &str| CacheRule::of_repository(&rules, repository).map(|rule| rule.name.as_str());
        assert_eq!((of("hub/nginx"), of("hub/redis"), of("team/app")), (Some("one"), Some("many"), Some("all")));
        assert_eq!(CacheRule::of_repository(&[], "team/app"), None);
    }

    #[test]
    fn a_set_is_as_healthy_as_its_worst_credential() {
        let set = |status: &str| -> WireSet {
            let text = format!(
                r#"{{"id":"/r/credentialSets/Hub","properties":{{"authCredentials":[{{"credentialHealth":{{"status":"Healthy"}}}},
                    {{"credentialHealth":{{"status":"{status}","errorCode":"INVALID","errorMessage":"no"}}}}]}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let rule = || CacheRule::new("hub", "docker.io/*", "hub/*");
        let read = |status: &str| with_health(rule(), Some("/R/credentialsets/hub"), &[set(status)]);
        assert!(read("Unhealthy").is_unhealthy() && !read("Healthy").is_unhealthy());
        assert_eq!(read("Unhealthy").credential_error.as_deref(), Some("INVALID: no"));
        assert!(!with_health(rule(), None, &[set("Unhealthy")]).is_unhealthy());
    }
}
