//! One recorded exchange.

use aks_acr_tests::{data, replay::Answer};
use azure_core::http::{Method, Url};
use libtest_mimic::Failed;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A request to Azure and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub method: String,
    pub url: String,
    /// Null where none was sent.
    pub sent: Value,
    pub status: u16,
    headers: Value,
    /// JSON; an empty string where nothing came.
    pub body: Value,
    /// The file itself, for what only some have.
    pub file: Value,
}

/// An exchange under test, with the others at hand.
pub(crate) struct Case {
    folder: PathBuf,
    pub exchange: Exchange,
}

impl Case {
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self, Failed> {
        Ok(Self { folder: folder.to_owned(), exchange: Exchange::read(folder, name)? })
    }

    /// Another recording, for the requests of an operation that go before or after this one.
    pub(crate) fn other(&self, name: &str) -> Result<Exchange, Failed> {
        Exchange::read(&self.folder, name)
    }
}

impl Exchange {
    fn read(folder: &Path, name: &str) -> Result<Self, Failed> {
        Ok(Self::from(data::read(&folder.join("azure-traffic").join(format!("{name}.json")))?))
    }

    /// A request that was not recorded, for what a check has to know first.
    pub(crate) fn asking(method: Method, url: &str) -> Self {
        Self::from(json!({"request": {"method": method.as_str(), "url": url}}))
    }

    /// The same request at another address.
    pub(crate) fn at(&self, url: String) -> Self {
        Self { url, ..self.clone() }
    }

    /// The same with another body of the request.
    pub(crate) fn sending(&self, sent: Value) -> Self {
        Self { sent, ..self.clone() }
    }

    /// The same with another body of the answer.
    pub(crate) fn answering(&self, body: Value) -> Self {
        Self { body, ..self.clone() }
    }

    /// The same with another header of the answer, or without it.
    pub(crate) fn with_header(&self, name: &str, value: Option<&str>) -> Self {
        let mut changed = self.clone();
        if let Some(headers) = changed.headers.as_object_mut() {
            headers.remove(name);
            headers.extend(value.map(|value| (name.to_owned(), value.into())));
        }
        changed
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers[name].as_str()
    }

    /// The path as it was asked for.
    pub(crate) fn path(&self) -> Result<String, Failed> {
        Ok(Url::parse(&self.url)?.path().to_owned())
    }

    /// The id of the resource that was asked for, or of the one that the path begins with.
    pub(crate) fn resource(&self) -> Result<String, Failed> {
        let path = self.path()?;
        let segments: Vec<&str> = path.split('/').skip(1).take(8).collect();
        if segments.len() < 8 {
            return Err(format!("no resource is named in {path}").into());
        }
        Ok(format!("/{}", segments.join("/")))
    }

    /// The answer as it goes over the wire: a string is a body that was no JSON, null is the four letters.
    pub(crate) fn answer(&self) -> Answer {
        let headers = self.headers.as_object().into_iter().flatten();
        let body = match &self.body {
            Value::String(text) => text.clone(),
            json => json.to_string(),
        };
        Answer {
            status: self.status,
            headers: headers.map(|(name, value)| (name.clone(), text(value))).collect(),
            body: body.into(),
        }
    }

    /// A text of the body, by JSON pointer.
    pub(crate) fn text(&self, pointer: &str) -> Result<&str, Failed> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.ok_or_else(|| format!("the recording has no text at {pointer}").into())
    }
}

impl From<Value> for Exchange {
    fn from(file: Value) -> Self {
        let (request, response) = (&file["request"], &file["response"]);
        Self {
            method: text(&request["method"]),
            url: text(&request["url"]),
            sent: request["body"].clone(),
            status: response["status"].as_u64().and_then(|status| status.try_into().ok()).unwrap_or_default(),
            headers: response["headers"].clone(),
            body: response["body"].clone(),
            file,
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
