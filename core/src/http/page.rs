//! Lists that come in pages.

use super::{Arm, ArmRequest};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
    telemetry::PROGRESS,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// A page that came twice names the same next one twice, and may do so again; a circle has no end.
const LINK_MAY_COME: usize = 3;
/// Resource Manager's pages hold hundreds of items: no subscription has so many pages. A list that names ever new ones has no end.
const MOST_PAGES: usize = 1000;

impl Arm {
    /// Reads a whole list, page by page. A page may be empty and name a next one; a link that comes again and again is an error,
    /// for the list would have no end. What comes twice, since a page came again or the list changed between two, is taken once.
    ///
    /// An item that cannot be read is left out, and a warning says so: one odd thing of a subscription must not hide all the others. Who
    /// looks for one item takes [`list_values`](Self::list_values).
    pub async fn list<T: DeserializeOwned>(&self, request: ArmRequest, what: &str, call: &Call) -> Result<Vec<T>> {
        let items = self.list_values(request, what, call).await?;
        Ok(readable(items.into_iter().map(|item| read_item(item, what)), what))
    }

    /// The same list, each item as it came: which one is meant shows before it is read, so that the one that is meant is not left out.
    pub async fn list_values(&self, request: ArmRequest, what: &str, call: &Call) -> Result<Vec<Value>> {
        /// A page without a list is none. Programs whose empty lists are null are among the services.
        #[derive(Deserialize)]
        struct Page {
            // A field with a reader of its own has to be there.
            #[serde(deserialize_with = "Option::deserialize")]
            value: Option<Vec<Value>>,
            #[serde(rename = "nextLink")]
            next_link: Option<String>,
        }
        let (step, action, scope) = (request.step.clone(), request.action, request.scope.clone());
        let (mut items, mut pages) = (Vec::new(), 0);
        let (mut seen, mut ids) = (HashMap::new(), HashSet::new());
        let mut is_new = |item: &Value| item["id"].as_str().is_none_or(|id| ids.insert(id.to_ascii_lowercase()));
        let mut next = Some(request.list_page());
        while let Some(request) = next.take() {
            let page: Page = self.send(request, call).await?.read(what)?;
            items.extend(page.value.unwrap_or_default().into_iter().filter(&mut is_new));
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else { break };
            let url = self.check_link(&link)?;
            pages += 1;
            if pages >= MOST_PAGES {
                return Err(Error::new(ErrorKind::Unexpected, "the list has no end")
                    .with_context("while", step)
                    .with_context("pages", format!("more than {MOST_PAGES}, the limit for a list")));
            }
            let times = seen.entry(link).or_insert(0_usize);
            *times += 1;
            if *times > LINK_MAY_COME {
                return Err(Error::new(ErrorKind::Unexpected, "Azure names the same next page again and again")
                    .with_context("while", step));
            }
            next = Some(ArmRequest::follow(url).list_page().step(step.clone()).needs(action, scope.clone()));
        }
        Ok(items)
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

/// Leaves out, and tells, what this version cannot read: one odd thing of a subscription must not hide all the others.
pub(crate) fn readable<T>(items: impl Iterator<Item = Result<T>>, what: &str) -> Vec<T> {
    let told = |item: Result<T>| {
        item.inspect_err(|err| tracing::warn!(target: PROGRESS, error = %err, "left a {what} out of a list")).ok()
    };
    items.filter_map(told).collect()
}

/// The reader's own words may quote the answer, and with it a secret.
fn unreadable(what: &str) -> Error {
    Error::new(ErrorKind::Unexpected, format!("cannot read the answer of the service as {what}"))
}
