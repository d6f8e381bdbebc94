//! Tokens: who gets one, and where it is good.

use aks_acr_emulator::{Emulator, Service, Timing};
use azure_core::http::Method;
use std::time::Duration;

use crate::client::{ARM, send, token};

const FORM: &str = "grant_type=client_credentials&scope=https%3A%2F%2Fmanagement.azure.com%2F.default";

async fn ask(azure: &Emulator, form: &str) -> crate::client::Answer {
    let url = format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", azure.tenant());
    send(azure, Method::Post, &url, &[], Some(form.to_owned())).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_wrong_secret_gets_no_token() {
    let azure = Emulator::new();
    let (client, _) = azure.client_secret_of("owner");
    let answer = ask(&azure, &format!("{FORM}&client_id={client}&client_secret=wrong")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(answer.body["error"], "invalid_client");
    assert_eq!(answer.body["error_codes"][0], 7_000_215);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_application_gets_no_token() {
    let answer = ask(&Emulator::new(), &format!("{FORM}&client_id=nobody&client_secret=x")).await;
    assert_eq!((answer.status, answer.body["error_codes"][0].as_u64()), (400, Some(700_016)));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_resource_gets_no_token() {
    let azure = Emulator::new();
    let fault = azure.credential().get_token(&["https://example.com/.default"], None).await.unwrap_err();
    assert!(fault.to_string().contains("AADSTS500011"), "{fault}");
}

#[tokio::test(start_paused = true)]
async fn the_discovery_document_leads_to_the_token_endpoint() {
    let azure = Emulator::new();
    let url = format!("https://login.microsoftonline.com/{}/v2.0/.well-known/openid-configuration", azure.tenant());
    let answer = send(&azure, Method::Get, &url, &[], None).await.unwrap();
    let endpoint = answer.body["token_endpoint"].as_str().unwrap();
    assert!(endpoint.ends_with(&format!("{}/oauth2/v2.0/token", azure.tenant())));
}

#[tokio::test(start_paused = true)]
async fn a_token_for_another_service_is_refused_by_arm() {
    let azure = Emulator::new();
    let wrong = token(&azure, "owner", "https://graph.microsoft.com").await;
    let url = format!("{ARM}/subscriptions?api-version=2022-12-01");
    let answer = send(&azure, Method::Get, &url, &[("authorization", format!("Bearer {wrong}"))], None).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, "InvalidAuthenticationTokenAudience"));
    assert!(answer.header("www-authenticate").is_some());
}

#[tokio::test(start_paused = true)]
async fn tokens_live_60_to_90_minutes_and_those_of_machines_a_day() {
    let azure = Emulator::new();
    let (client, secret) = azure.client_secret_of("owner");
    let mut lives = std::collections::BTreeSet::new();
    for _ in 0..20 {
        let answer = ask(&azure, &format!("{FORM}&client_id={client}&client_secret={secret}")).await;
        let life = answer.body["expires_in"].as_u64().unwrap();
        assert!((3600..=5400).contains(&life), "{life}");
        lives.insert(life);
        tokio::time::advance(Duration::from_secs(37)).await;
    }
    assert!(lives.len() > 10, "{lives:?}");
    let azure = Emulator::new().with_caller("machine", &[]).with_machine_identities(&["machine"]);
    let url = "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/";
    let answer = send(&azure, Method::Get, url, &[("metadata", "true".to_owned())], None).await.unwrap();
    assert_eq!(answer.body["expires_in"], "86400");
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_refused_by_arm() {
    let azure = Emulator::new();
    azure.set_timing(Timing::none().with_token(Duration::from_secs(60)));
    let old = token(&azure, "owner", ARM).await;
    tokio::time::advance(Duration::from_secs(73)).await;
    let url = format!("{ARM}/subscriptions?api-version=2022-12-01");
    let answer = send(&azure, Method::Get, &url, &[("authorization", format!("Bearer {old}"))], None).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, "ExpiredAuthenticationToken"));
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_token_is_refused_by_arm() {
    let url = format!("{ARM}/subscriptions?api-version=2022-12-01");
    let answer = send(&Emulator::new(), Method::Get, &url, &[], None).await.unwrap();
    assert_eq!((answer.status, answer.code()), (401, "AuthenticationFailed"));
}

#[tokio::test(start_paused = true)]
async fn tokens_show_in_the_log_by_the_name_of_who_asked() {
    let azure = Emulator::new().with_caller("reader", &[]);
    token(&azure, "reader", ARM).await;
    let log = azure.requests();
    assert_eq!((log[0].service, log[0].caller.as_deref()), (Service::Entra, Some("reader")));
    assert!(!format!("{azure:?} {log:?}").contains(&azure.client_secret_of("reader").1));
}

#[test]
#[should_panic(expected = "member nobody does not exist")]
fn a_scene_that_names_a_caller_who_is_not_there_is_refused() {
    let _ = Emulator::new().with_member("team", "nobody");
}

/// A token with claims as Entra makes them, signed by no one.
fn real_token() -> String {
    use base64::Engine as _;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = r#"{"aud":"https://management.azure.com","iss":"https://sts.windows.net/11111111-1111-4111-8111-111111111111/"}"#;
    format!("{}.{}.c2lnbmVkLWJ5LW5vYm9keQ", part(r#"{"typ":"JWT","alg":"RS256","kid":"real"}"#), part(claims))
}

#[tokio::test(start_paused = true)]
async fn a_token_of_the_real_azure_is_refused_and_kept_nowhere() {
    let azure = Emulator::new().with_registry("group", "myregistry").with_cluster("group", "dev");
    let (token, bearer) = (real_token(), format!("Bearer {}", real_token()));
    let registry = format!("{ARM}{}?api-version=2025-11-01", azure.registry_id("group", "myregistry"));
    let urls = [
        registry,
        "https://graph.microsoft.com/v1.0/servicePrincipals".into(),
        "https://myregistry.azurecr.io/v2/".into(),
    ];
    for url in urls {
        let answer = send(&azure, Method::Get, &url, &[("authorization", bearer.clone())], None).await.unwrap();
        assert_eq!(answer.status, 401, "{url}");
        let text = answer.body.to_string();
        assert!(
            text.contains("a token of the real Azure, issued by sts.windows.net") && !text.contains(&token),
            "{url}: {text}"
        );
    }
    let exchange = format!("grant_type=access_token&service=myregistry.azurecr.io&access_token={token}");
    let form = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let answer = send(&azure, Method::Post, "https://myregistry.azurecr.io/oauth2/exchange", &form, Some(exchange))
        .await
        .unwrap();
    assert_eq!(answer.status, 401);
    let kept = format!("{:?} {:?}", azure.requests(), azure);
    assert!(!kept.contains(&token) && azure.requests().len() == 4, "{kept}");
}
