//! Every kind of credential that people have, each as it is configured.

use crate::{
    detector::Secrets,
    tools::{NoTool, RealTool},
    watching::{Outside, Watching},
};
use aks_acr::{Client, ClientBuilder};
use aks_acr_emulator::Emulator;
use aks_acr_tests::folder::Folder;
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::StatusCode,
};
use futures::{FutureExt as _, future::ready};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use serde_json::json;
use std::{
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

const ISSUER: &str = "https://issuer.example";
/// The token of a run, with which it gets an assertion.
const RUN: &str = "token-of-the-run-itself";
/// What App Service wants to see.
pub const HEADER: &str = "identity-header-of-the-app";

/// Where a run plays.
pub struct Scene {
    pub azure: Emulator,
    pub secrets: Arc<Secrets>,
    pub folder: Folder,
}

/// How a caller signs in.
pub struct Kind {
    pub name: &'static str,
    make: fn(&Scene) -> Beginning,
}

/// A builder without its transport, and what answers outside of Azure.
pub struct Beginning {
    builder: ClientBuilder,
    outside: Option<Outside>,
}

impl Kind {
    /// The builder of a client that signs in so, and its transport.
    pub fn begin(&self, scene: &Scene) -> (ClientBuilder, Watching) {
        let Beginning { builder, outside } = (self.make)(scene);
        let transport = Watching::new(scene.azure.transport(), scene.secrets.clone(), outside);
        (builder.kubernetes(scene.azure.kubernetes()), transport)
    }
}

pub const KINDS: &[Kind] = &[
    Kind { name: "a secret", make: secret },
    Kind { name: "a certificate", make: certificate },
    Kind { name: "GitHub", make: git_hub },
    Kind { name: "workload identity", make: workload },
    Kind { name: "Azure Pipelines", make: pipelines },
    Kind { name: "a machine's identity", make: machine },
    Kind { name: "one of a machine's identities", make: named_machine },
    Kind { name: "az", make: az },
    Kind { name: "azd", make: azd },
    Kind { name: "the caller's own", make: own },
];

/// Needs variables of the process itself.
pub const APP_SERVICE: Kind = Kind { name: "App Service", make: app_service };

/// An Azure in which each of them can sign in.
pub fn scene(secrets: &Arc<Secrets>) -> Scene {
    let azure = Emulator::new()
        .with_cluster("group", "dev")
        .with_registry("group", "myregistry")
        .with_image("docker.io/library/nginx:latest", &["linux/amd64"])
        .with_federated_credential("owner", ISSUER, "run");
    Scene { azure, secrets: secrets.clone(), folder: Folder::new() }
}

fn default_chain(scene: &Scene, variables: Vec<(&'static str, String)>) -> ClientBuilder {
    Client::builder_with_default_credential(scene.azure.subscription())
        .environment(move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone()))
        .developer_tools(Arc::new(NoTool))
}

fn ids(scene: &Scene) -> Vec<(&'static str, String)> {
    let (client, _) = scene.azure.client_secret_of("owner");
    vec![("AZURE_TENANT_ID", scene.azure.tenant().to_owned()), ("AZURE_CLIENT_ID", client)]
}

fn plain(builder: ClientBuilder) -> Beginning {
    Beginning { builder, outside: None }
}

fn secret(scene: &Scene) -> Beginning {
    let (_, secret) = scene.azure.client_secret_of("owner");
    scene.secrets.add("AZURE_CLIENT_SECRET", &secret);
    plain(default_chain(scene, [ids(scene), vec![("AZURE_CLIENT_SECRET", secret)]].concat()))
}

fn certificate(scene: &Scene) -> Beginning {
    let key = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let made = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
    scene.secrets.add_pem("the key of a certificate", &key.serialize_pem());
    // The owner knows this certificate from now on: clones of an emulator are the same one.
    let _ = scene.azure.clone().with_certificate("owner", made.der());
    let path = scene.folder.join("certificate.pem");
    fs::write(&path, format!("{}{}", key.serialize_pem(), made.pem())).unwrap();
    let more = vec![("AZURE_CLIENT_CERTIFICATE_PATH", path.to_str().unwrap().to_owned())];
    plain(default_chain(scene, [ids(scene), more].concat()))
}

fn assertion(scene: &Scene) -> String {
    let token = scene.azure.federated_token(ISSUER, "run", Duration::from_secs(3600));
    scene.secrets.add_token("an assertion", &token);
    token
}

fn workload(scene: &Scene) -> Beginning {
    let path = scene.folder.join("federated-token");
    fs::write(&path, assertion(scene)).unwrap();
    let more = vec![("AZURE_FEDERATED_TOKEN_FILE", path.to_str().unwrap().to_owned())];
    plain(default_chain(scene, [ids(scene), more].concat()))
}

fn answering(scene: &Scene, host: &'static str, field: &'static str) -> Outside {
    scene.secrets.add("the token of a run", RUN);
    let token = assertion(scene);
    Box::new(move |request| {
        let answer = json!({ field: token });
        (request.url().host_str() == Some(host)).then(|| ready((StatusCode::Ok, answer)).boxed())
    })
}

fn git_hub(scene: &Scene) -> Beginning {
    let address = "https://actions.example/run/token?api-version=2.0".to_owned();
    let more = vec![("ACTIONS_ID_TOKEN_REQUEST_URL", address), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", RUN.to_owned())];
    let builder = default_chain(scene, [ids(scene), more].concat());
    Beginning { builder, outside: Some(answering(scene, "actions.example", "value")) }
}

fn pipelines(scene: &Scene) -> Beginning {
    let more = vec![
        ("SYSTEM_OIDCREQUESTURI", "https://pipelines.example/oidc".to_owned()),
        ("SYSTEM_ACCESSTOKEN", RUN.to_owned()),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection".to_owned()),
    ];
    let builder = default_chain(scene, [ids(scene), more].concat());
    Beginning { builder, outside: Some(answering(scene, "pipelines.example", "oidcToken")) }
}

fn machine(scene: &Scene) -> Beginning {
    let _ = scene.azure.clone().with_machine_identities(&["owner"]);
    plain(default_chain(scene, Vec::new()))
}

fn named_machine(scene: &Scene) -> Beginning {
    let _ = scene.azure.clone().with_machine_identities(&["owner"]);
    plain(default_chain(scene, vec![ids(scene).remove(1)]))
}

fn app_service(scene: &Scene) -> Beginning {
    scene.secrets.add("IDENTITY_HEADER", HEADER);
    let around = ["IDENTITY_ENDPOINT", "IDENTITY_HEADER"].map(|name| (name, std::env::var(name).unwrap()));
    let azure = scene.azure.clone().with_machine_identities(&["owner"]);
    let outside: Outside = Box::new(move |request| {
        if request.url().host_str() != Some("app.example") {
            return None;
        }
        assert_eq!(request.headers().get_optional_str(&"x-identity-header".into()), Some(HEADER));
        let (_, resource) = request.url().query_pairs().find(|(name, _)| name == "resource")?;
        let (resource, credential) = (resource.into_owned(), azure.credential());
        let answer = async move {
            // Entra, which stands behind it, may refuse.
            let Ok(token) = credential.get_token(&[&format!("{resource}/.default")], None).await else {
                return (
                    StatusCode::Unauthorized,
                    json!({ "statusCode": 401, "message": "No token for this identity." }),
                );
            };
            let (secret, end) = (token.token.secret(), token.expires_on.unix_timestamp().to_string());
            let body =
                json!({ "access_token": secret, "expires_on": end, "resource": resource, "token_type": "Bearer" });
            (StatusCode::Ok, body)
        };
        Some(answer.boxed())
    });
    Beginning { builder: default_chain(scene, around.to_vec()), outside: Some(outside) }
}

fn az(scene: &Scene) -> Beginning {
    plain(default_chain(scene, Vec::new()).developer_tools(Arc::new(RealTool::install("az", scene))))
}

fn azd(scene: &Scene) -> Beginning {
    plain(default_chain(scene, Vec::new()).developer_tools(Arc::new(RealTool::install("azd", scene))))
}

fn own(scene: &Scene) -> Beginning {
    let careless = Careless::new(scene.azure.credential(), scene.secrets.clone());
    plain(Client::builder(careless, scene.azure.subscription()))
}

/// A credential that remembers what it gave, and shows it to anyone who asks.
#[derive(Debug)]
pub struct Careless {
    inner: Arc<dyn TokenCredential>,
    secrets: Arc<Secrets>,
    given: Mutex<Vec<String>>,
}

impl Careless {
    pub fn new(inner: Arc<dyn TokenCredential>, secrets: Arc<Secrets>) -> Arc<Self> {
        Arc::new(Self { inner, secrets, given: Mutex::default() })
    }
}

#[async_trait]
impl TokenCredential for Careless {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let token = self.inner.get_token(scopes, options).await?;
        self.secrets.add_token("a token of the caller's credential", token.token.secret());
        self.given.lock().unwrap().push(token.token.secret().to_owned());
        Ok(token)
    }
}
