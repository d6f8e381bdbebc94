//! Requests and responses as values.

use super::read_body::BodyKind;
use crate::{
    error::{Error, ErrorKind, Result},
    write::{Intent, Write, WriteService, without_secrets},
};
use azure_core::http::{Method, RawResponse, Request, Url, headers::Headers};
use bytes::Bytes;
use serde::Deserialize;
use std::borrow::Cow;

/// A request to Azure Resource Manager, with the permission that it needs.
#[derive(Clone)]
pub(crate) struct ArmRequest {
    pub method: Method,
    target: Target,
    query: Vec<(&'static str, String)>,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Option<serde_json::Value>,
    /// What it is for, for errors and progress.
    pub step: String,
    /// The action that Azure checks, and the scope.
    pub action: &'static str,
    pub scope: String,
    /// Whether it may be sent again if no response came.
    pub repeatable: bool,
    /// What the response holds.
    pub(super) body_kind: BodyKind,
    /// Whether it changes nothing. By default true for GET and HEAD; for others it must be declared.
    is_read: bool,
}

#[derive(Clone)]
enum Target {
    /// A path whose parts were checked when their types were created.
    Path(String),
    /// A link from Azure, checked to lead back to it. Its query is signed and never shown.
    Link(Url),
}

impl ArmRequest {
    pub fn new(method: Method, path: impl Into<String>, api_version: &'static str) -> Self {
        Self::to(method, Target::Path(path.into()), vec![("api-version", api_version.to_owned())])
    }

    pub fn get(path: impl Into<String>, api_version: &'static str) -> Self {
        Self::new(Method::Get, path, api_version)
    }

    pub(super) fn follow(link: Url) -> Self {
        Self::to(Method::Get, Target::Link(link), Vec::new())
    }

    fn to(method: Method, target: Target, query: Vec<(&'static str, String)>) -> Self {
        Self {
            method,
            target,
            query,
            headers: Vec::new(),
            body: None,
            step: String::new(),
            action: "",
            scope: String::new(),
            repeatable: true,
            body_kind: BodyKind::Object,
            is_read: is_safe(method),
        }
    }

    /// Marks a request that changes nothing, although its method could.
    pub fn reads(mut self) -> Self {
        self.is_read = true;
        self
    }

    /// What the request does, at this address.
    pub(super) fn intent(&self, url: &Url) -> Intent {
        if self.is_read {
            return Intent::Read;
        }
        Intent::Write(Write {
            service: WriteService::Azure,
            method: self.method.to_string(),
            target: match &self.target {
                Target::Path(path) => path.clone(),
                Target::Link(_) => url.path().to_owned(),
            },
            action: (!self.action.is_empty()).then(|| self.action.to_owned()),
            step: self.step.clone(),
            body: self.body.as_ref().map(without_secrets),
        })
    }

    /// Sets what the request is for.
    pub fn step(mut self, step: impl Into<String>) -> Self {
        self.step = step.into();
        self
    }

    /// Sets the `action` that the caller needs at `scope`.
    pub fn needs(mut self, action: &'static str, scope: impl Into<String>) -> Self {
        self.action = action;
        self.scope = scope.into();
        self
    }

    pub fn filter(mut self, filter: impl Into<String>) -> Self {
        self.query.push(("$filter", filter.into()));
        self
    }

    /// Adds a parameter.
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a header. It is shown in logs: secret values do not belong here.
    pub fn header(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn body(mut self, body: serde_json::Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Marks a request for a page of a list.
    pub(super) fn list_page(mut self) -> Self {
        self.body_kind = BodyKind::ListPage;
        self
    }

    /// Marks a request for the credentials of a cluster.
    pub fn credentials(mut self) -> Self {
        self.body_kind = BodyKind::Credentials;
        self
    }

    /// Marks a request that must not be sent twice.
    pub fn once(mut self) -> Self {
        self.repeatable = false;
        self
    }

    pub(super) fn url(&self, home: &str) -> Result<Url> {
        let path = match &self.target {
            Target::Link(url) => return Ok(url.clone()),
            Target::Path(path) => path,
        };
        let mut url = Url::parse(&format!("{home}{path}")).map_err(|err| {
            Error::new(ErrorKind::Unexpected, "cannot make a URL").with_source(err).with_context("path", path)
        })?;
        url.query_pairs_mut().extend_pairs(&self.query);
        Ok(url)
    }

    pub(super) fn wire(&self, url: Url) -> Result<Request> {
        let mut wire = Request::new(url, self.method);
        wire.insert_header("accept", "application/json");
        for (name, value) in &self.headers {
            wire.insert_header(*name, value.clone().into_owned());
        }
        match &self.body {
            Some(body) => {
                wire.insert_header("content-type", "application/json");
                wire.set_json(body)
                    .map_err(|err| Error::new(ErrorKind::Unexpected, "cannot write a body").with_source(err))?;
            }
            // A POST without a body still has a length, or a proxy on the way may refuse it.
            None if self.method == Method::Post => wire.insert_header("content-length", "0"),
            None => {}
        }
        Ok(wire)
    }
}

/// Whether this method never changes anything.
pub(super) fn is_safe(method: Method) -> bool {
    matches!(method, Method::Get | Method::Head)
}

/// A request to a registry's data plane, or to Microsoft Graph. It changes nothing, whatever its method, unless it says so: a POST gets a
/// token or a list.
pub(crate) struct RegistryRequest {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
    pub step: String,
    /// What a successful response holds.
    pub body_kind: BodyKind,
    /// Whether it changes something.
    pub intent: Intent,
}

impl RegistryRequest {
    pub(super) fn wire(self) -> Result<Request> {
        if self.url.scheme() != "https" {
            return Err(Error::new(
                ErrorKind::Unexpected,
                "a registry returned an address that is not https; it is not followed",
            ));
        }
        let mut wire = Request::new(self.url, self.method);
        if let Some(body) = self.body {
            wire.insert_header("content-type", "application/x-www-form-urlencoded");
            wire.set_body(body);
        }
        for (name, value) in self.headers {
            wire.insert_header(name, value);
        }
        Ok(wire)
    }
}

/// A response.
#[derive(Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
    /// Whether an earlier try of the same request may have had an effect: its response was lost, or did not say.
    pub is_repeated: bool,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn header(&self, name: &'static str) -> Option<&str> {
        self.headers.get_optional_str(&name.into())
    }

    /// Parses the body; `what` is for the error's text.
    pub fn read<'a, T: Deserialize<'a>>(&'a self, what: &str) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|err| self.unreadable(what, &err))
    }

    /// The parser's message may quote the response, and with it a secret: the position is enough.
    pub(super) fn unreadable(&self, what: &str, err: &serde_json::Error) -> Error {
        Error::new(ErrorKind::Unexpected, format!("could not parse the service's response as {what}"))
            .with_context("HTTP status", self.status.to_string())
            .with_context("stopped at", format!("line {}, column {}", err.line(), err.column()))
    }
}

impl From<RawResponse> for Answer {
    fn from(raw: RawResponse) -> Self {
        let (status, headers, body) = raw.deconstruct();
        Self { status: u16::from(status), headers, body: body.into(), is_repeated: false }
    }
}
