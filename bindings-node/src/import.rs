//! What is special about imports: items of a list, results that are errors, handles.

use crate::{
    argument,
    call::of_deadline,
    error::{Fault, Result},
    operations,
};
use aks_acr::{ImageReference, Import, ImportHandle, StartedImport};
use napi::{Env, JsValue, Unknown, bindgen_prelude::Object};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use std::fmt;

/// An image in a list: its name, or an object with it and the options of its import.
struct Item(ImageReference, operations::ImportOptions);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> std::result::Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an image, or an object with its source")
            }

            fn visit_str<E: serde::de::Error>(self, name: &str) -> std::result::Result<Item, E> {
                Ok(Item(name.parse().map_err(E::custom)?, operations::ImportOptions::default()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Item, A::Error> {
                let mut given = operations::ImportItem::deserialize(MapAccessDeserializer::new(map))?;
                let source = given.source.take().ok_or_else(|| A::Error::missing_field("source"))?;
                Ok(Item(source.0, given.options()))
            }
        }
        from.deserialize_any(Either)
    }
}

/// Reads the images of a list. Each has its own deadline; the list's options cancel it and report its progress.
pub fn items(name: &str, value: Unknown<'_>) -> Result<Vec<aks_acr::ImportItem>> {
    let item = |Item(source, given)| {
        let call = of_deadline(given.deadline_ms);
        Ok(aks_acr::ImportItem::new(source, given.into_core(call)?))
    };
    argument::list(name, value)?.into_iter().map(item).collect()
}

/// The results of a list. Errors become objects on JavaScript's thread.
pub fn outcomes(env: &Env, results: Vec<aks_acr::Result<Import>>) -> napi::Result<Unknown<'_>> {
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
}

/// A result and the handle for the next poll, on their way to the class that hides the handle's link.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Polled<T> {
    value: T,
    handle: Option<ImportHandle>,
    wait_ms: Option<f64>,
}

impl<T> Polled<T> {
    pub fn new(value: T, handle: Option<ImportHandle>) -> Self {
        let wait_ms = handle.as_ref().and_then(ImportHandle::asked_wait).map(|wait| wait.as_secs_f64() * 1000.0);
        Self { value, handle, wait_ms }
    }
}

impl Polled<StartedImport> {
    pub fn started(value: StartedImport) -> Self {
        let handle = if let StartedImport::Started { handle } = &value { Some(handle.clone()) } else { None };
        Self::new(value, handle)
    }
}
