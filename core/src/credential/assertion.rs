//! Assertions signed by an issuer other than Entra ID: a cluster's service account, a GitHub workflow, an Azure Pipelines service
//! connection. They are valid for minutes, so a new one is fetched each time.

use async_trait::async_trait;
use azure_core::{
    credentials::Secret,
    error::ErrorKind,
    http::{ClientMethodOptions, ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, Url},
};
use azure_identity::ClientAssertion;
use serde::Deserialize;
use std::{fmt, path::PathBuf};

/// An assertion in a file, which the cluster replaces before the old one expires.
#[derive(Debug)]
pub(super) struct FileAssertion {
    path: PathBuf,
}

impl FileAssertion {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }
}

#[async_trait]
impl ClientAssertion for FileAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        // A few hundred bytes that are in memory already.
        let read = std::fs::read_to_string(&self.path);
        let text = read.map_err(|err| {
            let message = format!("could not read the federated token {}", self.path.display());
            azure_core::Error::with_error(ErrorKind::Credential, err, message)
        })?;
        Ok(text.trim().to_owned())
    }
}

/// The form of the request to the service.
#[derive(Clone, Copy, Debug)]
pub(super) enum OidcForm {
    GitHub,
    Pipelines,
}

/// An assertion that a CI service issues to its own run.
pub(super) struct OidcAssertion {
    form: OidcForm,
    address: Url,
    token: Secret,
    pipeline: Pipeline,
}

impl OidcAssertion {
    pub fn new(form: OidcForm, address: Url, token: Secret, options: ClientOptions) -> Self {
        let (name, version) = (Some("aks-acr"), Some(env!("CARGO_PKG_VERSION")));
        let pipeline = Pipeline::new(name, version, options, Vec::new(), Vec::new(), None);
        Self { form, address, token, pipeline }
    }

    fn request(&self) -> Request {
        let method = match self.form {
            OidcForm::GitHub => Method::Get,
            OidcForm::Pipelines => Method::Post,
        };
        let mut request = Request::new(self.address.clone(), method);
        request.insert_header("authorization", format!("Bearer {}", self.token.secret()));
        request.insert_header("accept", "application/json");
        if let OidcForm::Pipelines = self.form {
            request.insert_header("content-length", "0");
            // Without it, a refusal is a redirection to a page for people.
            request.insert_header("x-tfs-fedauthredirect", "Suppress");
        }
        request
    }
}

#[async_trait]
impl ClientAssertion for OidcAssertion {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        #[derive(Deserialize)]
        struct Body {
            value: Option<String>,
            #[serde(rename = "oidcToken")]
            oidc_token: Option<String>,
        }
        let options = PipelineSendOptions { skip_checks: true, ..PipelineSendOptions::default() };
        let answer = self.pipeline.send(&Context::new(), &mut self.request(), Some(options)).await?;
        let refused = |why: &str| {
            let host = self.address.host_str().unwrap_or_default();
            azure_core::Error::with_message(ErrorKind::Credential, format!("{host} returned no assertion: {why}"))
        };
        if !answer.status().is_success() {
            return Err(refused(&format!("HTTP {}", answer.status())));
        }
        // The body is a secret, so the parser's message is not reported.
        let body: Body = serde_json::from_slice(answer.body()).map_err(|_| refused("the response is invalid"))?;
        body.value.or(body.oidc_token).ok_or_else(|| refused("the response contains none"))
    }
}

impl fmt::Debug for OidcAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcAssertion").field("form", &self.form).finish_non_exhaustive()
    }
}
