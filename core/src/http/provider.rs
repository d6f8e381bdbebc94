//! Resource providers: what a subscription has not registered, it cannot make anything of.

use super::{Answer, Arm, ArmRequest};
use crate::{
    call::{Call, Event},
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
};
use azure_core::http::Method;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

const API: &str = "2024-11-01";
pub(crate) const READ: &str = "Microsoft.Resources/subscriptions/providers/read";
const NOT_REGISTERED: &str = "MissingSubscriptionRegistration";
/// By which an error names a provider.
pub(super) const PROVIDER: &str = "provider";
/// The longest wait between two looks; Azure's own SDKs always wait as long.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// The first one; each next is half as long again.
const LOOK_FIRST: Duration = Duration::from_secs(1);
/// How often a write is tried again that does not know of the registration yet.
const TRIES: usize = 6;

/// A provider, and the right to register it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    pub namespace: &'static str,
    pub register: &'static str,
}

impl Arm {
    /// Sends a write to a provider. Where the subscription has not registered it, that is done if `register` says so, and the
    /// write is sent again; else it is an error that says what to do.
    pub async fn send_registered(
        &self,
        write: impl Fn() -> ArmRequest + Send + Sync,
        (provider, subscription): (Provider, SubscriptionId),
        register: bool,
        call: &Call,
    ) -> Result<Answer> {
        match self.send(write(), call).await {
            Err(err) if is_about(provider, &err) && register => {}
            Err(err) if is_about(provider, &err) => return Err(explain(err, provider, subscription)),
            sent => return sent.map_err(|err| explain_other(err, subscription)),
        }
        self.register(provider, subscription, call).await?;
        let waits = std::iter::repeat_n(LOOK_AGAIN, TRIES);
        let is_passing = |err: &Error| is_about(provider, err);
        let sent = call.retry(&step(provider), waits, is_passing, || self.send(write(), call)).await;
        sent.map_err(|err| if is_about(provider, &err) { err } else { explain_other(err, subscription) })
    }

    /// Registers a provider and waits until it is.
    async fn register(&self, provider: Provider, subscription: SubscriptionId, call: &Call) -> Result<()> {
        call.report(Event::Started { step: step(provider) });
        let mut pause = LOOK_FIRST;
        let mut answer = self.send(post_register(provider, subscription), call).await?;
        for attempt in 1.. {
            let status = answer.read::<WireProvider>("a resource provider")?.registration_state;
            if status.eq_ignore_ascii_case("registered") {
                break;
            }
            call.report(Event::Polling { step: step(provider), attempt, status });
            call.sleep(&step(provider), pause).await?;
            pause = (pause + pause / 2).min(LOOK_AGAIN);
            answer = self.send(get_provider(provider, subscription), call).await?;
        }
        call.report(Event::Finished { step: step(provider) });
        Ok(())
    }
}

fn step(provider: Provider) -> String {
    format!("registering {}", provider.namespace)
}

/// The provider that an answer says is not registered, where it names one.
pub(super) fn missing_provider(answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let details = body.get("error").unwrap_or(&body).get("details")?.as_array()?;
    let missing = details.iter().find(|detail| detail["code"] == NOT_REGISTERED)?["target"].as_str()?;
    let is_namespace =
        missing.contains('.') && missing.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    is_namespace.then(|| missing.to_owned())
}

/// Whether a write was refused for want of this provider. One that names none means its own.
fn is_about(provider: Provider, err: &Error) -> bool {
    err.code() == Some(NOT_REGISTERED) && named(err).is_none_or(|name| name.eq_ignore_ascii_case(provider.namespace))
}

fn named(err: &Error) -> Option<&str> {
    err.context().find(|(name, _)| *name == PROVIDER).map(|(_, value)| value)
}

/// What is made may need more providers than its own, as a cluster needs that of machines: the option registers none of those.
fn explain_other(err: Error, subscription: SubscriptionId) -> Error {
    let Some(other) = named(&err).filter(|_| err.code() == Some(NOT_REGISTERED)).map(str::to_owned) else { return err };
    err.of_kind(ErrorKind::NotRegistered)
        .saying("the subscription has not registered another resource provider that this needs, too: register it")
        .with_context("subscription", subscription.to_string())
        .with_context("hint", format!("az provider register -n {other}"))
}

fn explain(err: Error, provider: Provider, subscription: SubscriptionId) -> Error {
    let err = match named(&err) {
        Some(_) => err,
        None => err.with_context(PROVIDER, provider.namespace),
    };
    err.of_kind(ErrorKind::NotRegistered)
        .saying("the subscription has not registered the resource provider; ask for it by the option `register`, or register it")
        .with_context("subscription", subscription.to_string())
}

#[derive(Deserialize)]
struct WireProvider {
    #[serde(default, rename = "registrationState")]
    registration_state: String,
}

/// See [Register](https://learn.microsoft.com/rest/api/resources/providers/register).
fn post_register(provider: Provider, subscription: SubscriptionId) -> ArmRequest {
    let (home, namespace) = (subscription.path(), provider.namespace);
    ArmRequest::new(Method::Post, format!("{home}/providers/{namespace}/register"), API)
        .step(step(provider))
        .needs(provider.register, home)
}

fn get_provider(provider: Provider, subscription: SubscriptionId) -> ArmRequest {
    let home = subscription.path();
    ArmRequest::get(format!("{home}/providers/{}", provider.namespace), API).step(step(provider)).needs(READ, home)
}
