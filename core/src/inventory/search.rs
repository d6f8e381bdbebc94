//! Finds a registry by its login server, in any subscription.

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

impl Search {
    /// Searches the named subscriptions, and then all that the caller can list, unless `is_limited`.
    ///
    /// A login server does not contain its resource ID. Resource Graph would find it with one request, but it lags behind, and
    /// some callers that can list registries cannot use it.
    pub async fn by_login_server(
        inventory: &dyn Inventory,
        host: &str,
        named: Vec<SubscriptionId>,
        is_limited: bool,
        call: &Call,
    ) -> Result<Self> {
        let mut search = Self::default();
        search.search_in(inventory, host, named.clone(), call).await?;
        if search.found.is_some() || is_limited {
            return Ok(search);
        }
        let visible = match inventory.subscriptions(call).await {
            Ok(visible) => visible,
            Err(err) if matches!(err.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => Vec::new(),
            Err(err) => return Err(err),
        };
        let others = visible.into_iter().filter(|one| !named.contains(one)).collect();
        search.search_in(inventory, host, others, call).await?;
        Ok(search)
    }

    async fn search_in(
        &mut self,
        inventory: &dyn Inventory,
        host: &str,
        subscriptions: Vec<SubscriptionId>,
        call: &Call,
    ) -> Result<()> {
        let listing = inventory.registries(&subscriptions, &RegistryFilter::default(), call).await?;
        self.searched.extend(listing.subscriptions);
        let found = listing.items.into_iter().find(|one| one.login_server.eq_ignore_ascii_case(host));
        self.found = self.found.take().or(found);
        Ok(())
    }
}
