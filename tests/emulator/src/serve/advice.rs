//! The settings that each client needs to find the server and trust it.

use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::Server;
use crate::world::OWNER;

/// How the advice is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// Assignments that a POSIX shell sources.
    Env,
    /// One line of JSON.
    Json,
}

/// Where everything is.
struct Facts<'a> {
    origin: &'a str,
    proxy: &'a str,
    ca_file: String,
    control_token: &'a str,
    tenant: &'a str,
    subscription: &'a str,
    client_id: String,
    client_secret: String,
}

/// What is the same for all clients, as variables of the environment.
pub(super) fn environment(server: &Server, ca_file: &Path) -> Vec<(&'static str, String)> {
    facts(server, ca_file).variables()
}

/// The advice, with the line `ready` at its end.
pub(super) fn tell(server: &Server, ca_file: &Path, format: Format) -> String {
    let facts = facts(server, ca_file);
    let told = match format {
        Format::Text => text(&facts),
        Format::Env => env(&facts),
        Format::Json => format!("{}\n", document(&facts)),
    };
    let ready = if format == Format::Env { "# ready" } else { "ready" };
    format!("{told}{ready}\n")
}

fn facts<'a>(server: &'a Server, ca_file: &Path) -> Facts<'a> {
    let emulator = server.emulator();
    let (client_id, client_secret) = emulator.client_secret_of(OWNER);
    Facts {
        origin: server.origin(),
        proxy: server.proxy(),
        ca_file: ca_file.display().to_string(),
        control_token: server.control_token(),
        tenant: emulator.tenant(),
        subscription: emulator.subscription(),
        client_id,
        client_secret,
    }
}

impl Facts<'_> {
    /// What is the same for all clients, as variables of the environment.
    ///
    /// The names are those that the clients read; our own begin with `AKS_ACR_EMULATOR`.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let ca = || self.ca_file.clone();
        vec![
            ("AKS_ACR_EMULATOR", self.origin.to_owned()),
            ("AKS_ACR_EMULATOR_PROXY", self.proxy.to_owned()),
            ("AKS_ACR_EMULATOR_CA", ca()),
            ("AKS_ACR_EMULATOR_TOKEN", self.control_token.to_owned()),
            // Who signs in, as the SDKs' environment credentials read it.
            ("AZURE_TENANT_ID", self.tenant.to_owned()),
            ("AZURE_SUBSCRIPTION_ID", self.subscription.to_owned()),
            ("AZURE_CLIENT_ID", self.client_id.clone()),
            ("AZURE_CLIENT_SECRET", self.client_secret.clone()),
            // The way to every emulated host under its own name, and the trust in it.
            ("HTTPS_PROXY", self.proxy.to_owned()),
            ("https_proxy", self.proxy.to_owned()),
            // Not 127.0.0.1: kube 5 compares these names with the proxy's own, and would leave the proxy out.
            ("NO_PROXY", String::from("localhost")),
            ("no_proxy", String::from("localhost")),
            ("REQUESTS_CA_BUNDLE", ca()),
            ("SSL_CERT_FILE", ca()),
            ("NODE_EXTRA_CA_CERTS", ca()),
            ("CURL_CA_BUNDLE", ca()),
            // az: no discovery of the authority, no telemetry, no question which subscription is meant.
            ("AZURE_CORE_INSTANCE_DISCOVERY", String::from("false")),
            ("AZURE_CORE_COLLECT_TELEMETRY", String::from("no")),
            ("AZURE_CORE_LOGIN_EXPERIENCE_V2", String::from("off")),
            ("AZURE_CORE_NO_COLOR", String::from("true")),
        ]
    }
}

/// A word that a shell takes as it is.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn env(facts: &Facts<'_>) -> String {
    facts.variables().iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "export {name}={}", quoted(value));
        text
    })
}

fn document(facts: &Facts<'_>) -> Value {
    let variables: serde_json::Map<String, Value> =
        facts.variables().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json!({
        "origin": facts.origin,
        "proxy": facts.proxy,
        "caFile": facts.ca_file,
        "controlToken": facts.control_token,
        "tenant": facts.tenant,
        "subscription": facts.subscription,
        "clientId": facts.client_id,
        "clientSecret": facts.client_secret,
        "environment": variables,
        "clients": clients(facts),
        "pid": std::process::id(),
    })
}

/// The same by client, each with all that it needs and no more.
fn clients(facts: &Facts<'_>) -> Value {
    let Facts { origin, proxy, tenant, client_id, client_secret, .. } = facts;
    let ca = &facts.ca_file;
    let login = format!("az login --service-principal -u {client_id} -p {client_secret} --tenant {tenant}");
    let register = format!(
        "az cloud register -n emulator --endpoint-resource-manager {origin} --suffix-acr-login-server-endpoint .azurecr.io"
    );
    let quiet = json!({
        "AZURE_CORE_INSTANCE_DISCOVERY": "false", "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "off", "REQUESTS_CA_BUNDLE": ca, "HTTPS_PROXY": proxy,
    });
    let mut own = quiet.clone();
    own["NO_PROXY"] = "localhost".into();
    json!({
        "az": {"environment": quiet, "commands": [login]},
        "azCustomCloud": {"environment": own, "commands": [register, "az cloud set -n emulator", login]},
        "python": {
            "environment": {"REQUESTS_CA_BUNDLE": ca, "SSL_CERT_FILE": ca, "HTTPS_PROXY": proxy},
            "withoutProxy": {"authority": origin, "disable_instance_discovery": true, "base_url": origin,
                "credential_scopes": [format!("{origin}/.default")]},
        },
        "node": {
            "environment": {"NODE_EXTRA_CA_CERTS": ca, "HTTPS_PROXY": proxy},
            "withoutProxy": {"authorityHost": origin, "disableInstanceDiscovery": true, "endpoint": origin,
                "scopes": [format!("{origin}/.default")]},
        },
        "kubectl": {"environment": {}},
        "aksAcr": {
            "environment": {"SSL_CERT_FILE": ca, "HTTPS_PROXY": proxy, "NO_PROXY": "localhost"},
            "resourceManager": origin, "registrySuffix": ".azurecr.io",
        },
    })
}

/// What keeps a first az command from asking on the Internet for its newest version.
const NO_CALL_HOME: &str = r#"V=$(python3 -c 'import importlib.metadata as m; print(m.version("azure-cli"))') # or: az version
    printf '{"versions":{"azure-cli":{"local":"%s"},"core":{"local":"%s"},"telemetry":{"local":"1.1.0"}},"update_time":"2099-01-01 00:00:00.000000"}' \
      "$V" "$V" > "$AZURE_CONFIG_DIR/versionCheck.json""#;

fn text(facts: &Facts<'_>) -> String {
    let Facts { origin, proxy, ca_file, control_token, tenant, subscription, client_id, client_secret } = facts;
    let ca = quoted(ca_file);
    format!(
        "\
aks-acr-emulator serves an Azure of its own.

  origin        {origin}    (Resource Manager, Entra, Graph)
  proxy         {proxy}    (every emulated host under its own name; nothing is passed on)
  trust         {ca_file}
  tenant        {tenant}
  subscription  {subscription}
  owner         client id {client_id}
                secret    {client_secret}
  control       {origin}/_emulator/ with 'authorization: Bearer {control_token}'

az, as the public cloud, through the proxy:
    export AZURE_CONFIG_DIR=$(mktemp -d) AZURE_CORE_INSTANCE_DISCOVERY=false
    export AZURE_CORE_COLLECT_TELEMETRY=no AZURE_CORE_LOGIN_EXPERIENCE_V2=off
    export HTTPS_PROXY={proxy} REQUESTS_CA_BUNDLE={ca}
    {NO_CALL_HOME}
    az login --service-principal -u {client_id} -p {client_secret} --tenant {tenant}

az, as a cloud of its own (after the lines above but the last, for which a new AZURE_CONFIG_DIR does best; the proxy serves registries' data):
    export NO_PROXY=localhost
    az cloud register -n emulator --endpoint-resource-manager {origin} --suffix-acr-login-server-endpoint .azurecr.io
    az cloud set -n emulator
    az login --service-principal -u {client_id} -p {client_secret} --tenant {tenant}

azure-identity and azure-mgmt-* (Python):
    export REQUESTS_CA_BUNDLE={ca} SSL_CERT_FILE={ca} HTTPS_PROXY={proxy}     # the public cloud; nothing to change
    or without the proxy:
    ClientSecretCredential(tenant, id, secret, authority='{origin}', disable_instance_discovery=True)
    ContainerServiceClient(credential, subscription, base_url='{origin}', credential_scopes=['{origin}/.default'])

@azure/identity and @azure/arm-* (Node):
    export NODE_EXTRA_CA_CERTS={ca} HTTPS_PROXY={proxy}     # the public cloud; nothing to change
    or without the proxy:
    AZURE_AUTHORITY_HOST={origin}, {{ disableInstanceDiscovery: true }},
    new ContainerServiceClient(credential, subscription, {{ endpoint: '{origin}', credentials: {{ scopes: ['{origin}/.default'] }} }})

kubectl, with a kubeconfig of 'az aks get-credentials' (which names the proxy and the trust):
    nothing to set; other Kubernetes clients may want HTTPS_PROXY={proxy}

aks-acr, as a cloud of its own:
    export SSL_CERT_FILE={ca} HTTPS_PROXY={proxy} NO_PROXY=localhost
    Cloud::custom(\"{origin}\", \".azurecr.io\"); or the public cloud, without NO_PROXY

"
    )
}
