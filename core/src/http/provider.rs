//! Resource providers: a subscription can create resources of registered providers only.

use super::{
    Answer, Arm, ArmRequest,
    missing_provider::{NOT_REGISTERED, PROVIDER},
    retry_after::retry_after,
    shown,
};
use crate::{
    action::READ_PROVIDER,
    call::{Call, Poll, Polling},
    error::{Error, ErrorKind, Result},
    id::SubscriptionId,
    lenient,
};
use azure_core::http::Method;
use serde::Deserialize;
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

const API: &str = "2024-11-01";
/// How long a new registration may not be known everywhere.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// A provider, and the action to register it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Provider {
    pub namespace: &'static str,
    pub register: &'static str,
}

impl Arm {
    /// Sends a write to a resource provider.
    /// If the subscription has not registered it, it is registered if `register` is set, and the write is sent again; otherwise the
    /// error says what to do.
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
        call.step(&step(provider), self.register(provider, subscription, call)).await?;
        let polling = Polling::new(step(provider)).at_most(UNKNOWN_FOR);
        let write = || async {
            match self.send(write(), call).await {
                Err(err) if is_about(provider, &err) => Ok(Poll::Failed(err)),
                sent => sent.map(Poll::Ready),
            }
        };
        let sent = call.poll_until(polling, write).await;
        sent.map_err(|err| if is_about(provider, &err) { err } else { explain_other(err, subscription) })
    }

    /// Registers a provider and waits until it is registered.
    async fn register(&self, provider: Provider, subscription: SubscriptionId, call: &Call) -> Result<()> {
        let is_begun = AtomicBool::new(false);
        let poll = || async {
            let request = if is_begun.swap(true, Ordering::Relaxed) { get_provider } else { post_register };
            let answer = self.send(request(provider, subscription), call).await?;
            let state = answer.read::<WireProvider>("a resource provider")?.registration_state.unwrap_or_default();
            let is_registered = state.eq_ignore_ascii_case("registered");
            let wait = retry_after(&answer.headers);
            Ok(if is_registered { Poll::Ready(()) } else { Poll::Pending { status: Some(shown(&state)), wait } })
        };
        call.poll_until(Polling::new(step(provider)), poll).await
    }
}

fn step(provider: Provider) -> String {
    format!("registering {}", provider.namespace)
}

/// Whether a write was rejected because this provider is not registered. An error without a name refers to its own provider.
fn is_about(provider: Provider, err: &Error) -> bool {
    err.code() == Some(NOT_REGISTERED) && named(err).is_none_or(|name| name.eq_ignore_ascii_case(provider.namespace))
}

fn named(err: &Error) -> Option<&str> {
    err.context().find(|(name, _)| *name == PROVIDER).map(|(_, value)| value)
}

/// A resource may need further providers, as a cluster needs the one for virtual machines: the option registers none of those.
fn explain_other(err: Error, subscription: SubscriptionId) -> Error {
    let Some(other) = named(&err).filter(|_| err.code() == Some(NOT_REGISTERED)).map(str::to_owned) else { return err };
    err.of_kind(ErrorKind::NotRegistered)
        .saying("the subscription has not registered another required resource provider: register it")
        .with_context("subscription", subscription.to_string())
        .with_context("hint", format!("az provider register -n {other}"))
}

fn explain(err: Error, provider: Provider, subscription: SubscriptionId) -> Error {
    let err = match named(&err) {
        Some(_) => err,
        None => err.with_context(PROVIDER, provider.namespace),
    };
    err.of_kind(ErrorKind::NotRegistered)
        .saying(
            "the subscription has not registered the resource provider; set the option `register_providers`, or \
            register it",
        )
        .with_context("subscription", subscription.to_string())
}

#[derive(Deserialize)]
struct WireProvider {
    #[serde(default, rename = "registrationState", deserialize_with = "lenient::word")]
    registration_state: Option<String>,
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
    ArmRequest::get(format!("{home}/providers/{}", provider.namespace), API)
        .step(step(provider))
        .needs(READ_PROVIDER, home)
}
