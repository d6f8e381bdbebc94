//! Lists that come in pages.

use super::{Arm, ArmRequest};
use crate::{
    call::Call,
    error::{Error, ErrorKind, Result},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::HashSet;

impl Arm {
    /// Reads a whole list, page by page. A page may be empty and name a next one; a link that comes again is an error, for
    /// the list would have no end.
    pub async fn list<T: DeserializeOwned>(&self, request: ArmRequest, what: &str, call: &Call) -> Result<Vec<T>> {
        #[derive(Deserialize)]
        struct Page<T> {
            #[serde(default = "Vec::new")]
            value: Vec<T>,
            #[serde(rename = "nextLink")]
            next_link: Option<String>,
        }
        let (step, action, scope) = (request.step.clone(), request.action, request.scope.clone());
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(request);
        while let Some(request) = next.take() {
            let page: Page<T> = self.send(request, call).await?.read(what)?;
            items.extend(page.value);
            let Some(link) = page.next_link.filter(|link| !link.is_empty()) else { break };
            let url = self.check_link(&link)?;
            if !seen.insert(link) {
                return Err(Error::new(ErrorKind::Unexpected, "Azure names the same next page twice")
                    .with_context("while", step));
            }
            next = Some(ArmRequest::follow(url).step(step.clone()).needs(action, scope.clone()));
        }
        Ok(items)
    }
}
