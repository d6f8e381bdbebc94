//! Lists in pages: how many, after which, and the link to the rest.

use bytes::Bytes;
use http::Request;

use crate::entra::form_field;
use crate::reply::{self, Reply};

/// The part of a list that a request asks for.
pub(super) struct Page {
    size: usize,
    last: Option<String>,
}

impl Page {
    pub(super) fn of(request: &Request<Bytes>, usual: usize) -> Self {
        let query = request.uri().query().unwrap_or_default().as_bytes();
        let size = form_field(query, "n").and_then(|size| size.parse().ok()).filter(|size| *size > 0);
        Self { size: size.unwrap_or(usual), last: form_field(query, "last").filter(|last| !last.is_empty()) }
    }

    /// Cuts the page out of the whole list; with it comes the name of its last item, if more follow.
    pub(super) fn cut<T: Clone>(&self, items: &[T], name: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
        let from = self.last.as_deref().map_or(0, |last| match items.iter().position(|item| name(item) == last) {
            Some(at) => at + 1,
            // It was deleted since: the list continues where it would have been.
            None => items.partition_point(|item| name(item) <= last),
        });
        let to = from.saturating_add(self.size).min(items.len());
        let page = items[from..to].to_vec();
        let more = page.last().filter(|_| to < items.len()).map(|item| name(item).to_owned());
        (page, more)
    }

    /// The answer with its link to the next page.
    pub(super) fn linked(&self, answer: Reply, request: &Request<Bytes>, last: Option<&str>) -> Reply {
        let Some(last) = last else {
            return answer;
        };
        let query = request.uri().query().unwrap_or_default();
        let mut next = url::form_urlencoded::Serializer::new(String::new());
        let others = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name != "last" && name != "n");
        next.append_pair("last", last).append_pair("n", &self.size.to_string()).extend_pairs(others);
        reply::with(answer, "link", &format!("<{}?{}>; rel=\"next\"", request.uri().path(), next.finish()))
    }
}
