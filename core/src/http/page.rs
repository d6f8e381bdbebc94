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

impl Arm {
    /// Reads a whole list, page by page. A page may be empty and name a next one; a link that comes again and again is an error,
    /// for the list would have no end. What comes twice, since a page came again or the list changed between two, is taken once.
    pub async fn list<T: DeserializeOwned>(&self, request: ArmRequest, what: &str, call: &Call) -> Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            value: Vec<Value>,
            #[serde(rename = "nextLink")]
            next_link: Option<String>,
        }
        let (step, action, scope) = (request.step.clone(), request.action, request.scope.clone());
        let mut items = Vec::new();
        let (mut seen, mut ids) = (HashMap::new(), HashSet::new());
        let mut is_new = |item: &Value| item["id"].as_str().is_none_or(|id| ids.insert(id.to_ascii_lowercase()));
        let mut next = Some(request.list_page());
        while let Some(request) = next.take() {
            let page: Page = self.send(request, call).await?.read(what)?;
            for item in page.value.into_iter().filter(&mut is_new) {
                items.push(serde_json::from_value(item).map_err(|_| unreadable(what))?);
            }
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else { break };
            let url = self.check_link(&link)?;
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
