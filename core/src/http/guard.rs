//! Keeps writes from being sent that must not be: a read-only client's, and those that a hook says no to.

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

/// Stands before `azure_core`'s retry policy: it sees a request once, and no token is asked for what it refuses.
#[derive(Debug)]
pub(super) struct WriteGuard(pub Guard);

impl WriteGuard {
    /// What a request does is said by who makes it. One of which nothing is said may change something, unless its method cannot.
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
