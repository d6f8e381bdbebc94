//! The list of repositories of an Azure registry, in pages.

use super::{access::Access, probe::failed, sign_in::url};
use crate::{
    error::{Error, ErrorKind, Result},
    http::Answer,
};
use serde::Deserialize;
use std::future::Future;
use url::Url;

/// The requested size of a page. The registry may return fewer, with a link to the next page.
const PAGE: u32 = 1000;
/// A registry with more repositories than these pages hold is not known.
const MOST_PAGES: usize = 1000;

/// Counts the repositories, with one request for each page. See [the
/// API](https://learn.microsoft.com/rest/api/containerregistry/repository/get-list).
pub(super) async fn count<F: Future<Output = Result<Answer>>>(
    host: &str,
    mut get: impl FnMut(Url) -> F,
) -> Result<u32> {
    let (mut count, mut last) = (0, None);
    for _ in 0..MOST_PAGES {
        let page = read(host, &get(page_url(host, last.as_deref())?).await?)?;
        count += page.count;
        match page.last {
            Some(next) if last.as_ref() != Some(&next) => last = Some(next),
            Some(_) => break,
            None => return u32::try_from(count).map_err(|_| endless(host)),
        }
    }
    Err(endless(host))
}

fn endless(host: &str) -> Error {
    let text = "the registry's list of repositories does not end";
    Error::new(ErrorKind::Unexpected, text).with_context("registry", host)
}

/// The next page is requested by the last name of this one, as the service documents it. The link in a response is not followed: it may
/// lead elsewhere.
fn page_url(host: &str, last: Option<&str>) -> Result<Url> {
    let mut url = url(&format!("https://{host}/acr/v1/_catalog"))?;
    url.query_pairs_mut().append_pair("n", &PAGE.to_string()).extend_pairs(last.map(|last| ("last", last)));
    Ok(url)
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    count: usize,
    /// The last repository, if more follow.
    last: Option<String>,
}

fn read(host: &str, answer: &Answer) -> Result<Page> {
    /// A null is an empty list; a body without the field is none.
    #[derive(Deserialize)]
    struct Catalog {
        #[serde(deserialize_with = "crate::lenient::or_default")]
        repositories: Vec<String>,
    }
    if !answer.is_success() {
        return Err(failed(Access::Catalog(host), answer, "the registry did not list its repositories"));
    }
    let names = answer.read::<Catalog>("a list of repositories")?.repositories;
    let last = answer.header("link").and_then(|_| names.last().cloned());
    Ok(Page { count: names.len(), last })
}
