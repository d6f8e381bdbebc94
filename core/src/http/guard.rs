//! Prevents writes that must not be sent: those of a read-only client, and those that a hook rejects.

use super::{deadline::Watch, request::is_safe};
use crate::write::{Guard, Intent};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind as Azure,
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
};
use std::sync::Arc;

/// Runs before `azure_core`'s retry policy: it sees a request once, and no token is acquired for a rejected request.
#[derive(Debug)]
pub(super) struct WriteGuard(pub Guard);

impl WriteGuard {
    /// The sender of a request declares what it does. An undeclared request counts as a write, unless its method cannot change
    /// anything.
    fn refuses(&self, watch: Option<&Arc<Watch>>, request: &Request) -> bool {
        let Some(watch) = watch else { return self.0.read_only && !is_safe(request.method()) };
        let Intent::Write(write) = watch.intent() else { return false };
        match self.0.check(write) {
            Ok(()) => false,
            Err(err) => {
                watch.end_with(err);
                true
            }
        }
    }
}

#[async_trait]
impl Policy for WriteGuard {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if self.refuses(ctx.value::<Arc<Watch>>(), request) {
            return Err(azure_core::Error::with_message(Azure::Other, "a write that must not be sent"));
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}
