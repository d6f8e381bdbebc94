//! Which credential counts.

use crate::{attach, azure, builder, ids, outside::Outside, sign_ins, tool::SignedIn, with};
use aks_acr::{CallOptions, Cloud, ErrorKind};
use aks_acr_emulator::Fault;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_secret_of_the_environment_signs_in_once_for_each_audience() {
    let azure = azure().with_image("myregistry.azurecr.io/nginx:v1", &["linux/amd64"]);
    let (_, secret) = azure.client_secret_of("owner");
    let client = builder(&azure, with(ids(&azure), &[("AZURE_CLIENT_SECRET", &secret)])).build().unwrap();
    for _ in 0..3 {
        attach(&client).await.unwrap();
        let call = CallOptions::default().start(Duration::from_secs(60));
        let image = "myregistry.azurecr.io/nginx:v1".parse().unwrap();
        assert!(client.registry_importer().image(&image, &call).await.unwrap().is_some());
    }
    assert_eq!(sign_ins(&azure), 2, "Resource Manager's and the registries'");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_replaced_once() {
    let azure = azure().with_image("myregistry.azurecr.io/nginx:v1", &["linux/amd64"]);
    let (_, secret) = azure.client_secret_of("owner");
    let client = builder(&azure, with(ids(&azure), &[("AZURE_CLIENT_SECRET", &secret)])).build().unwrap();
    azure.fault(Fault::on("PUT", "/roleAssignments/").expired_token());
    attach(&client).await.unwrap();
    assert_eq!(sign_ins(&azure), 2, "Resource Manager's, and another in its place");
    azure.fault(Fault::on("GET", "managedClusters").expired_token().times(1000));
    let err = attach(&client).await.unwrap_err();
    assert_eq!((err.kind(), sign_ins(&azure)), (ErrorKind::Unauthenticated, 3), "who refuses two tokens means it");
    azure.fault(Fault::on("POST", "/oauth2/exchange").status(401));
    let call = CallOptions::default().start(Duration::from_secs(60));
    let image = "myregistry.azurecr.io/nginx:v1".parse().unwrap();
    assert!(client.registry_importer().image(&image, &call).await.unwrap().is_some());
    assert_eq!(sign_ins(&azure), 5, "the registries', and another in its place");
}

#[tokio::test(start_paused = true)]
async fn requests_whose_token_is_refused_at_once_share_the_next_one() {
    let azure = azure();
    let (_, secret) = azure.client_secret_of("owner");
    let client = builder(&azure, with(ids(&azure), &[("AZURE_CLIENT_SECRET", &secret)])).build().unwrap();
    attach(&client).await.unwrap();
    azure.fault(Fault::on("GET", "managedClusters").expired_token().times(4));
    for done in futures::future::join_all((0..4).map(|_| attach(&client))).await {
        done.unwrap();
    }
    assert_eq!(sign_ins(&azure), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_configured_and_fails_is_an_error_and_not_passed_over() {
    let azure = azure();
    let tool = SignedIn::to("az", &azure);
    let wrong = with(ids(&azure), &[("AZURE_CLIENT_SECRET", "top-secret")]);
    let client = builder(&azure, wrong).developer_tools(tool.clone()).build().unwrap();
    let err = attach(&client).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    let long = format!("{err:#}");
    assert!(long.contains("EnvironmentCredential") && long.contains("AADSTS7000215"), "{long}");
    assert_eq!(long.matches("AADSTS7000215").count(), 1, "{long}");
    assert!(!format!("{long} {err:?} {client:?}").contains("top-secret"), "{long}");
    assert!(tool.runs.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_configured_each_is_named_with_its_reason() {
    let azure = azure();
    let err = attach(&builder(&azure, Vec::new()).build().unwrap()).await.unwrap_err();
    assert_eq!(err.kind(), ErrorKind::Unauthenticated);
    let long = format!("{err:#}");
    for part in [
        "EnvironmentCredential: not set: AZURE_TENANT_ID, AZURE_CLIENT_ID",
        "GitHubActionsCredential: not set: ACTIONS_ID_TOKEN_REQUEST_URL",
        "WorkloadIdentityCredential: not set: AZURE_FEDERATED_TOKEN_FILE",
        "AzurePipelinesCredential: not set: SYSTEM_OIDCREQUESTURI",
        "ManagedIdentityCredential: no response from http://169.254.169.254",
        "AzureCliCredential: AzureCliCredential authentication failed. az not found on PATH",
        "AzureDeveloperCliCredential: AzureDeveloperCliCredential authentication failed. azd not found on PATH",
    ] {
        assert!(long.contains(part), "{part}: {long}");
    }
    assert!(!long.contains('\n'), "{long}");
}

#[tokio::test(start_paused = true)]
async fn the_variable_that_narrows_the_chain_is_honoured() {
    let azure = azure();
    let (_, secret) = azure.client_secret_of("owner");
    let configured = with(ids(&azure), &[("AZURE_CLIENT_SECRET", &secret)]);
    for (word, runs) in [("", 0), ("prod", 0), ("dev", 1), ("AzureCliCredential", 1)] {
        let tool = SignedIn::to("az", &azure);
        let variables = with(configured.clone(), &[("AZURE_TOKEN_CREDENTIALS", word)]);
        attach(&builder(&azure, variables).developer_tools(tool.clone()).build().unwrap()).await.unwrap();
        assert_eq!(tool.runs.lock().unwrap().len(), runs, "{word}");
    }
    let err = builder(&azure, vec![("AZURE_TOKEN_CREDENTIALS", "mine".to_owned())]).build().unwrap_err();
    assert_eq!(err.kind(), ErrorKind::InvalidInput);
}

#[tokio::test(start_paused = true)]
async fn a_developers_tool_is_started_once_for_each_audience() {
    let azure = azure();
    for tool in ["az", "azd"] {
        let runs = SignedIn::to(tool, &azure);
        let client = builder(&azure, Vec::new()).developer_tools(runs.clone()).build().unwrap();
        let calls = (0..8).map(|_| attach(&client));
        for done in futures::future::join_all(calls).await {
            done.unwrap();
        }
        let runs = runs.runs.lock().unwrap();
        assert_eq!(runs.len(), 1, "{runs:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_come_from_the_authority_of_the_cloud() {
    let azure = azure();
    let variables =
        with(ids(&azure), &[("AZURE_CLIENT_SECRET", "s"), ("AZURE_AUTHORITY_HOST", "https://named.example/")]);
    let custom = || Cloud::custom("https://arm.example", ".azurecr.example").unwrap();
    for (cloud, host) in [
        (Cloud::public(), "login.microsoftonline.com"),
        (Cloud::china(), "login.chinacloudapi.cn"),
        (Cloud::us_government(), "login.microsoftonline.us"),
        (Cloud::bleu(), "login.sovcloud-identity.fr"),
        (custom(), "named.example"),
        (custom().with_authority("https://login.example").unwrap(), "login.example"),
    ] {
        let outside = Outside::of(&azure, |_| None);
        let client = builder(&azure, variables.clone()).cloud(cloud).transport(outside.clone()).build().unwrap();
        attach(&client).await.unwrap_err();
        let wanted = format!("POST https://{host}/{}/oauth2/v2.0/token", azure.tenant());
        assert_eq!(outside.asked().first(), Some(&wanted));
    }
    let plain = vec![("AZURE_AUTHORITY_HOST", "http://named.example".to_owned())];
    assert_eq!(builder(&azure, plain).cloud(custom()).build().unwrap_err().kind(), ErrorKind::InvalidInput);
}
