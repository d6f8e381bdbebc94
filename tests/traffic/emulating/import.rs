//! Imports.

use super::{
    compare::{Rule, compare, shape},
    scene::{Got, ask, azure, registry},
};
use crate::exchange::{Case, Exchange};
use aks_acr_emulator::{Emulator, Timing};
use aks_acr_tests::data::paused;
use libtest_mimic::Failed;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(12);

/// Until about 2022 the body was the four letters `null`, with a content type; since then there is none, and so it is here.
/// Most recorders drop the wait.
const ACCEPTED: Rule =
    Rule { headers: &["retry-after", "content-type"], types: &[""], reads: &[], same: &[], beyond: &[] };

/// The registry that is imported into, and imports that take a time.
fn target(exchange: &Exchange, region: &str) -> Result<Emulator, Failed> {
    let azure = azure().with_registry_of(registry(&exchange.resource()?)?.location(region));
    azure.set_timing(Timing::none().with_import(TIME));
    Ok(azure)
}

/// Taken on before the source is asked, so there is none here. The region of the link is the registry's.
pub(super) fn start(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = begin(case, &ACCEPTED).await?;
        let link = case.exchange.header("location").ok_or("the recording has no link")?;
        assert!(link.contains(region(&got.link("location")?)?), "{link}");
        Ok::<_, Failed>(())
    })
}

/// The link of the example leads to a path that no recording has, so only its presence counts.
pub(super) fn start_as_example(case: &Case) -> Result<(), Failed> {
    paused(async {
        let rule = Rule { headers: &["retry-after", "content-type", "location"], ..ACCEPTED };
        begin(case, &rule).await?.link("location").map(drop)
    })
}

async fn begin(case: &Case, rule: &Rule) -> Result<Got, Failed> {
    let link = case.exchange.header("location").unwrap_or_default();
    let azure = target(&case.exchange, &region(link).unwrap_or_default().to_ascii_lowercase())?;
    let got = ask(&azure, &case.exchange).await?;
    if case.exchange.header("retry-after").is_some() {
        assert_eq!(got.header("retry-after"), case.exchange.header("retry-after"));
    }
    compare(&case.exchange, &got, rule)?;
    Ok(got)
}

fn region(link: &str) -> Result<&str, Failed> {
    let after = link.split("/locations/").nth(1).ok_or("the link names no region")?;
    Ok(after.split('/').next().unwrap_or_default())
}

/// Imports as it was recorded, from a source that has the image, and looks after a time.
async fn look(case: &Case, start: &str, after: Duration) -> Result<Got, Failed> {
    let post = case.other(start)?;
    let (source, image) = (&post.sent["source"]["resourceId"], &post.sent["source"]["sourceImage"]);
    let source =
        registry(source.as_str().ok_or("the source is no registry of Azure's")?)?.login_server("source.azurecr.io");
    let image = format!("source.azurecr.io/{}", image.as_str().unwrap_or_default());
    let azure =
        target(&post, region(&case.exchange.url)?)?.with_registry_of(source).with_image(&image, &["linux/amd64"]);
    let link = ask(&azure, &post).await?.link("location")?;
    assert_eq!(shape(&link), shape(&case.exchange.url));
    tokio::time::sleep(after).await;
    ask(&azure, &case.exchange.at(link)).await
}

/// Where the tags stand as the recorded import had them; the recorders drop the wait.
pub(super) fn pending(case: &Case) -> Result<(), Failed> {
    paused(async {
        let is_new = case.exchange.body.get("microsoft:azure-cli").is_some();
        let start = if is_new { "acr/33-import-202-empty-body-2026" } else { "acr/25-import-by-resource-id-202" };
        let got = look(case, start, TIME / 2).await?;
        assert_eq!(got.body, case.exchange.body);
        compare(&case.exchange, &got, &Rule { headers: &["retry-after"], ..Rule::default() })
    })
}

pub(super) fn succeeded(case: &Case) -> Result<(), Failed> {
    paused(async {
        let got = look(case, "acr/25-import-by-resource-id-202", TIME * 2).await?;
        compare(&case.exchange, &got, &Rule { same: &["/status"], ..Rule::default() })
    })
}
