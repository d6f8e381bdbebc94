//! Why a caller was refused: the kinds of refusal are told apart, since each is lifted by somebody else.

use crate::{action::smallest_role, words::word_names};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Who or what refused. Each is lifted in another way, by another person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// No role of the caller has the action: see [`missing_action`](crate::Error::missing_action).
    MissingRight,
    /// A policy denies what was asked for: see [`policies`](crate::Error::policies). More rights do not help.
    Policy,
    /// A lock is on the resource or above it. More rights do not help; who may manage locks removes it. Azure answers with 409.
    Lock,
    /// A deny assignment, such as that of a deployment stack or a managed application, goes before all roles.
    DenyAssignment,
    /// The caller may grant roles, but under a condition that does not let this role go to this principal.
    ConstrainedDelegation,
    /// Conditional access of Entra wants something of the caller that a program cannot give, or wants it anew.
    ConditionalAccess,
    /// The client was made read-only: nothing was sent.
    ReadOnlyClient,
    /// The hook that sees each write said no: nothing was sent.
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

/// A policy that was in the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DenyingPolicy {
    /// The assignment's display name, or its name where it has none.
    pub name: String,
    /// The assignment's id. `None` where Azure does not tell.
    pub assignment_id: Option<String>,
    /// The definition's id. `None` where Azure does not tell.
    pub definition_id: Option<String>,
}

/// A refusal, from what was asked and from the service's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub kind: RefusalKind,
    /// Empty where it is not known what is checked.
    pub action: Cow<'static, str>,
    pub scope: String,
    /// The smallest built-in role that has the action, where a role is what is missing.
    pub smallest_role: Option<&'static str>,
    pub policies: Vec<DenyingPolicy>,
}

impl Refusal {
    /// The caller's roles do not have the action.
    pub fn missing_right(action: impl Into<Cow<'static, str>>, scope: impl Into<String>) -> Self {
        let action = action.into();
        let smallest_role = smallest_role(&action);
        Self { smallest_role, ..Self::of(RefusalKind::MissingRight, action, scope) }
    }

    pub fn of(kind: RefusalKind, action: impl Into<Cow<'static, str>>, scope: impl Into<String>) -> Self {
        Self { kind, action: action.into(), scope: scope.into(), smallest_role: None, policies: Vec::new() }
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
            RefusalKind::ReadOnlyClient => "this client, which is read-only",
            RefusalKind::WriteHook => "the hook that sees writes",
        }
    }
}
