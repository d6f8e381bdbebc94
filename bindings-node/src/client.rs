//! The client, and how an operation becomes a promise.

use crate::{
    argument,
    call::Call,
    credential::{Credential, GetToken},
    error::{Fault, Result},
    write::{Hook, OnWrite},
};
use aks_acr::Cloud;
use napi::{Env, Unknown, bindgen_prelude::PromiseRaw};
use napi_derive::napi;
use serde::{Deserialize, Serialize};
use std::{future::Future, sync::Arc};

/// Connects registries and clusters of one subscription, as one caller.
#[napi]
pub struct Client(aks_acr::Client);

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Settings {
    subscription_id: String,
    cloud: Option<CloudSettings>,
    proxy: Option<String>,
    ca: Option<String>,
    read_only: Option<bool>,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "must be a cloud's name, or { resourceManager, registrySuffix } with optional authority and graph"
)]
enum CloudSettings {
    Named(String),
    Custom(CustomCloud),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CustomCloud {
    resource_manager: String,
    registry_suffix: String,
    authority: Option<String>,
    graph: Option<String>,
}

impl CloudSettings {
    fn cloud(&self) -> Result<Cloud> {
        Ok(match self {
            Self::Custom(custom) => {
                let cloud = Cloud::custom(&custom.resource_manager, &custom.registry_suffix)?;
                let cloud =
                    custom.authority.iter().try_fold(cloud, |cloud, authority| cloud.with_authority(authority))?;
                custom.graph.iter().try_fold(cloud, |cloud, graph| cloud.with_graph(graph))?
            }
            Self::Named(name) => {
                name.parse().map_err(|err: aks_acr::Error| Fault::Argument(format!("cloud: {err}")))?
            }
        })
    }
}

#[napi]
impl Client {
    /// A client for `getToken` of a credential; without one, for the default chain.
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        get_token: Option<GetToken<'_>>,
        on_write: Option<OnWrite<'_>>,
        settings: Unknown<'_>,
    ) -> napi::Result<Self> {
        let credential = get_token.map(|get_token| Credential::new(&get_token)).transpose()?.map(Arc::new);
        let hook = on_write.map(|on_write| Hook::new(&on_write)).transpose()?;
        let build = || -> Result<aks_acr::Client> {
            let settings: Settings = argument::object("settings", settings)?;
            if settings.subscription_id.is_empty() {
                return Err(Fault::Argument("settings.subscriptionId: missing".to_owned()));
            }
            let mut builder = match credential {
                Some(credential) => aks_acr::Client::builder(credential, settings.subscription_id),
                None => aks_acr::Client::builder_with_default_credential(settings.subscription_id),
            };
            if let Some(cloud) = settings.cloud {
                builder = builder.cloud(cloud.cloud()?);
            }
            if let Some(proxy) = settings.proxy {
                builder = builder.proxy(proxy);
            }
            if let Some(ca) = settings.ca {
                builder = builder.add_root_certificates(ca);
            }
            if settings.read_only.unwrap_or_default() {
                builder = builder.read_only();
            }
            if let Some(hook) = hook {
                builder = builder.on_write(hook);
            }
            Ok(builder.build()?)
        };
        build().map(Self).map_err(|fault| fault.into_js(env))
    }
}

impl Client {
    /// Makes one call: `read` reads its arguments, and what it gives does the work.
    pub fn run<'env, T, W>(
        &self,
        env: &'env Env,
        call: &Call,
        read: impl FnOnce(aks_acr::Client) -> Result<W>,
    ) -> napi::Result<PromiseRaw<'env, Unknown<'env>>>
    where
        T: Serialize + Send + 'static,
        W: Future<Output = aks_acr::Result<T>> + Send + 'static,
    {
        self.run_with(env, call, read, |env, value| env.to_js_value(&value))
    }

    /// The same for a result that is converted to JavaScript by its own function.
    pub fn run_with<'env, T, W>(
        &self,
        env: &'env Env,
        call: &Call,
        read: impl FnOnce(aks_acr::Client) -> Result<W>,
        show: impl FnOnce(&Env, T) -> napi::Result<Unknown<'_>> + Send + 'static,
    ) -> napi::Result<PromiseRaw<'env, Unknown<'env>>>
    where
        T: Send + 'static,
        W: Future<Output = aks_acr::Result<T>> + Send + 'static,
    {
        let heard = call.heard();
        let work = read(self.0.clone()).map_err(|fault| fault.into_js(env))?;
        let work = call.scope(work);
        let work = async move {
            let done = work.await;
            let _ = heard().await;
            Ok(done)
        };
        // An `async fn` under `#[napi]` could not give an error its fields: it crosses threads as data, and becomes an object there.
        env.spawn_future_with_callback(work, |env, done| match done {
            Ok(value) => show(env, value),
            Err(err) => Err(Fault::from(err).into_js(env)),
        })
    }
}
