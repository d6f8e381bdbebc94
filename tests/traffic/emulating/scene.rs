//! An emulator with a scene set in it, and requests to it as they were recorded.

use crate::exchange::Exchange;
use aks_acr_emulator::{ClusterSeed, Emulator, RegistrySeed};
use azure_core::{
    credentials::TokenCredential,
    http::{Method, Request, Url, headers::Headers},
};
use libtest_mimic::Failed;
use serde_json::Value;
use std::sync::Arc;

/// The subscription that every recording names; the emulator has it beside its own.
pub(super) const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

const ARM: &str = "https://management.azure.com/.default";

/// An answer of the emulator.
#[derive(Clone, Debug)]
pub(super) struct Got {
    pub status: u16,
    headers: Headers,
    /// JSON; a string where it is none.
    pub body: Value,
}

impl Got {
    pub(super) fn new(status: u16, headers: Headers, body: Value) -> Self {
        Self { status, headers, body }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get_optional_str(&name.to_owned().into())
    }

    pub(super) fn text(&self, pointer: &str) -> Result<String, Failed> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        Ok(text.ok_or_else(|| format!("the emulator's answer has no text at {pointer}: {}", self.body))?.to_owned())
    }

    pub(super) fn link(&self, name: &str) -> Result<String, Failed> {
        Ok(self.header(name).ok_or_else(|| format!("the emulator names no {name}"))?.to_owned())
    }
}

/// An emulator that knows the recordings' subscription.
pub(super) fn azure() -> Emulator {
    Emulator::new().with_subscription(SUBSCRIPTION)
}

/// A registry with the group and name that an id has, in the region that is mostly recorded.
pub(super) fn registry(id: &str) -> Result<RegistrySeed, Failed> {
    let (group, name) = place(id)?;
    Ok(RegistrySeed::new(group, name).in_subscription(SUBSCRIPTION).location("westus"))
}

/// A cluster with the group and name that an id has.
pub(super) fn cluster(id: &str) -> Result<ClusterSeed, Failed> {
    let (group, name) = place(id)?;
    Ok(ClusterSeed::new(group, name).in_subscription(SUBSCRIPTION).location("westus2"))
}

/// A group with nothing in it that is asked for.
pub(super) fn group(azure: Emulator, group: &str) -> Emulator {
    azure.with_cluster_of(ClusterSeed::new(group, "neighbour").in_subscription(SUBSCRIPTION).location("westus"))
}

/// Group and name of a resource id.
pub(super) fn place(id: &str) -> Result<(&str, &str), Failed> {
    let segments: Vec<&str> = id.split('/').skip(1).collect();
    match segments[..] {
        [_, _, _, group, _, _, _, name, ..] => Ok((group, name)),
        _ => Err(format!("{id} names no resource").into()),
    }
}

/// Makes a recorded request as the emulator's owner.
pub(super) async fn ask(azure: &Emulator, exchange: &Exchange) -> Result<Got, Failed> {
    ask_as(azure, azure.credential(), exchange).await
}

/// Makes a recorded request as a caller. Only Azure Resource Manager sees which one.
pub(super) async fn ask_as(
    azure: &Emulator,
    who: Arc<dyn TokenCredential>,
    exchange: &Exchange,
) -> Result<Got, Failed> {
    let token = if exchange.url.starts_with("https://management.azure.com") {
        Some(who.get_token(&[ARM], None).await?.token.secret().to_owned())
    } else {
        None
    };
    send(azure, exchange, token.as_deref()).await
}

/// Makes a recorded request with a token, or with none.
pub(super) async fn send(azure: &Emulator, exchange: &Exchange, token: Option<&str>) -> Result<Got, Failed> {
    let mut request = Request::new(Url::parse(&exchange.url)?, method(&exchange.method)?);
    for name in ["accept", "content-type"] {
        if let Some(value) = exchange.file["request"]["headers"][name].as_str() {
            request.insert_header(name, value.to_owned());
        }
    }
    if let Some(token) = token {
        request.insert_header("authorization", format!("Bearer {token}"));
    }
    match &exchange.sent {
        Value::Null => {}
        Value::String(text) => request.set_body(text.clone()),
        json => request.set_body(json.to_string()),
    }
    let answer = azure.transport().execute_request(&request).await?.try_into_raw_response().await?;
    let (status, headers, body) = answer.deconstruct();
    let bytes: bytes::Bytes = body.into();
    let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
    Ok(Got::new(status.into(), headers, body))
}

fn method(name: &str) -> Result<Method, Failed> {
    Ok(match name {
        "GET" => Method::Get,
        "PUT" => Method::Put,
        "POST" => Method::Post,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        other => return Err(format!("the method {other} was not expected").into()),
    })
}
