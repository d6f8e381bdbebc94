//! An image pull secret: planned, written, and linked to service accounts.

mod check;
mod plan;

pub use check::{PullSecretWarning, PullSecretWarningKind};
pub use plan::{
    ApplyPullSecretOptions, PullSecretAction, PullSecretEntry, PullSecretLink, PullSecretOptions, PullSecretPlan,
};

use super::{
    Parts,
    attach::{GOOD_FOR, check_before, check_is_current},
    right::{RequiredRight, TALK},
    span::Outcome,
};
use crate::{
    call::Call,
    cluster::{
        ApplyOptions, ClusterRef, ExistingSecret, Manifest, PullSecretState, RegistryCredential,
        pull_secret::{DOCKER_CONFIG, DOCKER_CONFIG_KEY, docker_config, entries, is_same},
    },
    error::{Error, ErrorKind, Result, words},
    id::ResourceId,
    quoted::Complete,
};
use azure_core::credentials::Secret;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use plan::VERSION;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fmt, time::Duration};

pub(crate) const DEADLINE: Duration = Duration::from_secs(2 * 60);
pub(crate) const RIGHTS: &[RequiredRight] = &[TALK];

/// What applying a plan did to a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum PullSecretOutcome {
    /// It was created.
    Created,
    /// It existed, and its content was replaced.
    Updated,
    /// It existed with this content.
    Unchanged,
}

words!(PullSecretOutcome, "outcome": Created => "created", Updated => "updated", Unchanged => "unchanged");

/// An image pull secret of a cluster, without its passwords.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PullSecret {
    /// What was done to the secret.
    pub outcome: PullSecretOutcome,
    /// The cluster.
    pub cluster: ResourceId,
    /// The namespace.
    pub namespace: String,
    /// The name of the secret.
    pub name: String,
    /// The registries that it has.
    pub registries: Vec<PullSecretEntry>,
    /// The service accounts that use it.
    pub service_accounts: Vec<String>,
    /// Those of the service accounts that this call made to use it.
    pub linked: Vec<String>,
    /// What does not work, or not for long.
    pub warnings: Vec<PullSecretWarning>,
}

impl fmt::Display for PullSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in {}", self.outcome, Complete(&self.name), Complete(&self.namespace))?;
        if !self.linked.is_empty() {
            write!(f, ", added to {}", Complete(&self.linked.join(", ")))?;
        }
        Ok(())
    }
}

impl Outcome for PullSecret {
    fn outcome(&self) -> &'static str {
        self.outcome.as_str()
    }
}

pub(crate) async fn plan(
    parts: &Parts,
    cluster: &ClusterRef,
    name: &str,
    credentials: &[RegistryCredential],
    options: &PullSecretOptions,
    call: &Call,
) -> Result<PullSecretPlan> {
    let config = docker_config(credentials)?;
    check_name("name", name)?;
    check_name("namespace", &options.namespace)?;
    options.service_accounts.iter().try_for_each(|account| check_name("service account", account))?;
    let place = (options.namespace.as_str(), name);
    let state = parts.cluster_deployer().pull_secret(cluster, place, &options.service_accounts, call).await?;
    check_accounts(&state, &options.namespace)?;
    let action = decide(state.secret.as_ref(), &config, options.force).map_err(|err| named(err, place))?;
    let mut warnings = check::of_credentials(credentials, parts.cloud(), parts.time())?;
    let registries = entries_of(config.secret());
    let keys: Vec<String> = registries.iter().map(|one| one.registry.clone()).collect();
    warnings.extend(check::of_images(&keys, &options.images));
    let link = |one: crate::cluster::ServiceAccountState| PullSecretLink {
        service_account: one.name,
        is_linked: one.is_linked,
    };
    Ok(PullSecretPlan {
        version: VERSION,
        expires: parts.time() + GOOD_FOR,
        cluster: cluster.id(parts.subscription_id()),
        namespace: options.namespace.clone(),
        name: name.to_owned(),
        action,
        removed: removed(state.secret.as_ref(), &keys),
        registries,
        service_accounts: state.service_accounts.into_iter().map(link).collect(),
        other_managers: state.secret.map(|secret| secret.other_managers).unwrap_or_default(),
        warnings,
    })
}

pub(crate) async fn apply_plan(
    parts: &Parts,
    plan: &PullSecretPlan,
    credentials: &[RegistryCredential],
    call: &Call,
) -> Result<PullSecret> {
    check_before(parts, plan.version, VERSION, plan.expires)?;
    let config = docker_config(credentials)?;
    if entries_of(config.secret()) != plan.registries {
        let text = "the credentials are for other registries or users than the plan; make a new plan";
        return Err(Error::new(ErrorKind::InvalidInput, text).with_context("planned", plan.to_string()));
    }
    for (part, name) in [("name", &plan.name), ("namespace", &plan.namespace)] {
        check_name(part, name)?;
    }
    let accounts: Vec<String> = plan.service_accounts.iter().map(|one| one.service_account.clone()).collect();
    accounts.iter().try_for_each(|account| check_name("service account", account))?;
    let cluster: ClusterRef = plan.cluster.to_string().parse()?;
    let place = (plan.namespace.as_str(), plan.name.as_str());
    let state = parts.cluster_deployer().pull_secret(&cluster, place, &accounts, call).await?;
    check_is_current(plan.expires, parts.time())?;
    check_accounts(&state, &plan.namespace)?;
    let force = plan.action == PullSecretAction::TakeOver;
    let action = decide(state.secret.as_ref(), &config, force).map_err(|err| named(err, place))?;
    if action != PullSecretAction::Nothing && action != plan.action {
        let text = "the secret has changed since the plan was made; nothing was written; make a new plan";
        return Err(Error::new(ErrorKind::Conflict, text).with_context("planned", plan.to_string()));
    }
    let outcome = write_secret(parts, (plan, &cluster), (action, &config), call).await?;
    let mut linked = Vec::new();
    for account in state.service_accounts.iter().filter(|account| !account.is_linked) {
        if parts.cluster_deployer().link_pull_secret(&cluster, place, &account.name, call).await? {
            linked.push(account.name.clone());
        }
    }
    let mut warnings = check::of_credentials(credentials, parts.cloud(), parts.time())?;
    let of_images = plan.warnings.iter().filter(|one| one.kind == PullSecretWarningKind::WrongHost);
    warnings.extend(of_images.cloned());
    Ok(PullSecret {
        outcome,
        cluster: plan.cluster.clone(),
        namespace: plan.namespace.clone(),
        name: plan.name.clone(),
        registries: plan.registries.clone(),
        service_accounts: accounts,
        linked,
        warnings,
    })
}

/// Writes the secret by server-side apply.
async fn write_secret(
    parts: &Parts,
    (plan, cluster): (&PullSecretPlan, &ClusterRef),
    (action, config): (PullSecretAction, &Secret),
    call: &Call,
) -> Result<PullSecretOutcome> {
    if action == PullSecretAction::Nothing {
        return Ok(PullSecretOutcome::Unchanged);
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": { "name": plan.name, "namespace": plan.namespace },
        "type": DOCKER_CONFIG,
        // Not `stringData`: Kubernetes' documentation says that it does not work well with server-side apply (kubernetes/website#43668).
        "data": { DOCKER_CONFIG_KEY: STANDARD.encode(config.secret()) },
    });
    let manifests = Manifest::parse_all(&object.to_string())?;
    let options = ApplyOptions::default().with_force(action == PullSecretAction::TakeOver);
    let applied = parts.cluster_deployer().apply(cluster, &manifests, &options, call).await?;
    let is_new = applied.first().is_some_and(|one| one.is_new);
    Ok(if is_new { PullSecretOutcome::Created } else { PullSecretOutcome::Updated })
}

/// What has to be done to a secret, or why nothing may be.
fn decide(existing: Option<&ExistingSecret>, config: &Secret, force: bool) -> Result<PullSecretAction> {
    let Some(existing) = existing else { return Ok(PullSecretAction::Create) };
    let refused = |text: &str| Err(Error::new(ErrorKind::Conflict, text));
    if existing.secret_type != DOCKER_CONFIG {
        let text = "the secret has another type, which Kubernetes does not allow to change; use another name, or delete it first";
        return refused(text).map_err(|err| err.with_context("type", &existing.secret_type));
    }
    if existing.docker_config.as_ref().is_some_and(|one| is_same(one.secret(), config.secret())) {
        return Ok(PullSecretAction::Nothing);
    }
    if existing.is_immutable {
        return refused("the secret is immutable and has other content; use another name, or delete it first");
    }
    match (existing.other_managers.is_empty(), force) {
        (true, _) => Ok(PullSecretAction::Update),
        (false, true) => Ok(PullSecretAction::TakeOver),
        (false, false) => {
            let text = "another field manager owns the secret, which has other content; set `force` to replace it";
            refused(text).map_err(|err| err.with_context("field manager", existing.other_managers.join(", ")))
        }
    }
}

fn named(err: Error, (namespace, name): (&str, &str)) -> Error {
    err.with_context("secret", name).with_context("namespace", namespace)
}

/// Kubernetes creates the service account `default` itself.
fn check_accounts(state: &PullSecretState, namespace: &str) -> Result<()> {
    let missing = state.service_accounts.iter().find(|account| !account.exists && account.name != "default");
    let Some(missing) = missing else { return Ok(()) };
    let text = format!("no service account '{}' in namespace '{namespace}'; create it first", missing.name);
    Err(Error::new(ErrorKind::NotFound, text))
}

/// A name of an object, as Kubernetes allows it.
pub(crate) fn check_name(part: &'static str, name: &str) -> Result<()> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_allowed = |byte: u8| is_plain(byte) || matches!(byte, b'-' | b'.');
    let ends = name.bytes().next().is_some_and(is_plain) && name.bytes().last().is_some_and(is_plain);
    if ends && name.len() <= 253 && name.bytes().all(is_allowed) {
        return Ok(());
    }
    let wanted = "expected a Kubernetes name: lower-case letters, digits, '-' and '.'";
    Err(Error::invalid(wanted, part, name.escape_debug().to_string()))
}

fn entries_of(config: &str) -> Vec<PullSecretEntry> {
    entries(config).into_iter().map(|(registry, username)| PullSecretEntry { registry, username }).collect()
}

/// The registries of the existing secret that the new one does not have.
fn removed(existing: Option<&ExistingSecret>, keys: &[String]) -> Vec<PullSecretEntry> {
    let config = existing.and_then(|secret| secret.docker_config.as_ref());
    let all = config.map(|config| entries_of(config.secret())).unwrap_or_default();
    all.into_iter().filter(|one| !keys.contains(&one.registry)).collect()
}
