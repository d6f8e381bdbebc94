//! The identity of the machine that the program runs on.

use super::context::{CredentialContext, CredentialSearch, broken};
use azure_core::{
    error::ErrorKind as Azure,
    http::{ClientOptions, Method, Request, StatusCode, Url},
};
use azure_identity::{ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId};
use std::time::Duration;

/// The only address that is contacted without TLS: it is the machine's own, and receives no secret.
const ENDPOINT: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Machines outside Azure drop what is sent there, and the chain should not wait for that. Azure's SDKs use the same timeout.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Variables of App Service and others, which have their own address.
const OWN_ADDRESS: [&str; 2] = ["IDENTITY_ENDPOINT", "MSI_ENDPOINT"];

pub(super) async fn find(context: &CredentialContext, is_only: bool) -> CredentialSearch {
    let has_address = context.environment.first(&OWN_ADDRESS).is_some();
    if !has_address && !is_only && !answers(context).await {
        return CredentialSearch::Absent(format!("no response from {ENDPOINT}"));
    }
    let client = context.environment.get("AZURE_CLIENT_ID");
    // The chain is asked again for every token; the SDK's own waits are for the services' sake and stay.
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client.map(UserAssignedId::ClientId),
        client_options: ClientOptions { cloud: None, ..context.client_options() },
    };
    match ManagedIdentityCredential::new(Some(options)) {
        Ok(credential) => CredentialSearch::Configured(credential),
        Err(err) if has_address && !is_only => CredentialSearch::Absent(err.to_string()),
        Err(err) => CredentialSearch::Broken(broken("its configuration is invalid").with_source(err)),
    }
}

/// Any response will do: without its header, the service rejects the request.
async fn answers(context: &CredentialContext) -> bool {
    let Ok(address) = Url::parse(ENDPOINT) else { return false };
    let mut request = Request::new(address, Method::Get);
    request.insert_header("user-agent", crate::http::USER_AGENT_VALUE);
    matches!(tokio::time::timeout(TIMEOUT, context.transport.execute_request(&request)).await, Ok(Ok(_)))
}

/// The machine has no identity, or not this one.
pub(super) fn is_absent(err: &azure_core::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(err);
    while let Some(err) = next {
        if let Some(Azure::HttpResponse { status: StatusCode::BadRequest, .. }) =
            err.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind)
        {
            return true;
        }
        next = err.source();
    }
    false
}
