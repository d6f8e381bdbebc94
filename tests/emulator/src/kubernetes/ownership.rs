//! Who owns which fields of an object: reading, writing and moving `managedFields`.

use serde_json::{Value, json};

use super::field_set::{FieldSet, Path, value_at};
use super::object::{list, map, text};

/// One manager's fields.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) manager: String,
    pub(super) operation: String,
    pub(super) subresource: String,
    pub(super) api_version: String,
    pub(super) time: String,
    pub(super) fields: FieldSet,
}

/// Who writes, what for, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author<'a> {
    pub(super) manager: &'a str,
    pub(super) operation: &'a str,
    pub(super) subresource: &'a str,
    pub(super) api_version: &'a str,
    pub(super) time: &'a str,
    pub(super) custom: bool,
    /// Whether the status is written through its own subresource.
    pub(super) status: bool,
}

impl Author<'_> {
    /// The fields of an object that a write of this author can change.
    pub(super) fn writable(&self, object: &Value) -> FieldSet {
        let through_status = self.subresource == "status";
        let mut fields = FieldSet::of(object, self.custom, |field| match field {
            "status" => !self.status || through_status,
            // Annotations are among it.
            "metadata" => true,
            _ => !(self.status && through_status),
        });
        if self.status && through_status {
            let is_annotation = |path: &Path| path.get(1).is_some_and(|field| field == "f:annotations");
            fields.0.retain(|path| path[0] == "f:status" || is_annotation(path));
        }
        fields
    }

    /// The same with the maps and lists that hold them.
    fn writable_with_holders(&self, object: &Value) -> FieldSet {
        self.writable(object).with_holders(self.custom)
    }

    pub(super) fn wrote(&self, entry: &Entry) -> bool {
        entry.manager == self.manager && entry.operation == self.operation && entry.subresource == self.subresource
    }

    /// Replaces this author's fields. The time moves only if the fields did.
    pub(super) fn claim(&self, entries: &mut Vec<Entry>, fields: FieldSet) {
        match entries.iter_mut().find(|entry| self.wrote(entry)) {
            Some(entry) if entry.fields == fields => {}
            Some(entry) => {
                entry.fields = fields;
                self.time.clone_into(&mut entry.time);
                self.api_version.clone_into(&mut entry.api_version);
            }
            None => entries.push(Entry {
                manager: self.manager.to_owned(),
                operation: self.operation.to_owned(),
                subresource: self.subresource.to_owned(),
                api_version: self.api_version.to_owned(),
                time: self.time.to_owned(),
                fields,
            }),
        }
    }
}

/// The entries that an object carries.
pub(super) fn read(object: &Value) -> Vec<Entry> {
    list(object, "/metadata/managedFields")
        .iter()
        .filter(|entry| entry.get("manager").is_some())
        .map(|entry| Entry {
            manager: text(entry, "/manager").to_owned(),
            operation: text(entry, "/operation").to_owned(),
            subresource: text(entry, "/subresource").to_owned(),
            api_version: text(entry, "/apiVersion").to_owned(),
            time: text(entry, "/time").to_owned(),
            fields: FieldSet::decode(&entry["fieldsV1"]),
        })
        .collect()
}

/// Writes entries into an object; an empty entry vanishes.
pub(super) fn write(object: &mut Value, entries: &[Entry]) {
    let written: Vec<_> = entries
        .iter()
        .filter(|entry| !entry.fields.0.is_empty())
        .map(|entry| {
            let mut written = json!({"manager": entry.manager, "operation": entry.operation,
                "apiVersion": entry.api_version, "time": entry.time, "fieldsType": "FieldsV1",
                "fieldsV1": entry.fields.encode()});
            // A scale is a separate resource, whose times are lost when its entries become those of the workload.
            if entry.subresource == "scale" {
                map(&mut written, &[]).remove("time");
            }
            if !entry.subresource.is_empty() {
                written["subresource"] = json!(entry.subresource);
            }
            written
        })
        .collect();
    let metadata = map(object, &["metadata"]);
    if written.is_empty() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), json!(written));
    }
}

/// After a write that is not an apply: a changed field belongs to its author alone, a removed one has no owner.
pub(super) fn track(before: Option<&Value>, after: &mut Value, author: &Author<'_>) {
    let mut entries = starting_entries(before, after);
    if before.is_some() && entries.is_empty() {
        // The owners of an object without owners are not recorded until the first apply.
        return write(after, &entries);
    }
    let values = author.writable(after);
    let now_there = values.with_holders(author.custom);
    let was_there = before.map(|before| author.writable_with_holders(before)).unwrap_or_default();
    let is_new = |path: &Path| !was_there.0.contains(path);
    let changed: Vec<Path> = now_there
        .0
        .iter()
        .filter(|path| {
            // The same in a new object that says nothing.
            let is_empty = path[..] == ["f:spec", "f:podSelector"] && value_at(after, path) == Some(&json!({}));
            !(before.is_none() && is_empty)
        })
        .filter(
            |path| if values.0.contains(*path) { is_changed(path, before, after, &was_there) } else { is_new(path) },
        )
        .cloned()
        .collect();
    for entry in &mut entries {
        let own = author.wrote(entry);
        entry.fields.0.retain(|path| {
            let vanished = was_there.0.contains(path) && !now_there.0.contains(path);
            !vanished && (own || !changed.contains(path))
        });
    }
    if !changed.is_empty() {
        let mut fields =
            entries.iter().find(|entry| author.wrote(entry)).map(|entry| entry.fields.clone()).unwrap_or_default();
        fields.0.extend(changed);
        author.claim(&mut entries, fields);
    }
    write(after, &entries);
}

/// The owner of what an object without owners has when it is first applied to.
pub(super) fn before_first_apply(live: &Value, applier: &Author<'_>) -> Vec<Entry> {
    let author = Author { manager: "before-first-apply", operation: "Update", subresource: "", ..*applier };
    let mut noted = live.clone();
    track(None, &mut noted, &author);
    read(&noted)
}

/// A writer may send `managedFields` along, and clears them by sending one empty entry.
fn starting_entries(before: Option<&Value>, after: &Value) -> Vec<Entry> {
    let sent = !list(after, "/metadata/managedFields").is_empty();
    if sent { read(after) } else { before.map(read).unwrap_or_default() }
}

fn is_changed(path: &Path, before: Option<&Value>, after: &Value, was_there: &FieldSet) -> bool {
    let is_entry = path.last().is_some_and(|step| !step.starts_with("f:"));
    if is_entry && was_there.0.contains(path) {
        return false;
    }
    before.and_then(|before| value_at(before, path)) != value_at(after, path)
}
