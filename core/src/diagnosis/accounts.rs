//! Nodes that pull as the service accounts of pods: which identity that is.

use super::{
    authorization::authorization,
    catalogue::FindingId,
    command::Command,
    facts::{AccountFacts, Facts, Unread},
    finding::{Finding, Need},
    outcome::Outcome,
    stage::PullStage,
};
use crate::{cluster::PULL_IDENTITY, id::PrincipalId, inventory::BoundIdentity};

const PROFILE: &str = "securityProfile.serviceAccountImagePullProfile";

/// What the nodes pull with for the pods that are judged.
#[derive(Debug)]
pub(crate) enum PullsAs<'a> {
    Identity(&'a BoundIdentity),
    /// The service account names none, and there is no default: the nodes pull without a credential.
    Nobody,
    /// The identity that is named is not bound to the cluster, so the nodes get no token of it.
    Unbound(&'a str),
    /// It depends on the service account: some name an identity.
    Depends,
    Unread(&'a Unread),
}

impl AccountFacts {
    pub fn pulls_as(&self) -> PullsAs<'_> {
        let named = match (&self.account, &self.annotated) {
            (Some((namespace, name)), Ok(all)) => {
                all.iter().find(|one| one.namespace == *namespace && one.name == *name)
            }
            (Some(_), Err(unread)) => return PullsAs::Unread(unread),
            (None, _) => None,
        };
        let default = self.pulls.default_identity.as_deref();
        let wanted = match (named, default, &self.annotated) {
            (Some(named), ..) => named.client_id.as_str(),
            (None, Some(default), _) => default,
            (None, None, Ok(all)) if self.account.is_none() && !all.is_empty() => return PullsAs::Depends,
            (None, None, Err(unread)) => return PullsAs::Unread(unread),
            (None, None, Ok(_)) => return PullsAs::Nobody,
        };
        let bound = match &self.bound {
            Ok(bound) => bound,
            Err(unread) => return PullsAs::Unread(unread),
        };
        let is_it = |one: &&BoundIdentity| {
            one.client_id.eq_ignore_ascii_case(wanted) || one.resource_id.eq_ignore_ascii_case(wanted)
        };
        bound.iter().find(is_it).map_or(PullsAs::Unbound(wanted), PullsAs::Identity)
    }

    /// The object ID of what the nodes pull with, if it is one identity.
    pub fn identity(&self) -> Option<PrincipalId> {
        match self.pulls_as() {
            PullsAs::Identity(one) => Some(one.object_id),
            _ => None,
        }
    }

    fn account(&self) -> String {
        match &self.account {
            Some((namespace, name)) => format!("service account {namespace}/{name}"),
            None => "service accounts".to_owned(),
        }
    }
}

/// What is known of them, if the nodes pull as service accounts.
fn known(facts: &Facts) -> Option<&AccountFacts> {
    facts.nodes.accounts.as_ref()?.as_ref().ok()?.as_ref()
}

/// Whether the nodes pull as service accounts, so that what they have themselves does not count.
pub(super) fn is_used(facts: &Facts) -> bool {
    known(facts).is_some()
}

/// The stage identity where the nodes pull as service accounts.
pub(super) fn identity(facts: &Facts) -> Option<Outcome> {
    let accounts = known(facts)?;
    let outcome = Outcome::of(PullStage::Identity);
    let who = accounts.account();
    let instead = "the nodes pull as the pods' service accounts and not with the kubelet identity";
    let seen = |found: Finding| {
        let found = found.seen("cluster", &format!("{PROFILE}.enabled"), "true");
        match &accounts.pulls.default_identity {
            Some(id) => found.seen("cluster", &format!("{PROFILE}.defaultManagedIdentityId"), id),
            None => found,
        }
    };
    let failing = |text: String| seen(Finding::failing(FindingId::SERVICE_ACCOUNT_PULLS).saying(text));
    let unknown = |text: String| seen(Finding::unknown(FindingId::SERVICE_ACCOUNT_PULLS).saying(text));
    Some(match accounts.pulls_as() {
        PullsAs::Identity(one) => {
            let outcome = outcome.passed_by(format!("{who}: object ID {}", one.object_id));
            if authorization(facts).passes() {
                return Some(outcome);
            }
            let text = format!("{instead}: for {who} with identity {}, whose role assignments count", one.object_id);
            let found = seen(Finding::warning(FindingId::SERVICE_ACCOUNT_PULLS).saying(text));
            outcome.with(found.seen("identity binding", "properties.managedIdentity.clientId", &one.client_id))
        }
        PullsAs::Nobody => {
            let text = format!("{instead}: {who} {} no identity, and the cluster has no default one", verb(accounts));
            outcome.with(annotated(accounts, failing(text)))
        }
        PullsAs::Unbound(wanted) => {
            let text =
                format!("{instead}: the identity of {who} is not bound to the cluster, so the nodes get no token");
            outcome.with(failing(text).seen("service account", PULL_IDENTITY, wanted))
        }
        PullsAs::Depends => {
            let names = accounts.annotated.iter().flatten().map(|one| format!("{}/{}", one.namespace, one.name));
            let names: Vec<String> = names.collect();
            let text =
                format!("{instead}: only some service accounts name an identity, and the cluster has no default one");
            let need = Need::reason("which service account the pods have is not known; explain reads it");
            outcome.with(unknown(text).seen("service account", PULL_IDENTITY, names.join(", ")).needing(need))
        }
        PullsAs::Unread(unread) => {
            let text = format!("{instead}, and which identity that is could not be read");
            outcome.with(unknown(text).needing(unread.need.clone()))
        }
    })
}

fn verb(accounts: &AccountFacts) -> &'static str {
    if accounts.account.is_some() { "names" } else { "name" }
}

/// With one bound identity, the command is complete.
fn annotated(accounts: &AccountFacts, found: Finding) -> Finding {
    let (Some((namespace, name)), Ok(bound)) = (&accounts.account, &accounts.bound) else { return found };
    match bound.as_slice() {
        [only] => {
            let command = Command::new("kubectl annotate serviceaccount").value(name).with("--namespace", namespace);
            found.run(command.value(format!("{PULL_IDENTITY}={}", only.client_id)))
        }
        _ => found,
    }
}

/// What is assumed of what the nodes pull with.
pub(super) fn assumption(facts: &Facts) -> Option<String> {
    match facts.nodes.accounts.as_ref()? {
        Ok(None) => None,
        Ok(Some(accounts)) => (accounts.account.is_none() && accounts.pulls.default_identity.is_some())
            .then(|| "the pods' service accounts name no other identity than the cluster's default one".to_owned()),
        Err(unread) => Some(format!(
            "the nodes pull with the kubelet identity, and not as the pods' service accounts, which could not be read: {}",
            unread.need.reason
        )),
    }
}
