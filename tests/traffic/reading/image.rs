//! The data plane of registries: a look at an image is a challenge, two tokens, and the manifest.

use super::{call, client};
use crate::exchange::{Case, Exchange};
use aks_acr::{ErrorKind, Image, ImageReference};
use aks_acr_tests::{
    data::paused,
    replay::{Replay, Sent},
};
use azure_core::http::Url;
use libtest_mimic::Failed;
use serde_json::json;
use std::collections::BTreeMap;

const CHALLENGE: &str = "acr/39-dataplane-v2-challenge-401";
const EXCHANGE: &str = "acr/40-dataplane-oauth2-exchange";
const TOKEN: &str = "acr/41-dataplane-oauth2-token-repository";
const MANIFEST: &str = "acr/49-dataplane-v2-manifest-200";

/// The image that was recorded, by digest, at the host of the challenge: the recordings are of several registries.
fn image(case: &Case, host: &str) -> Result<ImageReference, Failed> {
    let path = case.other(MANIFEST)?.path()?;
    let (repository, digest) =
        path.trim_start_matches("/v2/").split_once("/manifests/").ok_or("no manifest was recorded")?;
    Ok(format!("{host}/{repository}@{digest}").parse()?)
}

fn challenger(case: &Case) -> Result<String, Failed> {
    let url = Url::parse(&case.other(CHALLENGE)?.url)?;
    Ok(url.host_str().unwrap_or_default().to_owned())
}

/// How a look at an image ended, and the requests that it took.
struct Looked {
    found: aks_acr::Result<Option<Image>>,
    sent: Vec<Sent>,
    image: ImageReference,
}

/// Signs in by the recordings, then gets this for an answer.
fn look(case: &Case, last: &Exchange) -> Result<Looked, Failed> {
    let before = [case.other(CHALLENGE)?, case.other(EXCHANGE)?, case.other(TOKEN)?];
    let replay = Replay::of(before.iter().chain([last]).map(Exchange::answer));
    let image = image(case, &challenger(case)?)?;
    let found = paused::<_, Failed>(async { Ok(client(&replay)?.registry_importer().image(&image, &call()).await) })?;
    assert!(replay.is_used_up());
    Ok(Looked { found, sent: replay.sent(), image })
}

fn form(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

/// All four files at once, since each is a step of one look: what each gives is what the next request has.
pub(super) fn found(case: &Case) -> Result<(), Failed> {
    let manifest = case.other(MANIFEST)?;
    let Looked { found, sent, image } = look(case, &manifest)?;
    let found = found?.ok_or("no image was read")?;
    assert_eq!(Some(found.digest.as_str()), manifest.header("docker-content-digest"));
    assert_eq!(found.media_type.as_deref(), manifest.header("content-type"));
    let host = challenger(case)?;
    let hosts: Vec<_> = sent.iter().filter_map(|sent| sent.url.host_str().map(str::to_owned)).collect();
    assert_eq!(hosts, vec![host.clone(); 4]);
    let head = format!("HEAD {}", manifest.path()?);
    let lines: Vec<&str> = sent.iter().map(|sent| sent.line.as_str()).collect();
    assert_eq!(lines, [&head, "POST /oauth2/exchange", "POST /oauth2/token", &head]);

    let exchange = form(&sent[1].body);
    let recorded = case.other(EXCHANGE)?;
    let recorded_form = form(recorded.sent.as_str().unwrap_or_default());
    assert_eq!(exchange["grant_type"], recorded_form["grant_type"]);
    assert_eq!(exchange["service"], recorded_form["service"], "as the challenge says it");
    assert_eq!(exchange["access_token"], "https://containerregistry.azure.net/.default");

    let token = form(&sent[2].body);
    assert_eq!(token["refresh_token"], recorded.text("/refresh_token")?);
    assert_eq!(token["service"], host);
    assert_eq!(token["scope"], format!("repository:{}:pull", image.repository()));
    let recorded = case.other(TOKEN)?;
    assert_eq!(token["grant_type"], form(recorded.sent.as_str().unwrap_or_default())["grant_type"]);
    assert_eq!((&sent[0].authorization, &sent[3].authorization), (&None, &Some(bearer(&recorded)?)));
    Ok(())
}

fn bearer(exchange: &Exchange) -> Result<String, Failed> {
    Ok(format!("Bearer {}", exchange.text("/access_token")?))
}

/// A challenge again, after the sign-in: the caller has no right to it. Recorded of other calls than the one made here.
pub(super) fn refused(case: &Case) -> Result<(), Failed> {
    let err = look(case, &case.exchange)?.found.err().ok_or("it was taken for an image")?;
    assert_eq!((err.kind(), err.status()), (ErrorKind::Forbidden, Some(401)));
    assert_eq!(err.code(), Some(case.exchange.text("/errors/0/code")?));
    let said = err.service().and_then(|service| service.message.as_deref());
    assert_eq!(said, Some(case.exchange.text("/errors/0/message")?));
    Ok(())
}

/// Recorded for the attributes of a manifest; a missing manifest is reported in the same way.
pub(super) fn absent(case: &Case) -> Result<(), Failed> {
    assert_eq!(look(case, &case.exchange)?.found?, None);
    Ok(())
}

/// A registry that is not Azure's gets no name. It is asked by GET, as all registries but Azure's want it; the answer is alike. Its
/// realm is on its own domain, as realms have to be.
pub(super) fn anonymous(case: &Case) -> Result<(), Failed> {
    const ELSEWHERE: &str = "registry.example.com";
    /// The digest of `{}`.
    const OF_NOTHING: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let (challenge, manifest) = (case.other(CHALLENGE)?, case.other(MANIFEST)?);
    let wanted = challenge.header("www-authenticate").ok_or("no challenge was recorded")?;
    let wanted = wanted.replace(&challenger(case)?, ELSEWHERE);
    let challenge = challenge.with_header("www-authenticate", Some(&wanted));
    // The recording keeps the manifest's text to itself; what was sent was JSON, of another digest than this.
    let manifest = manifest.answering(json!({})).with_header("docker-content-digest", Some(OF_NOTHING));
    let replay = Replay::of([challenge.answer(), case.exchange.answer(), manifest.answer()]);
    let repository = image(case, ELSEWHERE)?.repository().to_owned();
    let image: ImageReference = format!("{ELSEWHERE}/{repository}:v1").parse()?;
    let found = paused(async { client(&replay)?.registry_importer().image(&image, &call()).await })?;
    assert!(found.is_some() && replay.is_used_up());
    let sent = replay.sent();
    assert_eq!(sent[1].line, "GET /oauth2/token");
    assert_eq!(sent[1].authorization, None);
    assert_eq!(sent[1].url.host_str(), Some(ELSEWHERE), "the realm is the challenge's");
    let query = form(sent[1].url.query().unwrap_or_default());
    assert_eq!(query["scope"], format!("repository:{}:pull", image.repository()));
    assert_eq!(sent[2].authorization, Some(bearer(&case.exchange)?));
    Ok(())
}
