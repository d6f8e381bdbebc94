//! Importing images.

use crate::{
    argument::{self, CallOnly, Hidden, Millis, Text},
    call::Call,
    client::Client,
    error::{Fault, Result},
    runtime::operations,
};
use aks_acr::{
    CallOptions, ImageReference, Import, ImportCredentials, ImportHandle, ImportItem, ImportStatus, OnExistingTag,
    RegistryRef, StartedImport,
};
use napi::{
    Env, JsValue, Unknown,
    bindgen_prelude::{Object, PromiseRaw},
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, IgnoredAny, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;

/// How an image is imported; in a list the image itself is among it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ImportOptions<Source: Default = Absent> {
    target: Option<String>,
    additional_tags: Option<Vec<String>>,
    untagged_repositories: Option<Vec<String>>,
    on_existing_tag: Option<Text<OnExistingTag>>,
    source_registry: Option<Text<RegistryRef>>,
    username: Option<String>,
    password: Option<Hidden>,
    deadline_ms: Option<Millis>,
    source: Source,
}

impl<Source: Default> ImportOptions<Source> {
    /// Core's options; `call` makes those of the call from the deadline.
    fn options(self, call: impl FnOnce(Option<Millis>) -> CallOptions) -> Result<aks_acr::ImportOptions> {
        let mut options = aks_acr::ImportOptions::default().with_call(call(self.deadline_ms));
        options.target = self.target;
        options.additional_tags = self.additional_tags.unwrap_or_default();
        options.untagged_repositories = self.untagged_repositories.unwrap_or_default();
        options.on_existing_tag =
            self.on_existing_tag.map_or(options.on_existing_tag, |on_existing_tag| on_existing_tag.0);
        options.source_registry = self.source_registry.map(|registry| registry.0);
        options.credentials = match (self.username, self.password) {
            (Some(username), Some(password)) => Some(ImportCredentials::user(username, password.0)),
            (None, Some(token)) => Some(ImportCredentials::token(token.0)),
            (None, None) => None,
            (Some(_), None) => return Err(Fault::Argument("options.username: wanted a password with it".to_owned())),
        };
        Ok(options)
    }
}

/// What is an argument of its own is no option.
#[derive(Default)]
struct Absent;

impl<'de> Deserialize<'de> for Absent {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        match Option::<IgnoredAny>::deserialize(from)? {
            None => Ok(Self),
            Some(_) => Err(D::Error::custom("wanted as an argument, not as an option")),
        }
    }
}

/// An image of a list: its name, or an object of it and the options of its import.
struct Image(ImageReference, ImportOptions<Option<Text<ImageReference>>>);

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Image;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an image, or an object with its source")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<Image, E> {
                Ok(Image(name.parse().map_err(E::custom)?, ImportOptions::default()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Image, A::Error> {
                let mut given = ImportOptions::<Option<Text<_>>>::deserialize(MapAccessDeserializer::new(map))?;
                let source = given.source.take().ok_or_else(|| A::Error::missing_field("source"))?;
                Ok(Image(source.0, given))
            }
        }
        from.deserialize_any(Either)
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ImportManyOptions {
    concurrency: Option<usize>,
    deadline_ms: Option<Millis>,
}

/// A result and the handle to go on with, on their way to the class that hides the handle's link.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Looked<T> {
    value: T,
    handle: Option<ImportHandle>,
    wait_ms: Option<f64>,
}

impl<T> Looked<T> {
    fn new(value: T, handle: Option<ImportHandle>) -> Self {
        let wait_ms = handle.as_ref().and_then(ImportHandle::asked_wait).map(|wait| wait.as_secs_f64() * 1000.0);
        Self { value, handle, wait_ms }
    }
}

impl Looked<StartedImport> {
    fn started(value: StartedImport) -> Self {
        let handle = if let StartedImport::Started { handle } = &value { Some(handle.clone()) } else { None };
        Self::new(value, handle)
    }
}

operations! {
    /// Copies an image into a registry.
    import_image(client, call; registry, source, given) {
        let registry: RegistryRef = argument::parse("registry", registry)?;
        let source: ImageReference = argument::parse("source", source)?;
        let given: ImportOptions = argument::options(given)?;
        let options = given.options(|deadline| call.options(deadline))?;
        async move { client.import_image(&registry, &source, options).await }
    }

    /// Begins an import.
    start_import(client, call; registry, source, given) {
        let registry: RegistryRef = argument::parse("registry", registry)?;
        let source: ImageReference = argument::parse("source", source)?;
        let given: ImportOptions = argument::options(given)?;
        let options = given.options(|deadline| call.options(deadline))?;
        async move { client.start_import(&registry, &source, options).await.map(Looked::started) }
    }

    /// Says how far an import is.
    poll_import(client, call; handle, given) {
        let mut handle: ImportHandle = argument::object("handle", handle)?;
        let given: CallOnly = argument::options(given)?;
        let options = call.options(given.deadline_ms);
        async move {
            let status: ImportStatus = client.poll_import(&mut handle, options).await?;
            Ok(Looked::new(status, Some(handle)))
        }
    }
}

#[napi_derive::napi]
impl Client {
    /// Copies many images into a registry. The errors among its results become objects on JavaScript's thread.
    #[napi]
    pub fn import_images<'env>(
        &self,
        env: &'env Env,
        call: &Call,
        registry: Unknown<'_>,
        images: Unknown<'_>,
        given: Unknown<'_>,
    ) -> napi::Result<PromiseRaw<'env, Unknown<'env>>> {
        let read = |client: aks_acr::Client| {
            let registry: RegistryRef = argument::parse("registry", registry)?;
            let items = argument::list("images", images)?.into_iter().map(item).collect::<Result<_>>()?;
            let given: ImportManyOptions = argument::options(given)?;
            let mut options = aks_acr::ImportManyOptions::default().with_call(call.options(given.deadline_ms));
            options.concurrency = given.concurrency.unwrap_or(options.concurrency);
            Ok(async move { client.import_images(&registry, items, options).await })
        };
        self.run_with(env, call, read, |env, results: Vec<aks_acr::Result<Import>>| {
            let mut list = env.create_array(0)?;
            for result in results {
                let mut one = Object::new(env)?;
                match result {
                    Ok(import) => one.set("import", env.to_js_value(&import)?)?,
                    Err(err) => one.set("error", Fault::from(err).into_object(env)?)?,
                }
                list.insert(one)?;
            }
            Ok(list.to_unknown())
        })
    }
}

/// The options of its call are a deadline; what stops it and who hears of it is that of the list.
fn item(Image(source, given): Image) -> Result<ImportItem> {
    let of_call = |deadline: Option<Millis>| {
        let mut options = CallOptions::default();
        options.deadline = deadline.map(|millis| millis.0);
        options
    };
    Ok(ImportItem::new(source, given.options(of_call)?))
}
