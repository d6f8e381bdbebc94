//! The list of repositories of an Azure registry, in pages.

use super::{access::Access, probe::failed, sign_in::url};
use crate::{
    error::{Error, ErrorKind, Result},
    http::Answer,
};
use serde::Deserialize;
use url::Url;

/// The requested size of a page. The registry may return fewer, with a link to the next page.
const PAGE: u32 = 1000;
/// A registry with more repositories than these pages hold is not known.
const MOST_PAGES: usize = 1000;

/// The pages of a registry's list that were read. See [the
/// API](https://learn.microsoft.com/rest/api/containerregistry/repository/get-list).
pub(super) struct Pages<'a> {
    host: &'a str,
    read: usize,
    count: u32,
    /// The last repository of the last page, if more follow.
    last: Option<String>,
    is_whole: bool,
}

impl<'a> Pages<'a> {
    pub fn of(host: &'a str) -> Self {
        Self { host, read: 0, count: 0, last: None, is_whole: false }
    }

    /// The address of the next page, if there is one. It is requested with the last name of the previous page, as the service
    /// documents it. The link in a response is not followed: it may lead elsewhere.
    pub fn next_url(&self) -> Result<Option<Url>> {
        if self.is_whole {
            return Ok(None);
        }
        let mut url = url(&format!("https://{}/acr/v1/_catalog", self.host))?;
        let last = self.last.as_deref().map(|last| ("last", last));
        url.query_pairs_mut().append_pair("n", &PAGE.to_string()).extend_pairs(last);
        Ok(Some(url))
    }

    /// Counts the repositories of the next page.
    pub fn take(&mut self, answer: &Answer) -> Result<()> {
        /// A null is an empty list; a body without the field is not a list.
        #[derive(Deserialize)]
        struct Catalog {
            #[serde(deserialize_with = "crate::lenient::or_default")]
            repositories: Vec<String>,
        }
        if !answer.is_success() {
            return Err(failed(Access::Catalog(self.host), answer, "the registry did not list its repositories"));
        }
        let names = answer.read::<Catalog>("a list of repositories")?.repositories;
        let before = std::mem::replace(&mut self.last, names.last().cloned());
        self.is_whole = answer.header("link").is_none() || names.is_empty();
        self.read += 1;
        let is_again = !self.is_whole && before == self.last;
        let count = u32::try_from(names.len()).ok().and_then(|more| self.count.checked_add(more));
        self.count = count.filter(|_| !is_again && self.read < MOST_PAGES).ok_or_else(|| endless(self.host))?;
        Ok(())
    }

    pub fn count(&self) -> u32 {
        self.count
    }
}

fn endless(host: &str) -> Error {
    let text = "the registry's list of repositories does not end";
    Error::new(ErrorKind::Unexpected, text).with_context("registry", host)
}
