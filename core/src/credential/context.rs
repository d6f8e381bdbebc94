//! What all credentials of the default chain have in common.

use super::sign_in::{SignIn, SignInTry};
use crate::{
    cloud::Cloud,
    environment::Environment,
    error::{Error, ErrorKind, Result},
    http::TokenTransport,
};
use azure_core::{
    cloud::CustomConfiguration,
    credentials::TokenCredential,
    http::{ClientOptions, HttpClient, Transport},
};
use azure_identity::Executor;
use std::sync::Arc;

/// What all credentials of the chain have in common.
#[derive(Clone)]
pub(crate) struct CredentialContext {
    pub environment: Environment,
    pub transport: Arc<dyn HttpClient>,
    /// The authority that issues tokens, such as `https://login.microsoftonline.com`.
    pub authority: String,
    /// Starts az and azd; a process, unless a test replaces it.
    pub executor: Option<Arc<dyn Executor>>,
}

impl CredentialContext {
    pub fn new(cloud: &Cloud, environment: Environment, transport: Arc<dyn HttpClient>) -> Result<Self> {
        let authority = cloud.authority(&environment)?;
        Ok(Self { environment, transport, authority, executor: None })
    }

    pub(super) fn client_options(&self) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host.clone_from(&self.authority);
        ClientOptions {
            per_call_policies: vec![Arc::new(SignIn)],
            per_try_policies: vec![Arc::new(SignInTry)],
            transport: Some(Transport::new(Arc::new(TokenTransport::new(self.transport.clone())))),
            cloud: Some(Arc::new(cloud.into())),
            ..ClientOptions::default()
        }
    }
}

/// The result of searching for a credential.
pub(super) enum CredentialSearch {
    Configured(Arc<dyn TokenCredential>),
    /// Not configured: the reason, for a reader.
    Absent(String),
    /// Configured, but unusable.
    Broken(Error),
}

/// The error of a configured credential.
pub(super) fn broken(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unauthenticated, message)
}
