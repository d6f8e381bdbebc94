//! Grants that this client has just made: lists of role assignments may not show them yet.

use crate::{
    id::{PrincipalId, ResourceId},
    role::PROPAGATION,
};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How many grants are remembered.
const MOST: usize = 1000;

/// The grants of the last minutes.
#[derive(Debug, Default)]
pub(crate) struct RecentGrants(Mutex<Vec<(ResourceId, PrincipalId, Instant)>>);

impl RecentGrants {
    /// Remembers a grant.
    pub fn add(&self, registry: &ResourceId, principal: PrincipalId) {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |scope: &ResourceId, of| registry.is(scope.as_str()) && of == principal;
        grants.retain(|(scope, of, since)| since.elapsed() < PROPAGATION && !is_same(scope, *of));
        // The oldest comes first: the lists have it by now.
        let too_many = (grants.len() + 1).saturating_sub(MOST);
        grants.drain(..too_many);
        grants.push((registry.clone(), principal, Instant::now()));
    }

    /// Forgets a grant that was removed.
    pub fn remove(&self, registry: &ResourceId, principal: PrincipalId) {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grants.retain(|(scope, of, _)| !(registry.is(scope.as_str()) && *of == principal));
    }

    /// Whether a principal has one.
    pub fn has(&self, registry: &ResourceId, principal: PrincipalId) -> bool {
        let grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grants
            .iter()
            .any(|(scope, of, since)| registry.is(scope.as_str()) && *of == principal && since.elapsed() < PROPAGATION)
    }
}

/// How long nodes keep a credential of a registry, which a change of its mode makes invalid.
pub(crate) const CREDENTIAL_LIFE: Duration = Duration::from_secs(60 * 60);

/// The registries whose role assignment mode this client has changed within the last hour.
#[derive(Debug, Default)]
pub(crate) struct RecentModeChanges(Mutex<Vec<(ResourceId, Instant)>>);

impl RecentModeChanges {
    /// Remembers a change.
    pub fn add(&self, registry: &ResourceId) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.retain(|(other, since)| since.elapsed() < CREDENTIAL_LIFE && !registry.is(other.as_str()));
        let too_many = (changes.len() + 1).saturating_sub(MOST);
        changes.drain(..too_many);
        changes.push((registry.clone(), Instant::now()));
    }

    /// Whether nodes may still hold a credential from before a change.
    pub fn has(&self, registry: &ResourceId) -> bool {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().any(|(other, since)| registry.is(other.as_str()) && since.elapsed() < CREDENTIAL_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_grant_is_new_for_some_minutes_and_until_it_is_removed() {
        let registry: ResourceId =
            "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/a/b/c".parse().unwrap();
        let principal: PrincipalId = "aaaaaaaa-0000-0000-0000-000000000001".parse().unwrap();
        let recent = RecentGrants::default();
        recent.add(&registry, principal);
        assert!(recent.has(&registry, principal));
        recent.remove(&registry, principal);
        assert!(!recent.has(&registry, principal));
        recent.add(&registry, principal);
        tokio::time::advance(PROPAGATION).await;
        assert!(!recent.has(&registry, principal));
    }

    #[tokio::test(start_paused = true)]
    async fn of_too_many_grants_the_oldest_is_forgotten() {
        let principal: PrincipalId = "aaaaaaaa-0000-0000-0000-000000000001".parse().unwrap();
        let registry = |number: usize| -> ResourceId {
            format!("/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/a/b/r{number}")
                .parse()
                .unwrap()
        };
        let recent = RecentGrants::default();
        for number in 0..=MOST {
            recent.add(&registry(number), principal);
            recent.add(&registry(number), principal);
        }
        assert!(!recent.has(&registry(0), principal));
        assert!(recent.has(&registry(1), principal) && recent.has(&registry(MOST), principal));
    }
}
