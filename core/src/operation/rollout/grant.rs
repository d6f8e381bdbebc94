//! Whether a pull that a registry refused can still succeed, according to the role assignments at that registry.

use super::options::{OnMissingGrant, RolloutOptions};
use crate::{
    call::Call,
    cluster::{ClusterRef, ObservedNode},
    diagnosis::{
        catalogue::{FindingId, PullRetry},
        nodes::node_image_upgrade,
        text::{PullFailure, PullFinding},
    },
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
    image::ImageReference,
    inventory::Search,
    operation::{
        Parts,
        attach::{GrantCheck, check_grant},
    },
};

/// The result for a refused pull.
pub(super) struct Verdict {
    /// The finding, if waiting cannot help.
    finding: Option<PullFinding>,
    /// The finding if a wait ends without success. `None`: that of the kubelet's message.
    waited_for: Option<PullFinding>,
    /// The step that is reported while waiting.
    pub step: String,
    /// What the error says in addition.
    facts: Vec<(&'static str, String)>,
}

pub(super) const HINT: &str = "hint";
const NOT_CHECKED: &str = "grants not checked";
pub(super) const WAIT: &str = "waiting until the registry accepts the nodes";

impl Verdict {
    /// Whether waiting cannot help.
    pub fn is_final(&self) -> bool {
        self.finding.is_some()
    }

    /// Adds what is known about the grants to an error during the wait.
    pub fn explain(&self, err: Error) -> Error {
        let Some(failure) = err.pull_failure().filter(|failure| failure.finding.depends_on_grants()).cloned() else {
            return err;
        };
        let err = self.facts.iter().fold(err, |err, (name, value)| err.with_context(name, value.clone()));
        let is_refused_for_long = err.kind() == ErrorKind::PullFailed && failure.finding.id == FindingId::NO_CREDENTIAL;
        let is_meant = |finding: &PullFinding| finding.id != FindingId::GRANT_NOT_EFFECTIVE_YET || !is_refused_for_long;
        let waited_for = self.waited_for.clone().filter(is_meant);
        let Some(finding) = self.finding.clone().or(waited_for) else { return err };
        let finding = PullFinding { host: failure.finding.host.clone(), ..finding };
        let err = if err.kind() == ErrorKind::PullFailed { err.saying(finding.to_string()) } else { err };
        err.with_pull_failure(PullFailure { finding, ..failure })
    }

    fn of(check: GrantCheck, on_missing: OnMissingGrant, is_mode_new: bool) -> Self {
        match check {
            GrantCheck::Exists if is_mode_new => {
                let hint = "the registry's mode was changed within the last hour; nodes fetch a new credential within an hour of \
                    the change, or when they are reimaged";
                let facts = vec![("grant", "exists".to_owned()), (HINT, hint.to_owned())];
                let step = "waiting until the nodes fetch a new credential: the registry's mode was changed";
                Self::wait(step, Some(FindingId::CREDENTIALS_INVALIDATED), facts)
            }
            GrantCheck::Exists => {
                let hint = "it may take minutes, and up to an hour on nodes that have cached a credential; if it stays, check \
                    the kubelet identity of the nodes";
                let facts = vec![("grant", "exists".to_owned()), (HINT, hint.to_owned())];
                let step = "waiting until the role assignment, which exists, is effective";
                Self::wait(step, Some(FindingId::GRANT_NOT_EFFECTIVE_YET), facts)
            }
            GrantCheck::Conditional(condition) => {
                let hint = "check that the condition of the role assignment includes the repository; a new grant may take minutes \
                    to be effective";
                let facts = vec![("condition", condition), (HINT, hint.to_owned())];
                Self::wait("waiting until the role assignment, which has a condition, allows the pull", None, facts)
            }
            GrantCheck::ThroughGroup(group) => {
                let step = format!("waiting until access through {group}, is effective");
                let hint = "nodes keep a token with the memberships at its issue for up to a day; attach with \
                    on_inherited_grant=grant_directly to be independent of groups";
                let facts = vec![("access", format!("through {group}")), (HINT, hint.to_owned())];
                Self::wait(step, Some(FindingId::GRANT_THROUGH_GROUP), facts)
            }
            GrantCheck::PerhapsThroughGroup(text) => {
                let hint = "add the identity to the group, or attach the registry to the cluster";
                let facts = vec![("access", text.clone()), (HINT, hint.to_owned())];
                Self::wait(format!("{WAIT}: {text}"), None, facts)
            }
            GrantCheck::Missing(missing) if on_missing == OnMissingGrant::Wait => {
                let (text, finding) = (missing.text(), missing.finding());
                let step = format!("{WAIT}: {text} is missing");
                let facts = vec![("missing grant", text), (HINT, finding.next_step.to_string())];
                let waited_for = PullFinding { retry: PullRetry::AfterGrant, ..finding };
                Self { waited_for: Some(waited_for), ..Self::wait(step, None, facts) }
            }
            GrantCheck::Missing(missing) => Self::ended(missing.finding(), Some(("missing grant", missing.text()))),
            GrantCheck::NoIdentity => Self::ended(PullFinding::of(FindingId::IDENTITY_MISSING), None),
            GrantCheck::NotListedYet(missing) => {
                let (text, finding) = (missing.text(), missing.finding());
                let step = format!("{WAIT}: Azure does not list {text} (yet)");
                let facts = vec![("grant not listed yet", text), (HINT, finding.next_step.to_string())];
                Self::wait(step, Some(FindingId::GRANT_MISSING), facts)
            }
            GrantCheck::NotChecked(why) => Self::not_checked(why, None),
        }
    }

    fn ended(finding: PullFinding, fact: Option<(&'static str, String)>) -> Self {
        let hint = (HINT, finding.next_step.to_string());
        let facts = fact.into_iter().chain(std::iter::once(hint)).collect();
        Self { finding: Some(finding), waited_for: None, step: String::new(), facts }
    }

    pub fn wait(step: impl Into<String>, waited_for: Option<FindingId>, facts: Vec<(&'static str, String)>) -> Self {
        Self { finding: None, waited_for: waited_for.map(PullFinding::of), step: step.into(), facts }
    }

    fn not_checked(why: String, hint: Option<&str>) -> Self {
        let step = format!("{WAIT}; its role assignments were not checked: {why}");
        let facts = std::iter::once((NOT_CHECKED, why)).chain(hint.map(|hint| (HINT, hint.to_owned())));
        Self::wait(step, None, facts.collect())
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
    match judge_at(parts, cluster, (&host, failure), options, call).await {
        Err(err) if matches!(err.kind(), ErrorKind::Cancelled | ErrorKind::DeadlineExceeded) => Err(err),
        // The wait itself needs none of what failed here.
        Err(err) => Ok(Verdict::not_checked(err.to_string(), None)),
        judged => judged,
    }
}

async fn judge_at(
    parts: &Parts,
    cluster: &ClusterRef,
    (host, failure): (&str, &PullFailure),
    options: &RolloutOptions,
    call: &Call,
) -> Result<Verdict> {
    let search = find_registry(parts, cluster, host, options, call).await?;
    match search.found {
        Some(found) => {
            let check = check_grant(parts, cluster, &found, call).await?;
            if check == GrantCheck::Exists
                && failure.finding.id == FindingId::NO_CREDENTIAL
                && let Some(outdated) = outdated_nodes(parts, cluster, call).await?
            {
                return Ok(Verdict::ended(outdated, None));
            }
            Ok(Verdict::of(check, options.missing_grant, parts.recent_mode_changes.has(&found.id, parts.time())))
        }
        None => Ok(not_found(host, &search.searched)),
    }
}

/// That every node pulls with another identity than the cluster's, which has the grant: no grant becomes effective there. `None` if that is
/// not so, or not known.
async fn outdated_nodes(parts: &Parts, cluster: &ClusterRef, call: &Call) -> Result<Option<PullFinding>> {
    let nodes = match parts.cluster_deployer().nodes(cluster, None, call).await {
        Err(err) if matches!(err.kind(), ErrorKind::Cancelled | ErrorKind::DeadlineExceeded) => return Err(err),
        Err(_) => return Ok(None),
        Ok(nodes) => nodes,
    };
    let identities = parts.identity_resolver().identities(cluster, call).await?;
    let Some(wanted) = identities.kubelet.as_ref().and_then(|kubelet| kubelet.client_id.as_deref()) else {
        return Ok(None);
    };
    let is_outdated = |node: &ObservedNode| {
        node.identity_client_id.as_deref().is_some_and(|found| !found.eq_ignore_ascii_case(wanted))
    };
    let Some(first) = nodes.first().filter(|_| nodes.iter().all(is_outdated)) else { return Ok(None) };
    let mut finding = PullFinding::of(FindingId::NODES_OUTDATED);
    if let Some(pool) = &first.pool {
        finding.next_step.command = node_image_upgrade(&identities.cluster, pool).into_line();
    }
    Ok(Some(finding))
}

/// Finds a registry by its host: the one that the caller names, or one in the subscriptions to search.
pub(super) async fn find_registry(
    parts: &Parts,
    cluster: &ClusterRef,
    host: &str,
    options: &RolloutOptions,
    call: &Call,
) -> Result<Search> {
    if let Some(named) = &options.registry {
        let found = parts.find_registry(named, call).await?;
        if found.login_server.eq_ignore_ascii_case(host) {
            return Ok(Search { found: Some(found), searched: Vec::new() });
        }
    }
    let is_limited = !options.subscriptions.is_empty();
    let subscriptions = subscriptions(parts, cluster, options);
    Search::by_login_server(parts.inventory(), host, subscriptions, is_limited, call).await
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
