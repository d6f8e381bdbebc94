//! Whether a pull that a registry refused can still succeed, according to the role assignments at that registry.

use super::options::RolloutOptions;
use crate::{
    call::Call,
    cluster::ClusterRef,
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
    image::ImageReference,
    inventory::Search,
    operation::{
        Parts,
        attach::{GrantCheck, check_grant},
    },
    pull::PullFailure,
};

/// The result for a refused pull.
pub(super) struct Verdict {
    /// Whether waiting cannot help.
    pub is_final: bool,
    /// The step to wait in, otherwise.
    pub step: String,
    /// What the error says in addition.
    facts: Vec<(&'static str, String)>,
}

const HINT: &str = "hint";
const NOT_CHECKED: &str = "grants not checked";
const ATTACH: &str = "attach the registry to the cluster";
const WAIT: &str = "waiting until the registry accepts the nodes";

impl Verdict {
    /// Adds what is known of the grants to an error of the wait.
    pub fn explain(&self, err: Error) -> Error {
        self.facts.iter().fold(err, |err, (name, value)| err.with_context(name, value.clone()))
    }

    fn of(check: GrantCheck) -> Self {
        match check {
            GrantCheck::Exists => {
                Self::wait("waiting until the role assignment, which exists, is effective", Vec::new())
            }
            GrantCheck::ThroughGroup(group) => {
                let step = format!("waiting until access through {group}, is effective");
                let hint = "nodes keep a token with the memberships at its issue for up to a day; attach with \
                    on_inherited_grant=grant_directly to be independent of groups";
                Self::wait(step, vec![("access", format!("through {group}")), (HINT, hint.to_owned())])
            }
            GrantCheck::PerhapsThroughGroup(text) => {
                let hint = "add the identity to the group, or attach the registry to the cluster";
                Self::wait(format!("{WAIT}: {text}"), vec![("access", text), (HINT, hint.to_owned())])
            }
            GrantCheck::Missing(missing) => {
                let facts = vec![("missing grant", missing), (HINT, ATTACH.to_owned())];
                Self { is_final: true, step: String::new(), facts }
            }
            GrantCheck::NotListedYet(missing) => {
                let step = format!("{WAIT}: Azure does not list {missing} (yet)");
                Self::wait(step, vec![("grant not listed yet", missing), (HINT, ATTACH.to_owned())])
            }
            GrantCheck::NotChecked(why) => Self::not_checked(why, None),
        }
    }

    fn wait(step: impl Into<String>, facts: Vec<(&'static str, String)>) -> Self {
        Self { is_final: false, step: step.into(), facts }
    }

    fn not_checked(why: String, hint: Option<&str>) -> Self {
        let step = format!("{WAIT}; its role assignments were not checked: {why}");
        Self::wait(step, std::iter::once((NOT_CHECKED, why)).chain(hint.map(|hint| (HINT, hint.to_owned()))).collect())
    }
}

/// Finds the registry that refused the pull, in any subscription, and reads its role assignments.
pub(super) async fn judge(
    parts: &Parts,
    cluster: &ClusterRef,
    failure: &PullFailure,
    options: &RolloutOptions,
    call: &Call,
) -> Result<Verdict> {
    let Some(host) = ImageReference::parse(&failure.image).ok().map(|image| image.registry().to_owned()) else {
        return Ok(Verdict::not_checked("the failed image names no registry".to_owned(), None));
    };
    match judge_at(parts, cluster, &host, options, call).await {
        Err(err) if matches!(err.kind(), ErrorKind::Cancelled | ErrorKind::DeadlineExceeded) => Err(err),
        // The wait itself needs none of what failed here.
        Err(err) => Ok(Verdict::not_checked(err.to_string(), None)),
        judged => judged,
    }
}

async fn judge_at(
    parts: &Parts,
    cluster: &ClusterRef,
    host: &str,
    options: &RolloutOptions,
    call: &Call,
) -> Result<Verdict> {
    if let Some(named) = &options.registry {
        let found = parts.find_registry(named, call).await?;
        if found.login_server.eq_ignore_ascii_case(host) {
            return Ok(Verdict::of(check_grant(parts, cluster, &found, call).await?));
        }
    }
    let is_limited = !options.subscriptions.is_empty();
    let search =
        Search::by_login_server(parts.inventory(), host, subscriptions(parts, cluster, options), is_limited, call)
            .await?;
    match search.found {
        Some(found) => Ok(Verdict::of(check_grant(parts, cluster, &found, call).await?)),
        None => Ok(not_found(host, &search.searched)),
    }
}

fn not_found(host: &str, searched: &[SubscriptionId]) -> Verdict {
    let names: Vec<String> = searched.iter().map(ToString::to_string).collect();
    let why = match names.as_slice() {
        [] => format!("{host} was not found: the caller lacks the permission to list registries in any subscription"),
        [one] => format!("{host} was not found in subscription {one}"),
        all => format!("{host} was not found in subscriptions {}", all.join(", ")),
    };
    let hint = "give the registry's resource ID as registry, or further subscriptions; if it is not attached, attach \
        it by its resource ID";
    Verdict::not_checked(why, Some(hint))
}

/// The client's, the cluster's and the named subscriptions, each once.
fn subscriptions(parts: &Parts, cluster: &ClusterRef, options: &RolloutOptions) -> Vec<SubscriptionId> {
    let own = [Some(parts.subscription_id()), cluster.subscription()];
    let mut all = Vec::new();
    for one in own.into_iter().flatten().chain(options.subscriptions.iter().copied()) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}
