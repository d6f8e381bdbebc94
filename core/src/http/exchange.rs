//! Reads a response to its end within its try, so that a failure while reading the body is retried like a lost connection.

use super::{
    deadline::Watch,
    foreign::{Head, is_foreign},
    read_body::{BodyKind, read_response},
};
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind as Azure,
    http::{
        AsyncRawResponse, Context, Method, Request,
        headers::HeaderName,
        policies::{Policy, PolicyResult},
    },
};
use std::{sync::Arc, time::Duration};

/// No response of these services takes this long: longer work runs as an operation. Otherwise a silently dead connection would block a
/// request until its deadline.
const LONGEST_TRY: Duration = Duration::from_secs(120);

/// Runs before the transport, after everything that may ask a person, such as a sign-in.
#[derive(Debug)]
pub(super) struct Exchange;

#[async_trait]
impl Policy for Exchange {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let is_head = request.method() == Method::Head;
        let kind = ctx.value::<Arc<Watch>>().map_or(BodyKind::Object, |watch| watch.body());
        let exchange = async { read(next[0].send(ctx, request, &next[1..]).await?, kind, is_head).await };
        let late = |_| Error::with_message(Azure::Io, format!("no complete response within {LONGEST_TRY:?}"));
        tokio::time::timeout(LONGEST_TRY, exchange).await.map_err(late)?
    }
}

async fn read(response: AsyncRawResponse, kind: BodyKind, is_head: bool) -> PolicyResult {
    let (response, body) = read_response(response, kind).await?;
    let header = |name: &'static str| response.headers().get_optional_str(&HeaderName::from_static(name));
    let head = Head { status: response.status().into(), header: &header, without_body: is_head };
    if response.status().is_success() && is_foreign(&head, &body) {
        let kind = header("content-type").unwrap_or("no content type");
        return Err(Error::with_message(Azure::Io, format!("a proxy or firewall responded with {kind}")));
    }
    Ok(response)
}
