//! Creates each credential of the chain from its variables.

use super::{
    assertion::{FileAssertion, OidcAssertion, OidcForm},
    certificate::CertificateAssertion,
    choice::Kind,
    context::{CredentialContext, CredentialSearch, broken},
    managed,
};
use azure_core::{
    credentials::{Secret, TokenCredential},
    http::Url,
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential, AzureDeveloperCliCredentialOptions,
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions,
};
use std::sync::Arc;

/// Searches for a credential. If it is the only one, its availability is not checked first.
pub(super) async fn find(kind: Kind, context: &CredentialContext, is_only: bool) -> CredentialSearch {
    let found = match kind {
        Kind::Environment => environment(context),
        Kind::GitHubActions => git_hub(context),
        Kind::WorkloadIdentity => workload(context),
        Kind::AzurePipelines => pipelines(context),
        Kind::ManagedIdentity => return managed::find(context, is_only).await,
        Kind::AzureCli => return az(context),
        Kind::AzureDeveloperCli => return azd(context),
    };
    found.unwrap_or_else(|missing| missing)
}

/// A developer tool without a sign-in, and an identity that the machine does not have, are not errors: the next credential is tried.
pub(super) fn is_passed_over(kind: Kind, err: &azure_core::Error) -> bool {
    match kind {
        // One that is signed in, and has no network, is the one that is meant.
        Kind::AzureCli | Kind::AzureDeveloperCli => {
            err.get_ref().is_none_or(|inner| !inner.is::<crate::http::SignInTrouble>())
        }
        Kind::ManagedIdentity => managed::is_absent(err),
        _ => false,
    }
}

type Looked = Result<CredentialSearch, CredentialSearch>;

/// The values of variables that are only used together, or which of them are missing.
fn all<const N: usize>(context: &CredentialContext, names: [&str; N]) -> Result<[String; N], CredentialSearch> {
    let values = names.map(|name| context.environment.get(name));
    let missing: Vec<&str> =
        names.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(values.map(Option::unwrap_or_default));
    }
    Err(CredentialSearch::Absent(format!("not set: {}", missing.join(", "))))
}

fn made<C: TokenCredential + 'static>(credential: azure_core::Result<Arc<C>>) -> CredentialSearch {
    match credential {
        Ok(credential) => CredentialSearch::Configured(credential),
        Err(err) => CredentialSearch::Broken(broken("its configuration is invalid").with_source(err)),
    }
}

fn asserting(
    context: &CredentialContext,
    tenant: String,
    client: String,
    assertion: impl ClientAssertion + 'static,
) -> CredentialSearch {
    let options = ClientAssertionCredentialOptions { client_options: context.client_options() };
    made(ClientAssertionCredential::new(tenant, client, assertion, Some(options)))
}

/// A service principal with a secret or a certificate.
fn environment(context: &CredentialContext) -> Looked {
    const SECRET: &str = "AZURE_CLIENT_SECRET";
    const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
    let [tenant, client] = all(context, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    if let Some(secret) = context.environment.get(SECRET) {
        let options = ClientSecretCredentialOptions { client_options: context.client_options() };
        return Ok(made(ClientSecretCredential::new(&tenant, client, Secret::new(secret), Some(options))));
    }
    let Some(path) = context.environment.get(CERTIFICATE) else {
        return Err(CredentialSearch::Absent(format!("not set: {SECRET}, {CERTIFICATE}")));
    };
    let sends_chain = context.environment.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    let sends_chain = sends_chain.is_some_and(|word| word == "1" || word.eq_ignore_ascii_case("true"));
    let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", context.authority);
    let assertion =
        CertificateAssertion::read(&path, endpoint, client.clone(), sends_chain).map_err(CredentialSearch::Broken)?;
    Ok(asserting(context, tenant, client, assertion))
}

/// A Kubernetes service account that is federated with an identity.
fn workload(context: &CredentialContext) -> Looked {
    let [file, tenant, client] = all(context, ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    Ok(asserting(context, tenant, client, FileAssertion::new(file)))
}

/// A GitHub workflow with the permission `id-token: write`.
fn git_hub(context: &CredentialContext) -> Looked {
    let [address, token] = all(context, ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])?;
    let [tenant, client] = all(context, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    let mut address = https(&address, "ACTIONS_ID_TOKEN_REQUEST_URL")?;
    address.query_pairs_mut().append_pair("audience", "api://AzureADTokenExchange");
    let assertion = OidcAssertion::new(OidcForm::GitHub, address, token.into(), context.client_options());
    Ok(asserting(context, tenant, client, assertion))
}

/// An Azure Pipelines service connection. Its tasks set the variables with `AZURESUBSCRIPTION`; the run's token is mapped manually.
fn pipelines(context: &CredentialContext) -> Looked {
    let names = ["SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"];
    let [address, token, connection] = all(context, names)?;
    let one = |names: [&str; 2]| {
        let value = context.environment.first(&names).map(|(_, value)| value);
        value.ok_or_else(|| CredentialSearch::Absent(format!("not set: {}", names.join(" or "))))
    };
    let tenant = one(["AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID"])?;
    let client = one(["AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID"])?;
    let mut address = https(&address, names[0])?;
    address.query_pairs_mut().append_pair("api-version", "7.1").append_pair("serviceConnectionId", &connection);
    let assertion = OidcAssertion::new(OidcForm::Pipelines, address, token.into(), context.client_options());
    Ok(asserting(context, tenant, client, assertion))
}

/// The token sent there is a secret, and requires TLS.
fn https(address: &str, name: &str) -> Result<Url, CredentialSearch> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.ok_or_else(|| CredentialSearch::Broken(broken(format!("{name} is not an https address"))))
}

fn az(context: &CredentialContext) -> CredentialSearch {
    let options = AzureCliCredentialOptions { executor: context.executor.clone(), ..Default::default() };
    made(AzureCliCredential::new(Some(options)))
}

fn azd(context: &CredentialContext) -> CredentialSearch {
    let options = AzureDeveloperCliCredentialOptions { executor: context.executor.clone(), ..Default::default() };
    made(AzureDeveloperCliCredential::new(Some(options)))
}
