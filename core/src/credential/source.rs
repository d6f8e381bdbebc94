//! Each credential of the chain, from the variables that configure it.

use super::{
    Surroundings,
    assertion::{FileAssertion, OidcAssertion, OidcForm},
    broken,
    certificate::CertificateAssertion,
    choice::Kind,
    managed,
};
use crate::error::Error;
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

/// What became of looking for a credential.
pub(super) enum Found {
    Configured(Arc<dyn TokenCredential>),
    /// Not configured: the reason, for a reader.
    Absent(String),
    /// Configured, and of no use.
    Broken(Error),
}

/// Looks for a credential. One that is the only one is not asked first whether it is there.
pub(super) async fn find(kind: Kind, around: &Surroundings, is_only: bool) -> Found {
    let found = match kind {
        Kind::Environment => environment(around),
        Kind::GitHubActions => git_hub(around),
        Kind::WorkloadIdentity => workload(around),
        Kind::AzurePipelines => pipelines(around),
        Kind::ManagedIdentity => return managed::find(around, is_only).await,
        Kind::AzureCli => return az(around),
        Kind::AzureDeveloperCli => return azd(around),
    };
    found.unwrap_or_else(|missing| missing)
}

/// A developer's tool that is not signed in, and an identity that the machine does not have, are no faults: the next is asked.
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

type Looked = Result<Found, Found>;

/// The values of variables that only make sense together, or which of them are missing.
fn all<const N: usize>(around: &Surroundings, names: [&str; N]) -> Result<[String; N], Found> {
    let values = names.map(|name| around.environment.get(name));
    let missing: Vec<&str> =
        names.iter().zip(&values).filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(values.map(Option::unwrap_or_default));
    }
    Err(Found::Absent(format!("not set: {}", missing.join(", "))))
}

fn made<C: TokenCredential + 'static>(credential: azure_core::Result<Arc<C>>) -> Found {
    match credential {
        Ok(credential) => Found::Configured(credential),
        Err(err) => Found::Broken(broken("its configuration cannot be used").with_source(err)),
    }
}

fn asserting(
    around: &Surroundings,
    tenant: String,
    client: String,
    assertion: impl ClientAssertion + 'static,
) -> Found {
    let options = ClientAssertionCredentialOptions { client_options: around.client_options() };
    made(ClientAssertionCredential::new(tenant, client, assertion, Some(options)))
}

/// A service principal with a secret or a certificate.
fn environment(around: &Surroundings) -> Looked {
    const SECRET: &str = "AZURE_CLIENT_SECRET";
    const CERTIFICATE: &str = "AZURE_CLIENT_CERTIFICATE_PATH";
    let [tenant, client] = all(around, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    if let Some(secret) = around.environment.get(SECRET) {
        let options = ClientSecretCredentialOptions { client_options: around.client_options() };
        return Ok(made(ClientSecretCredential::new(&tenant, client, Secret::new(secret), Some(options))));
    }
    let Some(path) = around.environment.get(CERTIFICATE) else {
        return Err(Found::Absent(format!("not set: {SECRET}, {CERTIFICATE}")));
    };
    let sends_chain = around.environment.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    let sends_chain = sends_chain.is_some_and(|word| word == "1" || word.eq_ignore_ascii_case("true"));
    let endpoint = format!("{}/{tenant}/oauth2/v2.0/token", around.authority);
    let assertion = CertificateAssertion::read(&path, endpoint, client.clone(), sends_chain).map_err(Found::Broken)?;
    Ok(asserting(around, tenant, client, assertion))
}

/// A service account of Kubernetes that stands for an identity.
fn workload(around: &Surroundings) -> Looked {
    let [file, tenant, client] = all(around, ["AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    Ok(asserting(around, tenant, client, FileAssertion::new(file)))
}

/// A workflow of GitHub that has the permission `id-token: write`.
fn git_hub(around: &Surroundings) -> Looked {
    let [address, token] = all(around, ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])?;
    let [tenant, client] = all(around, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"])?;
    let mut address = https(&address, "ACTIONS_ID_TOKEN_REQUEST_URL")?;
    address.query_pairs_mut().append_pair("audience", "api://AzureADTokenExchange");
    let assertion = OidcAssertion::new(OidcForm::GitHub, address, token.into(), around.client_options());
    Ok(asserting(around, tenant, client, assertion))
}

/// A service connection of Azure Pipelines. Its tasks set the variables with `AZURESUBSCRIPTION`; the token of the run is
/// mapped by hand.
fn pipelines(around: &Surroundings) -> Looked {
    let names = ["SYSTEM_OIDCREQUESTURI", "SYSTEM_ACCESSTOKEN", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"];
    let [address, token, connection] = all(around, names)?;
    let one = |names: [&str; 2]| {
        let value = around.environment.first(&names).map(|(_, value)| value);
        value.ok_or_else(|| Found::Absent(format!("not set: {}", names.join(" or "))))
    };
    let tenant = one(["AZURESUBSCRIPTION_TENANT_ID", "AZURE_TENANT_ID"])?;
    let client = one(["AZURESUBSCRIPTION_CLIENT_ID", "AZURE_CLIENT_ID"])?;
    let mut address = https(&address, names[0])?;
    address.query_pairs_mut().append_pair("api-version", "7.1").append_pair("serviceConnectionId", &connection);
    let assertion = OidcAssertion::new(OidcForm::Pipelines, address, token.into(), around.client_options());
    Ok(asserting(around, tenant, client, assertion))
}

/// The token that is shown there is a secret, and goes nowhere without TLS.
fn https(address: &str, name: &str) -> Result<Url, Found> {
    let url = Url::parse(address).ok().filter(|url| url.scheme() == "https" && url.has_host());
    url.ok_or_else(|| Found::Broken(broken(format!("{name} is no https address"))))
}

fn az(around: &Surroundings) -> Found {
    let options = AzureCliCredentialOptions { executor: around.executor.clone(), ..Default::default() };
    made(AzureCliCredential::new(Some(options)))
}

fn azd(around: &Surroundings) -> Found {
    let options = AzureDeveloperCliCredentialOptions { executor: around.executor.clone(), ..Default::default() };
    made(AzureDeveloperCliCredential::new(Some(options)))
}
