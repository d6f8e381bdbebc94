//! Resource providers: what a subscription has not registered, it cannot make anything of.

use super::{Answer, Arm, ArmRequest};
use crate::{
    call::{Call, Event},
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
};
use azure_core::http::Method;
use serde::Deserialize;
use std::time::Duration;

const API: &str = "2024-11-01";
pub(crate) const READ: &str = "Microsoft.Resources/subscriptions/providers/read";
const NOT_REGISTERED: &str = "MissingSubscriptionRegistration";
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
            Err(err) if err.code() == Some(NOT_REGISTERED) && register => {}
            Err(err) if err.code() == Some(NOT_REGISTERED) => return Err(explain(err, provider, subscription)),
            sent => return sent,
        }
        self.register(provider, subscription, call).await?;
        let waits = std::iter::repeat_n(LOOK_AGAIN, TRIES);
        let is_passing = |err: &Error| err.code() == Some(NOT_REGISTERED);
        call.retry(&step(provider), waits, is_passing, || self.send(write(), call)).await
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

fn explain(err: Error, provider: Provider, subscription: SubscriptionId) -> Error {
    err.of_kind(ErrorKind::NotRegistered)
        .saying("the subscription has not registered the resource provider; ask for it by the option `register`, or register it")
        .with_context("provider", provider.namespace)
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
