//! Replicas that lag: a read that does not show yet what was made a moment ago, as lists and caches of Azure do. What was deleted does not
//! come back.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use http::{Method, Response, StatusCode, Uri};
use serde_json::Value;

/// The answers to reads, by address.
#[derive(Debug, Default)]
pub(crate) struct Replicas {
    answered: HashMap<String, (StatusCode, Bytes)>,
}

/// No story reads so many addresses.
const MOST: usize = 4096;

impl Replicas {
    /// Notes an answer, which is given as before where the replica lags; says whether it is another one then.
    pub(crate) fn pass(&mut self, method: &Method, uri: &Uri, answer: &mut Response<Bytes>, lags: bool) -> bool {
        let truth = (answer.status(), answer.body().clone());
        let lagged = lags && self.lag(method, uri, answer);
        let is_known = [StatusCode::OK, StatusCode::NOT_FOUND].contains(&truth.0);
        if is_read(method) && is_known && self.answered.len() < MOST {
            self.answered.insert(format!("{method} {uri}"), truth);
        }
        lagged
    }

    /// Answers as before, where what is new is all that is missing then. Says whether it did.
    fn lag(&self, method: &Method, uri: &Uri, answer: &mut Response<Bytes>) -> bool {
        let Some((status, body)) = self.answered.get(&format!("{method} {uri}")) else { return false };
        let was_missing = *status == StatusCode::NOT_FOUND && answer.status() == StatusCode::OK;
        let has_grown = *status == StatusCode::OK && answer.status() == StatusCode::OK && grew(body, answer.body());
        if was_missing || has_grown {
            *answer.status_mut() = *status;
            *answer.body_mut() = body.clone();
        }
        was_missing || has_grown
    }
}

fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// Whether a list has all that it had, and more.
fn grew(before: &Bytes, now: &Bytes) -> bool {
    match (ids(before), ids(now)) {
        (Some(before), Some(now)) => before.is_subset(&now) && before.len() < now.len(),
        _ => false,
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

    fn answer(status: u16, body: &'static str) -> Response<Bytes> {
        Response::builder().status(status).body(Bytes::from_static(body.as_bytes())).unwrap()
    }

    fn read(before: Response<Bytes>, now: Response<Bytes>) -> (bool, u16, Bytes) {
        let uri = "https://management.azure.com/a".parse().unwrap();
        let mut replicas = Replicas::default();
        let (mut before, mut now) = (before, now);
        assert!(!replicas.pass(&Method::GET, &uri, &mut before, true));
        (replicas.pass(&Method::GET, &uri, &mut now, true), now.status().as_u16(), now.into_body())
    }

    #[test]
    fn what_is_new_is_missing_and_what_is_gone_does_not_come_back() {
        assert_eq!(read(answer(404, "{}"), answer(200, "{\"id\":1}")), (true, 404, Bytes::from_static(b"{}")));
        assert!(!read(answer(200, "{}"), answer(404, "{}")).0);
        let (one, two) = (r#"{"value":[{"id":"a"}]}"#, r#"{"value":[{"id":"a"},{"id":"b"}]}"#);
        assert_eq!(read(answer(200, one), answer(200, two)), (true, 200, Bytes::from_static(one.as_bytes())));
        assert!(!read(answer(200, two), answer(200, one)).0);
        assert!(!read(answer(200, two), answer(200, two)).0);
    }
}
