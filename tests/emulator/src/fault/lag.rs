//! Replicas that lag: a read that does not show yet what was made a moment ago. What was deleted does not come back.
//!
//! Resource Manager is eventually consistent. Reads one after another reach different replicas, so that one that shows a new item is
//! followed by one that does not (Azure/azure-cli#20727). A new role assignment was not found by its name (hashicorp/terraform-provider-
//! azurerm#9379), nor a new resource right after its PUT (hashicorp/go-azure-sdk#740).

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Response, StatusCode, Uri};
use serde_json::Value;
use tokio::time::Instant;

use super::storm::is_list;
use crate::log::Service;

/// For how long after a write a replica of Resource Manager may not know of it. No bound is documented. Terraform takes five reads in a
/// row, five seconds apart, for agreement (hashicorp/terraform-provider-azurerm#6925); a client that gives up sooner meets this.
const LAG: Duration = Duration::from_secs(120);

/// What a replica answered that does not know of the last write yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lagged {
    /// A resource or an image is missing.
    Item,
    /// An item of a list is missing.
    List,
}

impl Lagged {
    /// What the log calls it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Item => "lagging replica",
            Self::List => "lagging list",
        }
    }
}

/// The answers to reads, by address, and the writes to Resource Manager.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    answered: HashMap<String, Answered>,
    written: HashMap<String, Instant>,
}

#[derive(Debug)]
struct Answered {
    latest: (StatusCode, Bytes),
    /// The answer before something was made that is in the latest.
    older: Option<(StatusCode, Bytes, Lagged)>,
}

/// No story reads or writes so many addresses.
const MOST: usize = 4096;

/// A request, and when it is answered.
pub(crate) struct Asked<'a> {
    pub(crate) service: Service,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) at: Instant,
}

impl Replicas {
    /// Notes an answer. Where the replica lags, an older answer is given instead, if there is one.
    pub(crate) fn pass(&mut self, asked: &Asked<'_>, answer: &mut Response<Bytes>, lags: bool) -> Option<Lagged> {
        let is_read = asked.method == Method::GET || asked.method == Method::HEAD;
        if !is_read {
            let is_made = asked.method == Method::PUT && answer.status().is_success();
            if is_made && self.written.len() < MOST {
                self.written.insert(asked.uri.path().to_ascii_lowercase(), asked.at);
            }
            return None;
        }
        let is_known = [StatusCode::OK, StatusCode::NOT_FOUND].contains(&answer.status());
        if !is_known {
            return None;
        }
        let is_first = self.note(asked, answer);
        let may_lag = match asked.service {
            Service::Arm => self.was_written(asked),
            // A registry shows an image everywhere once it has shown it.
            _ => is_first,
        };
        let (status, body, lagged) = self.answered.get(&address(asked)).filter(|_| lags && may_lag)?.older.clone()?;
        *answer.status_mut() = status;
        *answer.body_mut() = body;
        Some(lagged)
    }

    /// Notes what is so; says whether this is the first answer that shows something new.
    fn note(&mut self, asked: &Asked<'_>, answer: &Response<Bytes>) -> bool {
        let latest = (answer.status(), answer.body().clone());
        if let Some(known) = self.answered.get_mut(&address(asked)) {
            if known.latest == latest {
                return false;
            }
            let (status, body) = std::mem::replace(&mut known.latest, latest);
            let grown = grown((status, &body), (answer.status(), answer.body()));
            known.older = grown.map(|lagged| (status, body, lagged));
            return grown.is_some();
        }
        if self.answered.len() < MOST {
            self.answered.insert(address(asked), Answered { latest, older: None });
        }
        false
    }

    /// Whether what is read, or an item of what is listed, was written a moment ago.
    fn was_written(&self, asked: &Asked<'_>) -> bool {
        let path = asked.uri.path().to_ascii_lowercase();
        let kind = |path: &str| path.rsplit_once("/providers/").map(|(_, kind)| kind.to_owned());
        // A list of a subscription shows what is in its groups.
        let listed = kind(&path).filter(|_| is_list(asked.method, asked.uri));
        let is_about = |written: &str| match &listed {
            Some(listed) => kind(written).is_some_and(|item| item.rsplit_once('/').is_some_and(|(of, _)| of == listed)),
            None => written == path,
        };
        self.written.iter().any(|(written, at)| is_about(written) && asked.at.duration_since(*at) < LAG)
    }
}

fn address(asked: &Asked<'_>) -> String {
    format!("{} {}", asked.method, asked.uri)
}

/// Whether something was made between two answers, and nothing else happened.
fn grown(before: (StatusCode, &Bytes), now: (StatusCode, &Bytes)) -> Option<Lagged> {
    match (before.0, now.0) {
        (StatusCode::NOT_FOUND, StatusCode::OK) => Some(Lagged::Item),
        (StatusCode::OK, StatusCode::OK) => {
            let (before, now) = (ids(before.1)?, ids(now.1)?);
            (before.is_subset(&now) && before.len() < now.len()).then_some(Lagged::List)
        }
        _ => None,
    }
}

fn ids(body: &Bytes) -> Option<HashSet<String>> {
    let list: Value = serde_json::from_slice(body).ok()?;
    // A page is not the whole: what has moved to another one is not new.
    let items = list["value"].as_array().filter(|_| list["nextLink"].is_null())?;
    items.iter().map(|item| item["id"].as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "/subscriptions/s/providers/Microsoft.X/things";
    const ITEM: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.X/things/a";

    /// Replicas all of which lag, and a clock.
    struct Scene(Replicas, Instant);

    impl Scene {
        fn new() -> Self {
            Self(Replicas::default(), Instant::now())
        }

        fn ask(
            &mut self,
            service: Service,
            method: &Method,
            path: &str,
            status: u16,
            body: &'static str,
        ) -> (u16, Bytes) {
            let uri = format!("https://management.azure.com{path}?api-version=1").parse().unwrap();
            let asked = Asked { service, method, uri: &uri, at: self.1 };
            let mut answer = Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap();
            self.0.pass(&asked, &mut answer, true);
            (answer.status().as_u16(), answer.into_body())
        }

        fn read(&mut self, path: &str, status: u16, body: &'static str) -> (u16, Bytes) {
            self.ask(Service::Arm, &Method::GET, path, status, body)
        }

        fn write(&mut self, path: &str) {
            self.ask(Service::Arm, &Method::PUT, path, 201, "{}");
        }
    }

    const ONE: &str = r#"{"value":[{"id":"a"}]}"#;
    const TWO: &str = r#"{"value":[{"id":"a"},{"id":"b"}]}"#;

    #[test]
    fn a_new_item_is_missing_for_a_while_after_the_write_also_when_it_was_shown() {
        let mut scene = Scene::new();
        scene.read(ITEM, 404, "{}");
        scene.read(LIST, 200, ONE);
        scene.write(ITEM);
        for _ in 0..2 {
            assert_eq!(scene.read(ITEM, 200, "{\"id\":1}").0, 404);
            assert_eq!(scene.read(LIST, 200, TWO).1, ONE);
        }
        scene.1 += LAG;
        assert_eq!(scene.read(ITEM, 200, "{\"id\":1}").0, 200);
        assert_eq!(scene.read(LIST, 200, TWO).1, TWO);
    }

    #[test]
    fn a_deleted_item_does_not_come_back() {
        let mut scene = Scene::new();
        scene.read(ITEM, 200, "{}");
        scene.read(LIST, 200, TWO);
        scene.write(ITEM);
        assert_eq!(scene.read(ITEM, 404, "{}").0, 404);
        assert_eq!(scene.read(LIST, 200, ONE).1, ONE);
    }

    #[test]
    fn nothing_lags_without_a_write_of_that_kind() {
        let mut scene = Scene::new();
        scene.read(ITEM, 404, "{}");
        scene.write(&format!("{ITEM}/parts/b"));
        scene.ask(Service::Arm, &Method::POST, ITEM, 200, "{}");
        assert_eq!(scene.read(ITEM, 200, "{}").0, 200);
        scene.read(LIST, 200, ONE);
        scene.write("/subscriptions/s/resourceGroups/g/providers/Microsoft.Y/others/a");
        assert_eq!(scene.read(LIST, 200, TWO).1, TWO);
    }

    #[test]
    fn a_registry_lags_until_it_has_shown_an_image_once() {
        let mut scene = Scene::new();
        let mut read = |status| scene.ask(Service::Registry, &Method::HEAD, "/v2/app/manifests/v1", status, "").0;
        assert_eq!((read(404), read(200), read(200)), (404, 404, 200));
    }
}
