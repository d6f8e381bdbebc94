//! Grants that this client has just made: lists of role assignments may not show them yet. Times are those of Azure's clock: that of this
//! machine stands still while it sleeps.

use crate::{
    id::{PrincipalId, ResourceId},
    role::PROPAGATION,
};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

/// How many grants are remembered.
const MOST: usize = 1000;

/// The grants of the last minutes.
#[derive(Debug, Default)]
pub(crate) struct RecentGrants(Mutex<Vec<(ResourceId, PrincipalId, SystemTime)>>);

impl RecentGrants {
    /// Remembers a grant.
    pub fn add(&self, registry: &ResourceId, principal: PrincipalId, now: SystemTime) {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = |scope: &ResourceId, of| registry.is(scope.as_str()) && of == principal;
        grants.retain(|(scope, of, since)| is_within(*since, now, PROPAGATION) && !is_same(scope, *of));
        // The oldest comes first: the lists have it by now.
        let too_many = (grants.len() + 1).saturating_sub(MOST);
        grants.drain(..too_many);
        grants.push((registry.clone(), principal, now));
    }

    /// Forgets a grant that was removed.
    pub fn remove(&self, registry: &ResourceId, principal: PrincipalId) {
        let mut grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grants.retain(|(scope, of, _)| !(registry.is(scope.as_str()) && *of == principal));
    }

    /// Whether a principal has one.
    pub fn has(&self, registry: &ResourceId, principal: PrincipalId, now: SystemTime) -> bool {
        let grants = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        grants.iter().any(|(scope, of, since)| {
            registry.is(scope.as_str()) && *of == principal && is_within(*since, now, PROPAGATION)
        })
    }
}

/// How long nodes keep a credential of a registry, which a change of its mode makes invalid.
pub(crate) const CREDENTIAL_LIFE: Duration = Duration::from_secs(60 * 60);

/// The registries whose role assignment mode this client has changed within the last hour.
#[derive(Debug, Default)]
pub(crate) struct RecentModeChanges(Mutex<Vec<(ResourceId, SystemTime)>>);

impl RecentModeChanges {
    /// Remembers a change.
    pub fn add(&self, registry: &ResourceId, now: SystemTime) {
        let mut changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.retain(|(other, since)| is_within(*since, now, CREDENTIAL_LIFE) && !registry.is(other.as_str()));
        let too_many = (changes.len() + 1).saturating_sub(MOST);
        changes.drain(..too_many);
        changes.push((registry.clone(), now));
    }

    /// Whether nodes may still hold a credential from before a change.
    pub fn has(&self, registry: &ResourceId, now: SystemTime) -> bool {
        let changes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().any(|(other, since)| registry.is(other.as_str()) && is_within(*since, now, CREDENTIAL_LIFE))
    }
}

/// Whether so much time has not passed yet. Clocks that differ by seconds do not matter.
fn is_within(since: SystemTime, now: SystemTime, time: Duration) -> bool {
    now.duration_since(since).unwrap_or_default() < time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_new_for_some_minutes_and_until_it_is_removed() {
        let registry: ResourceId =
            "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/a/b/c".parse().unwrap();
        let principal: PrincipalId = "aaaaaaaa-0000-0000-0000-000000000001".parse().unwrap();
        let (recent, now) = (RecentGrants::default(), SystemTime::now());
        recent.add(&registry, principal, now);
        assert!(
            recent.has(&registry, principal, now) && recent.has(&registry, principal, now - Duration::from_secs(2))
        );
        recent.remove(&registry, principal);
        assert!(!recent.has(&registry, principal, now));
        recent.add(&registry, principal, now);
        assert!(!recent.has(&registry, principal, now + PROPAGATION));
    }

    #[test]
    fn of_too_many_grants_the_oldest_is_forgotten() {
        let principal: PrincipalId = "aaaaaaaa-0000-0000-0000-000000000001".parse().unwrap();
        let registry = |number: usize| -> ResourceId {
            format!("/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/a/b/r{number}")
                .parse()
                .unwrap()
        };
        let (recent, now) = (RecentGrants::default(), SystemTime::now());
        for number in 0..=MOST {
            recent.add(&registry(number), principal, now);
            recent.add(&registry(number), principal, now);
        }
        assert!(!recent.has(&registry(0), principal, now));
        assert!(recent.has(&registry(1), principal, now) && recent.has(&registry(MOST), principal, now));
    }
}
