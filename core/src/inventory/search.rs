//! Finds registries by their login servers, in any subscription.

use super::{Inventory, RegistryFilter};
use crate::{
    call::Call,
    error::{ErrorKind, Result},
    id::SubscriptionId,
    registry::Registry,
};

/// The result of a search.
#[derive(Debug, Default)]
pub(crate) struct Search {
    pub found: Option<Registry>,
    /// The subscriptions whose registries were listed, without those where the caller lacks the permission.
    pub searched: Vec<SubscriptionId>,
}

/// The result of a search for several registries.
#[derive(Debug, Default)]
pub(crate) struct SearchAll {
    pub found: Vec<Registry>,
    /// The subscriptions whose registries were listed, without those where the caller lacks the permission.
    pub searched: Vec<SubscriptionId>,
}

impl Search {
    /// Searches the named subscriptions, and then all that the caller can list, unless `is_limited`.
    pub async fn by_login_server(
        inventory: &dyn Inventory,
        host: &str,
        named: Vec<SubscriptionId>,
        is_limited: bool,
        call: &Call,
    ) -> Result<Self> {
        let SearchAll { found, searched } =
            SearchAll::by_login_servers(inventory, &[host], named, is_limited, call).await?;
        Ok(Self { found: found.into_iter().next(), searched })
    }
}

impl SearchAll {
    /// Searches the named subscriptions, and then all that the caller can list, unless `is_limited`. Each subscription is listed once.
    ///
    /// A login server does not contain its resource ID. Resource Graph would find it with one request, but it lags behind, and
    /// some callers that can list registries cannot use it.
    pub async fn by_login_servers(
        inventory: &dyn Inventory,
        hosts: &[&str],
        named: Vec<SubscriptionId>,
        is_limited: bool,
        call: &Call,
    ) -> Result<Self> {
        let mut search = Self::default();
        search.search_in(inventory, hosts, named.clone(), call).await?;
        if is_limited || hosts.iter().all(|host| search.find(host).is_some()) {
            return Ok(search);
        }
        let visible = match inventory.subscriptions(call).await {
            Ok(visible) => visible,
            Err(err) if matches!(err.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Vec::new(),
            Err(err) => return Err(err),
        };
        let others = visible.into_iter().filter(|one| !named.contains(one)).collect();
        search.search_in(inventory, hosts, others, call).await?;
        Ok(search)
    }

    /// The registry with this login server.
    pub fn find(&self, host: &str) -> Option<&Registry> {
        self.found.iter().find(|one| one.login_server.eq_ignore_ascii_case(host))
    }

    async fn search_in(
        &mut self,
        inventory: &dyn Inventory,
        hosts: &[&str],
        subscriptions: Vec<SubscriptionId>,
        call: &Call,
    ) -> Result<()> {
        let listing = inventory.registries(&subscriptions, &RegistryFilter::default(), call).await?;
        self.searched.extend(listing.subscriptions);
        let is_meant = |one: &Registry| hosts.iter().any(|host| one.login_server.eq_ignore_ascii_case(host));
        for one in listing.items.into_iter().filter(is_meant) {
            if self.find(&one.login_server).is_none() {
                self.found.push(one);
            }
        }
        Ok(())
    }
}
