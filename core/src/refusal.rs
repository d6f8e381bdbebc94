//! Why a caller was refused: each kind of refusal is resolved by another person.

use crate::{action::smallest_role, words::word_names};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, time::SystemTime};

/// How many roles an error shows.
const MOST_SHOWN: usize = 3;
const ACTIVATE: &str = "activate the role in Privileged Identity Management, then call again";
/// Which other roles contain the action is not known.
const ACTIVATE_IF: &str =
    "if one of these roles contains the action, activate it in Privileged Identity Management, then call again";

/// What refused a call. Each kind is resolved in a different way, by a different person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// None of the caller's roles contains the action: see [`missing_action`](crate::Error::missing_action).
    MissingRight,
    /// A policy denies the request: see [`policies`](crate::Error::policies).
    /// More permissions do not help.
    Policy,
    /// A lock on the resource or above it.
    /// More permissions do not help; someone who manages locks has to remove it. Azure responds with 409.
    Lock,
    /// A deny assignment, such as that of a deployment stack or a managed application, takes precedence over all roles.
    DenyAssignment,
    /// The caller may assign roles, but a condition excludes this role or this principal.
    ConstrainedDelegation,
    /// Entra ID conditional access requires something that a program cannot provide, or a new sign-in.
    ConditionalAccess,
    /// The client is read-only: nothing was sent.
    ReadOnlyClient,
    /// The write hook rejected the write: nothing was sent.
    WriteHook,
}

word_names!(
    RefusalKind:
    MissingRight => "missing_right",
    Policy => "policy",
    Lock => "lock",
    DenyAssignment => "deny_assignment",
    ConstrainedDelegation => "constrained_delegation",
    ConditionalAccess => "conditional_access",
    ReadOnlyClient => "read_only_client",
    WriteHook => "write_hook",
);

/// A policy that denied a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DenyingPolicy {
    /// The policy assignment's display name, or its name if it has none.
    pub name: String,
    /// The assignment's ID. `None` if Azure does not report it.
    pub assignment_id: Option<String>,
    /// The definition's ID. `None` if Azure does not report it.
    pub definition_id: Option<String>,
}

/// A role that the caller does not have yet, and can activate in Privileged Identity Management.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EligibleRole {
    /// The name of the role, such as `User Access Administrator`.
    pub role: String,
    /// The scope at which it can be activated.
    pub scope: String,
    /// When the eligibility ends. `None`: never.
    #[serde(with = "crate::stored_time::option")]
    pub end: Option<SystemTime>,
}

impl EligibleRole {
    /// A role that can be activated at a scope.
    #[must_use]
    pub fn new(role: impl Into<String>, scope: impl Into<String>) -> Self {
        Self { role: role.into(), scope: scope.into(), end: None }
    }
}

/// A refusal, from the request and the service's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub kind: RefusalKind,
    /// Empty if the checked action is unknown.
    pub action: Cow<'static, str>,
    pub scope: String,
    /// The smallest built-in role that contains the action, if a role is missing.
    pub smallest_role: Option<&'static str>,
    pub policies: Vec<DenyingPolicy>,
    /// What the caller can activate, if a role is missing.
    pub eligible: Vec<EligibleRole>,
}

impl Refusal {
    /// The caller's roles do not contain the action.
    pub fn missing_right(action: impl Into<Cow<'static, str>>, scope: impl Into<String>) -> Self {
        let action = action.into();
        let smallest_role = smallest_role(&action);
        Self { smallest_role, ..Self::of(RefusalKind::MissingRight, action, scope) }
    }

    pub fn of(kind: RefusalKind, action: impl Into<Cow<'static, str>>, scope: impl Into<String>) -> Self {
        Self {
            kind,
            action: action.into(),
            scope: scope.into(),
            smallest_role: None,
            policies: Vec::new(),
            eligible: Vec::new(),
        }
    }

    /// The facts for a reader: names and values.
    pub fn facts(&self) -> Vec<(&'static str, &str)> {
        let action = if self.kind == RefusalKind::MissingRight { "missing action" } else { "action" };
        let mut facts: Vec<(&str, &str)> = vec![(action, &self.action), ("scope", &self.scope)];
        facts.retain(|(_, value)| !value.is_empty());
        if self.kind != RefusalKind::MissingRight {
            facts.push(("refused by", self.by()));
        }
        facts.extend(self.policies.iter().map(|policy| ("policy", policy.name.as_str())));
        facts.extend(self.smallest_role.map(|role| ("smallest role that has it", role)));
        facts.extend(self.eligible.iter().take(MOST_SHOWN).map(|one| ("eligible for", one.role.as_str())));
        if let Some(first) = self.eligible.first() {
            let is_known = self.smallest_role == Some(first.role.as_str());
            facts.push(("next step", if is_known { ACTIVATE } else { ACTIVATE_IF }));
        }
        facts
    }

    fn by(&self) -> &'static str {
        match self.kind {
            RefusalKind::MissingRight => "the caller's roles",
            RefusalKind::Policy => "a policy",
            RefusalKind::Lock => "a lock",
            RefusalKind::DenyAssignment => "a deny assignment",
            RefusalKind::ConstrainedDelegation => "a condition of the caller's own role",
            RefusalKind::ConditionalAccess => "conditional access",
            RefusalKind::ReadOnlyClient => "the read-only client",
            RefusalKind::WriteHook => "the write hook",
        }
    }
}
