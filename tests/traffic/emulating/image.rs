//! The data plane of registries. Tokens were left out of the recordings, and digests of made-up images cannot be the recorded
//! ones: where a request has one, it is the emulator's own.

use super::{
    compare::{Rule, compare},
    scene::{Got, SUBSCRIPTION, azure, send},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::{Emulator, RegistrySeed};
use aks_acr_tests::data::paused;
use azure_core::http::Url;
use libtest_mimic::Failed;
use serde_json::{Value, json};

const AUDIENCE: &str = "https://containerregistry.azure.net/.default";

/// The same for every answer of the data plane.
const PLANE: Rule = Rule { reads: &[], same: &[], beyond: &[], headers: &[], types: &[] };

fn host(exchange: &Exchange) -> Result<String, Failed> {
    Ok(Url::parse(&exchange.url)?.host_str().unwrap_or_default().to_owned())
}

/// The registry that is asked, which rejects anonymous callers unless the test says otherwise.
fn seed(exchange: &Exchange) -> Result<RegistrySeed, Failed> {
    let host = host(exchange)?;
    let name = host.split('.').next().unwrap_or_default();
    Ok(RegistrySeed::new("group", name).sku("Standard").in_subscription(SUBSCRIPTION))
}

fn plane(exchange: &Exchange) -> Result<Emulator, Failed> {
    Ok(azure().with_registry_of(seed(exchange)?))
}

pub(super) fn challenge(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = send(&plane(&case.exchange)?, &case.exchange, None).await?;
        assert_eq!(got.body, case.exchange.body);
        compare(&case.exchange, &got, &PLANE)
    })
}

/// Only Entra's token and the tenant are the emulator's.
async fn refresh(azure: &Emulator, exchange: &Exchange) -> Result<Got, Failed> {
    let entra = azure.credential().get_token(&[AUDIENCE], None).await?;
    let form = changed(exchange, &[("access_token", entra.token.secret()), ("tenant", azure.tenant())]);
    send(azure, &form, None).await
}

/// A request with a form, some fields of it changed.
fn changed(exchange: &Exchange, fields: &[(&str, &str)]) -> Exchange {
    let sent = exchange.sent.as_str().unwrap_or_default();
    let form = url::form_urlencoded::parse(sent.as_bytes()).map(|(name, value)| {
        let own = fields.iter().find(|(field, _)| *field == name).map(|(_, value)| (*value).to_owned());
        (name.into_owned(), own.unwrap_or_else(|| value.into_owned()))
    });
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    exchange.sending(form.into())
}

pub(super) fn exchange(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = refresh(&plane(&case.exchange)?, &case.exchange).await?;
        compare(&case.exchange, &got, &Rule { reads: &["/refresh_token"], ..PLANE })
    })
}

/// A token for what is asked, by the two recorded steps, the second with another scope if need be.
async fn access(case: &Case, azure: &Emulator, host: &str, scope: Option<&str>) -> Result<Got, Failed> {
    let mut first = case.other("acr/40-dataplane-oauth2-exchange")?;
    first.url = format!("https://{host}/oauth2/exchange");
    let first = changed(&first, &[("service", host)]);
    let token = refresh(azure, &first).await?.text("/refresh_token")?;
    let mut second = case.other("acr/41-dataplane-oauth2-token-repository")?;
    second.url = second.url.replace("yallacrtests.azurecr.io", host);
    let mut fields = vec![("refresh_token", token.as_str()), ("service", host)];
    fields.extend(scope.map(|scope| ("scope", scope)));
    send(azure, &changed(&second, &fields), None).await
}

pub(super) fn token(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = access(case, &plane(&case.exchange)?, &host(&case.exchange)?, None).await?;
        compare(&case.exchange, &got, &Rule { reads: &["/access_token"], ..PLANE })
    })
}

pub(super) fn anonymous(case: &Case) -> Result<(), Failed> {
    paused(async {
        let azure = azure().with_registry_of(seed(&case.exchange)?.anonymous_pull());
        let got = send(&azure, &case.exchange, None).await?;
        compare(&case.exchange, &got, &Rule { reads: &["/access_token"], ..PLANE })
    })
}

/// Listed with the token of a visitor without a name, as it was recorded.
pub(super) fn catalog(case: &Case) -> Result<(), Failed> {
    paused(async {
        let mut azure = azure().with_registry_of(seed(&case.exchange)?.anonymous_pull());
        for repository in case.exchange.body["repositories"].as_array().into_iter().flatten() {
            let name = repository.as_str().unwrap_or_default();
            azure = azure.with_image(&format!("{}/{name}:v1", host(&case.exchange)?), &["linux/amd64"]);
        }
        let visitor = send(&azure, &case.other("acr/43-dataplane-oauth2-token-anonymous")?, None).await?;
        let got = send(&azure, &case.exchange, Some(&visitor.text("/access_token")?)).await?;
        compare(&case.exchange, &got, &Rule { same: &["/repositories"], ..PLANE })
    })
}

/// An image of two platforms under a tag, the digest that it has here, and the answer to the request with that digest in the
/// place of the recorded one.
async fn asked(case: &Case, name: &str, platforms: &[&str], scope: &str) -> Result<(Got, String), Failed> {
    let host = host(&case.exchange)?;
    let image = format!("{host}/{name}");
    let azure = plane(&case.exchange)?.with_image(&image, platforms);
    let digest = azure.digest(&image).ok_or("the emulator does not have the image")?;
    let repository = name.split(':').next().unwrap_or_default();
    let token = access(case, &azure, &host, Some(&format!("repository:{repository}:{scope}"))).await?;
    let mut request = case.exchange.clone();
    let start = request.url.find("sha256").unwrap_or(request.url.len());
    let written = if request.url[start..].contains("%3A") { digest.replace(':', "%3A") } else { digest.clone() };
    if start < request.url.len() {
        request.url = format!("{}{written}", &request.url[..start]);
    }
    Ok((send(&azure, &request, Some(&token.text("/access_token")?)).await?, digest))
}

pub(super) fn manifest_attributes(case: &Case) -> Result<(), Failed> {
    paused(async {
        let repository = case.exchange.text("/imageName")?;
        let tag = case.exchange.text("/manifest/tags/0")?;
        let platforms = ["linux/amd64", "linux/arm64"];
        let (got, digest) = asked(case, &format!("{repository}:{tag}"), &platforms, "metadata_read").await?;
        assert_eq!(got.text("/manifest/digest")?, digest);
        assert_eq!(got.body["manifest"]["references"].as_array().map(Vec::len), Some(2));
        let rule = Rule {
            reads: &[
                "/manifest/imageSize",
                "/manifest/mediaType",
                "/manifest/references/*/digest",
                "/manifest/references/*/architecture",
                "/manifest/references/*/os",
            ],
            same: &["/registry", "/imageName", "/manifest/tags", "/manifest/changeableAttributes"],
            ..PLANE
        };
        compare(&case.exchange, &got, &rule)
    })
}

/// The recorded digest was of no manifest there, and is of none here: nothing of the address but the digest's gap is filled.
pub(super) fn manifest_unknown(case: &Case) -> Result<(), Failed> {
    paused(async {
        let host = host(&case.exchange)?;
        let azure = plane(&case.exchange)?.with_image(&format!("{host}/repoe63342a4:v1"), &["linux/amd64"]);
        let token = access(case, &azure, &host, Some("repository:repoe63342a4:metadata_read")).await?;
        let mut request = case.exchange.clone();
        let path = request.url.split("sha256").next().unwrap_or_default().to_owned();
        request.url = format!("{path}sha256%3A{}", "0".repeat(64));
        let got = send(&azure, &request, Some(&token.text("/access_token")?)).await?;
        compare(&case.exchange, &got, &PLANE)
    })
}

pub(super) fn tag_attributes(case: &Case) -> Result<(), Failed> {
    paused(async {
        let name = format!("{}:{}", case.exchange.text("/imageName")?, case.exchange.text("/tag/name")?);
        let (got, digest) = asked(case, &name, &["linux/amd64"], "metadata_read").await?;
        assert_eq!(got.text("/tag/digest")?, digest);
        let rule = Rule {
            reads: &["/tag/createdTime", "/tag/lastUpdateTime"],
            same: &["/registry", "/imageName", "/tag/name", "/tag/signed", "/tag/changeableAttributes"],
            ..PLANE
        };
        compare(&case.exchange, &got, &rule)
    })
}

/// The document itself was not copied into the recording; its digest and its kind are in the headers.
pub(super) fn manifest(case: &Case) -> Result<(), Failed> {
    paused(async {
        let (got, digest) = asked(case, "repo2ace3a91:v1", &["linux/amd64"], "pull").await?;
        assert_eq!(got.header("docker-content-digest"), Some(digest.as_str()));
        assert_eq!(got.header("etag"), Some(json!(digest).to_string().as_str()), "in quotes");
        assert!(matches!(got.body, Value::Object(_)));
        compare(&case.exchange, &got, &Rule { types: &[""], ..PLANE })
    })
}
