//! Getting, listing and the start of a watch.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Response;
use serde_json::{Value, json};

use super::kinds::Kind;
use super::object::{self, map};
use super::refusal::{Refusal, json_response};
use super::request::{Query, Target};
use super::selector::{Fields, Labels};
use super::store::Key;
use super::watch::Watch;
use super::{Answer, Kubernetes, table};

/// Which objects of a kind a list or watch means.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) kind: Kind,
    pub(super) namespace: String,
    labels: Labels,
    fields: Fields,
}

impl Selection {
    pub(super) fn of(kind: &Kind, target: &Target, query: &Query) -> Result<Self, Refusal> {
        let mut fields = query.get("fieldSelector").to_owned();
        if !target.name.is_empty() {
            fields = format!("metadata.name={},{fields}", target.name);
        }
        Ok(Self {
            kind: kind.clone(),
            namespace: target.namespace.clone(),
            labels: Labels::parse(query.get("labelSelector"))?,
            fields: Fields::parse(&fields, &kind.plural)?,
        })
    }

    fn is_everything(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub(super) fn holds(&self, object: &Value) -> bool {
        (self.namespace.is_empty() || self.namespace == object::namespace(object))
            && self.labels.fit(object.pointer("/metadata/labels"))
            && self.fields.fit(object)
    }
}

impl Kubernetes {
    pub(super) fn get(&self, kind: &Kind, target: &Target, as_table: bool) -> Result<Answer, Refusal> {
        let object = self.found(kind, target)?;
        if as_table {
            let revision = self.store.revision().to_string();
            let table = table::render(kind, &[object], &json!({"resourceVersion": revision}), &self.clock, self.now);
            return Ok(Answer::Whole(json_response(200, &table)));
        }
        Ok(Answer::Whole(json_response(200, &object)))
    }

    /// The object that a path names, in the version that the path names.
    pub(super) fn found(&self, kind: &Kind, target: &Target) -> Result<Value, Refusal> {
        let key = Key::new(&kind.resource(), &target.namespace, &target.name);
        let mut object = self.store.get(&key).cloned().ok_or_else(|| Refusal::not_found(kind, &target.name))?;
        map(&mut object, &[]).insert("apiVersion".to_owned(), json!(kind.api_version()));
        Ok(object)
    }

    pub(super) fn list(&self, kind: &Kind, target: &Target, query: &Query, as_table: bool) -> Result<Answer, Refusal> {
        let selection = Selection::of(kind, target, query)?;
        let page = self.page(&selection, query)?;
        let mut metadata = json!({"resourceVersion": page.revision.to_string()});
        if let Some(token) = page.next {
            metadata["continue"] = json!(token);
            if selection.is_everything() {
                metadata["remainingItemCount"] = json!(page.remaining);
            }
        } else if kind.custom {
            // Only built-in kinds leave it out.
            metadata["continue"] = json!("");
        }
        if as_table {
            let table = table::render(kind, &page.items, &metadata, &self.clock, self.now);
            return Ok(Answer::Whole(json_response(200, &table)));
        }
        let mut items = page.items;
        for item in &mut items {
            // The entries of a list of a built-in kind do not repeat what they are.
            if kind.custom {
                map(item, &[]).insert("apiVersion".to_owned(), json!(kind.api_version()));
            } else {
                map(item, &[]).remove("apiVersion");
                map(item, &[]).remove("kind");
            }
        }
        let list =
            json!({"kind": kind.list_kind, "apiVersion": kind.api_version(), "metadata": metadata, "items": items});
        Ok(Answer::Whole(json_response(200, &list)))
    }

    /// One page. Later pages are read from what exists now, under the revision of the first.
    fn page(&self, selection: &Selection, query: &Query) -> Result<Page, Refusal> {
        if !query.get("limit").is_empty() && query.get("limit").parse::<i64>().is_err() {
            let why = format!("strconv.ParseInt: parsing {:?}: invalid syntax", query.get("limit"));
            return Err(Refusal::bad_request(why));
        }
        let limit = query.get("limit").parse().ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let resource = selection.kind.resource();
        let (after, revision) = match query.get("continue") {
            "" => (Key::new(&resource, &selection.namespace, ""), self.store.revision()),
            token => {
                let (revision, namespace, name) = read_token(token).ok_or_else(|| {
                    Refusal::bad_request(
                        "invalid continue token: continue key is not valid: illegal base64 data at input byte 0",
                    )
                })?;
                if revision < self.store.compacted() {
                    return Err(Refusal::expired(
                        "The provided continue parameter is too old to display a consistent list result. You must start a new list without the continue parameter.",
                    ));
                }
                (Key::new(&resource, &namespace, &name), revision)
            }
        };
        let mut objects = self.store.list_after(&after, &selection.namespace).filter(|object| selection.holds(object));
        let items: Vec<Value> = objects.by_ref().take(limit).cloned().collect();
        let remaining = objects.count();
        let next = items.last().filter(|_| remaining > 0).map(|last| {
            let token = json!([revision, object::namespace(last), object::name(last)]);
            URL_SAFE_NO_PAD.encode(token.to_string())
        });
        Ok(Page { items, revision, next, remaining })
    }

    pub(super) fn start_watch(
        &self,
        kind: &Kind,
        target: &Target,
        query: &Query,
        as_table: bool,
    ) -> Result<Answer, Refusal> {
        let selection = Selection::of(kind, target, query)?;
        let watch = Watch::start(selection, query, as_table, self.store.revision(), self.now)?;
        let (parts, ()) = Response::builder()
            .header("content-type", "application/json")
            .header("cache-control", "no-cache, private")
            .body(())
            .map_err(|error| Refusal::bad_request(error.to_string()))?
            .into_parts();
        Ok(Answer::Watch(parts, Box::new(watch)))
    }
}

struct Page {
    items: Vec<Value>,
    revision: u64,
    next: Option<String>,
    remaining: usize,
}

fn read_token(token: &str) -> Option<(u64, String, String)> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}
