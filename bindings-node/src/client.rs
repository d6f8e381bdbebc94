//! The client, and how an operation becomes a promise.

use crate::{
    argument,
    call::Call,
    credential::{Credential, GetToken},
    error::{Fault, Result},
    runtime::promise,
};
use aks_acr::Cloud;
use napi::{Env, Unknown, bindgen_prelude::PromiseRaw};
use napi_derive::napi;
use serde::{Deserialize, Serialize};
use std::{future::Future, sync::Arc};

/// Joins registries and clusters of one subscription, as one caller.
#[napi]
pub struct Client(aks_acr::Client);

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Settings {
    subscription_id: String,
    cloud: Option<CloudSettings>,
    proxy: Option<String>,
    ca: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "wanted a cloud's name, or { resourceManager, registrySuffix }")]
enum CloudSettings {
    Named(String),
    #[serde(rename_all = "camelCase")]
    Custom {
        resource_manager: String,
        registry_suffix: String,
    },
}

impl CloudSettings {
    fn cloud(&self) -> Result<Cloud> {
        Ok(match self {
            Self::Custom { resource_manager, registry_suffix } => Cloud::custom(resource_manager, registry_suffix)?,
            Self::Named(name) => match name.as_str() {
                "public" => Cloud::public(),
                "china" => Cloud::china(),
                "us_government" => Cloud::us_government(),
                "bleu" => Cloud::bleu(),
                _ => {
                    let text = format!("cloud: wanted one of: public, china, us_government, bleu; not {name}");
                    return Err(Fault::Argument(text));
                }
            },
        })
    }
}

#[napi]
impl Client {
    /// A client for `getToken` of a credential.
    #[napi(constructor)]
    pub fn new(env: &Env, get_token: Option<GetToken<'_>>, settings: Unknown<'_>) -> napi::Result<Self> {
        let credential = get_token.map(|get_token| Credential::new(&get_token)).transpose()?.map(Arc::new);
        let build = || -> Result<aks_acr::Client> {
            let settings: Settings = argument::object("settings", settings)?;
            let credential = credential.ok_or_else(|| {
                Fault::Argument("credential: wanted one, such as those of @azure/identity".to_owned())
            })?;
            let mut builder = aks_acr::Client::builder(credential, settings.subscription_id);
            if let Some(cloud) = settings.cloud {
                builder = builder.cloud(cloud.cloud()?);
            }
            if let Some(proxy) = settings.proxy {
                builder = builder.proxy(proxy);
            }
            if let Some(ca) = settings.ca {
                builder = builder.trust(ca);
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
        let heard = call.heard();
        let work = read(self.0.clone()).map_err(|fault| fault.into_js(env))?;
        promise(env, async move {
            let done = work.await;
            let _ = heard().await;
            done.map_err(Fault::from)
        })
    }
}
