//! Lists in pages.

use super::{
    Arm, ArmRequest,
    items::each_item,
    read_body::{Kept, MOST_PAGES, TooLarge},
    weight,
};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    telemetry::PROGRESS,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, value::RawValue};
use std::collections::{HashMap, HashSet};

/// A page that comes twice names the same next page twice, and may do so again; a cycle never ends.
const LINK_MAY_COME: usize = 3;
/// The overhead of a string that is kept for comparison.
const KEPT_TEXT: usize = 64;
/// The error about a skipped item.
const SKIPPED: usize = 1024;

impl Arm {
    /// Reads a whole list, page by page.
    /// A page may be empty and name a next page; a link that repeats endlessly is an error. An item that appears twice, because a page
    /// was repeated or the list changed in between, is taken once.
    ///
    /// `read` returns what to keep of an item, if anything. An item that cannot be parsed is skipped with a warning: one invalid item
    /// must not hide all the others. To look for one item, use [`each`](Self::each).
    pub async fn list<T: DeserializeOwned, U: Serialize + Send>(
        &self,
        request: ArmRequest,
        what: &str,
        call: &Call,
        read: impl Fn(T) -> Result<Option<U>> + Send + Sync,
    ) -> Result<Vec<U>> {
        let read = |item| read_item(item, what).and_then(&read);
        Ok(self.list_or_skip(request, what, call, read).await?.0)
    }

    /// The same, with the skipped items: the ID of each, if it has one, and why it was skipped.
    pub async fn list_or_skip<U: Serialize + Send>(
        &self,
        request: ArmRequest,
        what: &str,
        call: &Call,
        read: impl Fn(Value) -> Result<Option<U>> + Send + Sync,
    ) -> Result<(Vec<U>, Vec<(Option<String>, Error)>)> {
        let (mut items, mut skipped) = (Vec::new(), Vec::new());
        let take = |item: Value| {
            let id = item["id"].as_str().map(str::to_owned);
            match read(item) {
                Ok(None) => 0,
                Ok(Some(item)) => {
                    let weight = size_of::<U>() + weight::of(&item);
                    items.push(item);
                    weight
                }
                Err(err) => {
                    tracing::warn!(target: PROGRESS, error = %err, "left an item out of {what}");
                    skipped.push((id, err));
                    SKIPPED
                }
            }
        };
        self.each(request, what, call, take).await?;
        Ok((items, skipped))
    }

    /// The same list, each item unparsed: it is identified before it is parsed, so that the requested item is not skipped. `take`
    /// returns how many bytes it keeps.
    pub async fn each(
        &self,
        request: ArmRequest,
        what: &str,
        call: &Call,
        mut take: impl FnMut(Value) -> usize + Send,
    ) -> Result<()> {
        /// A response without a list is not a page. Some services send null for an empty list.
        #[derive(Deserialize)]
        struct Page<'a> {
            #[serde(borrow)]
            value: &'a RawValue,
            #[serde(rename = "nextLink")]
            next_link: Option<String>,
        }
        let (step, action, scope) = (request.step.clone(), request.action, request.scope.clone());
        let (mut kept, mut pages) = (Kept::default(), 0);
        let (mut seen, mut ids) = (HashMap::new(), HashSet::new());
        let too_large = |err: TooLarge| err.error(&step);
        let mut next = Some(request.list_page());
        while let Some(request) = next.take() {
            let answer = self.send(request, call).await?;
            let page: Page<'_> = answer.read(what)?;
            each_item(
                page.value,
                &step,
                |err| answer.unreadable(what, &err),
                |item| {
                    if let Some(id) = item["id"].as_str() {
                        if !ids.insert(id.to_ascii_lowercase()) {
                            return Ok(());
                        }
                        kept.add(id.len() + KEPT_TEXT).map_err(too_large)?;
                    }
                    kept.add(take(item)).map_err(too_large)
                },
            )?;
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else { break };
            let url = self.check_link(&link)?;
            pages += 1;
            if pages >= MOST_PAGES {
                return Err(too_large(TooLarge::Pages));
            }
            kept.add(link.len() + KEPT_TEXT).map_err(too_large)?;
            let times = seen.entry(link).or_insert(0_usize);
            *times += 1;
            if *times > LINK_MAY_COME {
                return Err(Error::new(ErrorKind::Unexpected, "Azure returned the same next page repeatedly")
                    .with_context("while", step));
            }
            next = Some(ArmRequest::follow(url).list_page().step(step.clone()).needs(action, scope.clone()));
        }
        Ok(())
    }
}

/// Reads an item of a list.
pub(crate) fn read_item<T: DeserializeOwned>(item: Value, what: &str) -> Result<T> {
    let id = item["id"].as_str().or(item["name"].as_str()).map(str::to_owned);
    serde_json::from_value(item).map_err(|_| {
        let err = unreadable(what);
        match id {
            Some(id) => err.with_context("item", id),
            None => err,
        }
    })
}

/// The parser's message may quote the response, and with it a secret.
fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Unexpected, format!("could not parse the service's response as {what}"))
}
