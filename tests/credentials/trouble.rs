//! Trouble on the way to a token is no question of who the caller is: it is `unavailable` or `rate_limited`, and known within half a minute.

use crate::{
    Variables, attach, azure, builder, ids,
    tool::Says,
    wire::{Script, Wire},
    with,
};
use aks_acr::{AttachOptions, ClusterRef, Error, ErrorKind};
use aks_acr_emulator::Emulator;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const ENTRA: &str = "login.microsoftonline.com";
const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const WAIT: &[(&str, &str)] = &[("content-type", "application/json"), ("retry-after", "300")];
const AWAY: &[(&str, &str)] = &[("location", "https://portal.example/?state=secret")];

fn body(status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> Script {
    Script::Body(status, headers, body.to_owned())
}

fn secret(azure: &Emulator) -> Variables {
    let (_, secret) = azure.client_secret_of("owner");
    with(ids(azure), &[("AZURE_CLIENT_SECRET", &secret)])
}

/// The error of an attach whose sign-in meets this, how long it took, and how often the host was asked.
async fn meet(
    script: Script,
    host: &'static str,
    variables: impl Fn(&Emulator) -> Variables,
) -> (Error, Duration, usize) {
    let azure = azure();
    let wire = Wire::of(&azure, move |request| (request.url().host_str() == Some(host)).then(|| script.clone()));
    let client = builder(&azure, variables(&azure)).transport(wire.clone()).build().unwrap();
    let begun = Instant::now();
    let err = attach(&client).await.unwrap_err();
    (err, begun.elapsed(), wire.count(host))
}

#[tokio::test(start_paused = true)]
async fn no_way_to_the_sign_in_service_is_no_question_of_the_caller() {
    for script in [
        Script::Unreachable("dns error: failed to lookup address information"),
        Script::Unreachable("connection refused"),
        Script::Unreachable("tunnel error: unsuccessful"),
        Script::Silent,
        Script::Endless(503),
        body(500, JSON, r#"{"error":"server_error"}"#),
        body(503, JSON, r#"{"error":"temporarily_unavailable","error_description":"AADSTS90033"}"#),
        body(400, JSON, r#"{"error":"temporarily_unavailable"}"#),
        body(502, HTML, "<html><title>Bad gateway</title></html>"),
        body(504, HTML, ""),
        body(200, HTML, "<html><title>Sign in to the network</title></html>"),
        body(200, JSON, "garbage"),
        body(200, JSON, "{}"),
        body(200, JSON, r#"{"access_token":""}"#),
        body(200, JSON, ""),
    ] {
        let is_too_long = matches!(script, Script::Endless(_));
        let (err, took, times) = meet(script, ENTRA, secret).await;
        if is_too_long {
            assert!(err.to_string().contains("the limit for"), "{err:#}");
            continue;
        }
        assert_eq!(err.kind(), ErrorKind::Unavailable, "{err:#}");
        assert!(err.is_transient() && err.refusal().is_none(), "{err:#}");
        assert!(took < Duration::from_secs(35) && times < 20, "{took:?}, {times} times: {err:#}");
        assert!(format!("{err:#}").contains(ENTRA), "{err:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_stays_as_it_is_is_not_tried_again() {
    for script in [
        body(403, HTML, "<html><title>Blocked</title></html>"),
        body(403, JSON, r#"{"blocked":"by the firewall"}"#),
        body(407, HTML, ""),
        body(511, HTML, "<html></html>"),
        body(302, AWAY, ""),
        body(307, AWAY, ""),
    ] {
        let (err, took, times) = meet(script, ENTRA, secret).await;
        assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unavailable, false), "{err:#}");
        assert!(took < Duration::from_secs(1) && times == 1, "{took:?}, {times} times: {err:#}");
        assert!(!format!("{err:#}{err:?}").contains("secret"), "{err:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_service_that_throttles_is_rate_limited() {
    let (err, took, times) = meet(body(429, WAIT, r#"{"error":"throttled"}"#), ENTRA, secret).await;
    assert_eq!((err.kind(), err.is_transient()), (ErrorKind::RateLimited, true), "{err:#}");
    assert_eq!(err.retry_after(), Some(Duration::from_secs(300)));
    assert!(took < Duration::from_secs(1) && times == 1, "{took:?}, {times} times");
    let (err, took, _) = meet(body(429, JSON, r#"{"error":"throttled"}"#), ENTRA, secret).await;
    assert_eq!(err.kind(), ErrorKind::RateLimited, "{err:#}");
    assert!(took < Duration::from_secs(35), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_entra_itself_refuses_is_the_callers() {
    for (status, refusal) in [
        (400, r#"{"error":"invalid_request","error_description":"AADSTS900023"}"#),
        (400, r#"{"error":"unauthorized_client","error_description":"AADSTS700016","error_codes":[700016]}"#),
        (401, r#"{"error":"invalid_client","error_description":"AADSTS7000215","error_codes":[7000215]}"#),
    ] {
        let (err, took, times) = meet(body(status, JSON, refusal), ENTRA, secret).await;
        assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unauthenticated, false), "{err:#}");
        assert!(format!("{err:#}").contains("AADSTS") && took < Duration::from_secs(1) && times == 1, "{err:#}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_credential_of_the_chain_says_so() {
    let pipelines = |azure: &Emulator| {
        with(
            ids(azure),
            &[
                ("SYSTEM_OIDCREQUESTURI", "https://oidc.example/a"),
                ("SYSTEM_ACCESSTOKEN", "run"),
                ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection"),
            ],
        )
    };
    let github = |azure: &Emulator| {
        with(
            ids(azure),
            &[("ACTIONS_ID_TOKEN_REQUEST_URL", "https://oidc.example/a"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "run")],
        )
    };
    let machine = |_: &Emulator| vec![("AZURE_TOKEN_CREDENTIALS", "ManagedIdentityCredential".to_owned())];
    let down = || Script::Unreachable("connection refused");
    let page = || body(503, HTML, "<html></html>");
    for script in [down, page] {
        let errors = [
            meet(script(), "oidc.example", pipelines).await,
            meet(script(), "oidc.example", github).await,
            meet(script(), "169.254.169.254", machine).await,
        ];
        for (err, took, _) in errors {
            assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unavailable, true), "{err:#}");
            assert!(took < Duration::from_secs(35), "{took:?}: {err:#}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_tool_without_a_network_is_not_taken_for_one_that_is_not_signed_in() {
    let azure = azure();
    let text = "ERROR: HTTPSConnectionPool(host='login.microsoftonline.com', port=443): Max retries exceeded with url: /x (Caused by \
        NewConnectionError('<y>: Failed to establish a new connection: [Errno -3] Temporary failure in name resolution'))";
    let client = builder(&azure, Vec::new()).developer_tools(Says::new(1, text)).build().unwrap();
    let err = attach(&client).await.unwrap_err();
    assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unavailable, true), "{err:#}");
    let client =
        builder(&azure, Vec::new()).developer_tools(Says::new(1, "ERROR: Please run 'az login'")).build().unwrap();
    let err = attach(&client).await.unwrap_err();
    assert_eq!((err.kind(), err.is_transient()), (ErrorKind::Unauthenticated, false), "{err:#}");
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_the_same_token_fail_together() {
    let azure = azure();
    let wire = Wire::of(&azure, |request| {
        (request.url().host_str() == Some(ENTRA)).then_some(Script::Unreachable("connection refused"))
    });
    let client = Arc::new(builder(&azure, secret(&azure)).transport(wire.clone()).build().unwrap());
    let begun = Instant::now();
    let cluster = ClusterRef::new("group", "dev").unwrap();
    let registry = "myregistry".parse().unwrap();
    let all = (0..20).map(|_| client.attach(&cluster, &registry, AttachOptions::default()));
    let ends = futures::future::join_all(all).await;
    assert!(ends.iter().all(|end| end.as_ref().is_err_and(|err| err.kind() == ErrorKind::Unavailable)));
    assert!(begun.elapsed() < Duration::from_secs(35), "{:?}", begun.elapsed());
    assert!(wire.count(ENTRA) < 20, "{} requests", wire.count(ENTRA));
}

#[tokio::test(start_paused = true)]
async fn a_credential_that_was_given_is_judged_by_the_kinds_of_its_errors() {
    use azure_core::error::ErrorKind as Azure;
    for (kind, expected) in [
        (Azure::Io, ErrorKind::Unavailable),
        (Azure::Connection, ErrorKind::Unavailable),
        (Azure::HttpResponse { status: 503.into(), error_code: None, raw_response: None }, ErrorKind::Unavailable),
        (Azure::HttpResponse { status: 429.into(), error_code: None, raw_response: None }, ErrorKind::RateLimited),
        (Azure::HttpResponse { status: 401.into(), error_code: None, raw_response: None }, ErrorKind::Unauthenticated),
        (Azure::Credential, ErrorKind::Unauthenticated),
        (Azure::Other, ErrorKind::Unauthenticated),
    ] {
        for is_wrapped in [true, false] {
            let azure = azure();
            let client = aks_acr::Client::builder(Arc::new(Failing(kind.clone(), is_wrapped)), azure.subscription())
                .transport(azure.transport())
                .build()
                .unwrap();
            let begun = Instant::now();
            let err = attach(&client).await.unwrap_err();
            assert_eq!(err.kind(), expected, "{kind:?} {is_wrapped}: {err:#}");
            assert!(begun.elapsed() < Duration::from_secs(35), "{:?}", begun.elapsed());
        }
    }
}

#[derive(Debug)]
struct Failing(azure_core::error::ErrorKind, bool);

#[async_trait::async_trait]
impl azure_core::credentials::TokenCredential for Failing {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<azure_core::credentials::AccessToken> {
        let err = azure_core::Error::with_message(self.0.clone(), "no token");
        Err(if self.1 {
            azure_core::Error::with_error(azure_core::error::ErrorKind::Credential, err, "wrapped")
        } else {
            err
        })
    }
}
