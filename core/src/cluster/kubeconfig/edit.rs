//! Edits a kubeconfig's text so that every other byte is kept.

use super::{
    entries::{Entries, Entry, LISTS, find},
    layout::{Fault, Kind, Layout, Node},
};
use serde_json::Value;
use std::ops::Range;

/// Why nothing was changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The text's format.
    Form(Fault),
    /// A different entry has one of the names: the list and the name.
    Taken(&'static str, String),
    /// The new entries could not be written as YAML.
    Unwritable,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Form(fault)
    }
}

/// The entries to write into a file.
#[derive(Clone, Copy)]
pub(super) struct Edit<'a> {
    /// Entries, if any.
    pub entries: Option<&'a Entries>,
    /// Whether they replace other entries of the same names.
    pub replace: bool,
    /// The current context to set, if any.
    pub current: Option<&'a str>,
}

/// An edited file's text.
#[derive(PartialEq, Eq)]
pub(super) struct Edited {
    /// The new text; `None` if nothing has to change.
    pub text: Option<String>,
    pub added: bool,
    pub replaced: bool,
    pub context_changed: bool,
}

const BOM: &str = "\u{feff}";
/// The maximum number of nodes that aliases may expand to: a few lines can stand for any number.
const MOST_REPEATED: usize = 10_000;
const CURRENT: &str = "current-context";

/// Parses a kubeconfig's values, if their positions are not needed.
pub(super) fn values(text: &str) -> Result<Value, Fault> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    let limits = serde_saphyr::alias_limits! { max_total_replayed_events: MOST_REPEATED };
    let options = serde_saphyr::options! { alias_limits: limits };
    serde_saphyr::from_str_with_options(text, options).map_err(|err| {
        // Its words could quote the text.
        let line = err.location().and_then(|place| usize::try_from(place.line()).ok());
        Fault { why: "it is not YAML, or has a duplicate key", line }
    })
}

/// The same, with the most specific reason if it fails.
pub(super) fn read(text: &str) -> Result<Value, Fault> {
    let text = text.strip_prefix(BOM).unwrap_or(text);
    values(text).or_else(|fault| Layout::read(text).and(Err(fault)))
}

/// The current context of a file.
pub(super) fn current(file: &Value) -> Option<&str> {
    file.get(CURRENT).and_then(Value::as_str).filter(|name| !name.is_empty())
}

/// Writes the wanted entries.
pub(super) fn edit(original: &str, wanted: Edit<'_>) -> Result<Edited, Refusal> {
    let body = original.strip_prefix(BOM).unwrap_or(original);
    let before = read(body)?;
    let eol = if body.find('\n').is_some_and(|at| body[..at].ends_with('\r')) { "\r\n" } else { "\n" };
    // A missing end of the last line is put there for the work, and taken away after it.
    let is_open = !body.is_empty() && !body.ends_with('\n');
    let text = if is_open { format!("{body}{eol}") } else { body.to_owned() };
    let layout = Layout::read(&text)?;
    let mut pen = Pen { layout: &layout, before: &before, changes: Vec::new(), tail: Vec::new(), eol };
    pen.check_kind()?;
    let (mut added, mut replaced) = (false, false);
    for entry in wanted.entries.iter().flat_map(|entries| &entries.all) {
        match pen.put(entry, wanted.replace)? {
            Put::Kept => {}
            Put::Added => added = true,
            Put::Replaced => replaced = true,
        }
    }
    let context_changed = match wanted.current {
        Some(name) if current(&before) != Some(name) => pen.point(name).map(|()| true)?,
        _ => false,
    };
    if pen.changes.is_empty() && pen.tail.is_empty() {
        return Ok(Edited { text: None, added, replaced, context_changed });
    }
    let mut new = pen.write();
    if is_open {
        new.truncate(new.strip_suffix(eol).unwrap_or(&new).len());
    }
    check(&before, &new, wanted)?;
    let bom = if original.len() == body.len() { "" } else { BOM };
    Ok(Edited { text: Some(format!("{bom}{new}")), added, replaced, context_changed })
}

enum Put {
    Kept,
    Added,
    Replaced,
}

struct Pen<'a> {
    layout: &'a Layout<'a>,
    before: &'a Value,
    changes: Vec<(Range<usize>, String)>,
    /// Lines to append after the last line.
    tail: Vec<String>,
    eol: &'static str,
}

impl Pen<'_> {
    /// A file of another kind must not get entries, whatever its lists are called.
    fn check_kind(&self) -> Result<(), Fault> {
        match self.layout.get("kind") {
            Some((_, kind)) if !kind.is_null() && kind.scalar() != Some("Config") => {
                Err(Fault::at("its kind is not Config", self.layout.text, kind.start))
            }
            _ => Ok(()),
        }
    }

    fn put(&mut self, entry: &Entry, replace: bool) -> Result<Put, Refusal> {
        let layout = self.layout;
        let Some((key, value)) = layout.get(entry.list) else {
            let lines = self.lines(entry, 0)?;
            self.tail.push(format!("{}:{}{lines}", entry.list, self.eol));
            return Ok(Put::Added);
        };
        let at = |why, node: &Node| Refusal::Form(Fault::at(why, layout.text, node.start));
        let items = match &value.kind {
            _ if !value.is_bare => return Err(at("a list has an anchor or a tag", value)),
            Kind::List { items, is_flow } if *is_flow && items.is_empty() => return self.begin(entry, key, value),
            Kind::List { is_flow: true, .. } => return Err(at("a list is in flow style, as in JSON", value)),
            Kind::List { items, .. } => items,
            Kind::Scalar { .. } if value.is_null() => return self.begin(entry, key, value),
            Kind::Alias(_) => return Err(at("a list is an alias of another part", value)),
            _ => return Err(at("it has another value where a list is expected", value)),
        };
        let mut from = layout.next_line(key.end);
        let (mut found, mut column) = (None, 0);
        for item in items {
            if matches!(item.kind, Kind::Alias(_)) {
                return Err(at("an entry is an alias of another part", item));
            }
            let name = item.get("name").filter(|name| !name.is_null()).and_then(Node::scalar);
            let name = name.ok_or_else(|| at("an entry is not a mapping with a name", item))?;
            let (start, dash) = layout.dash(from, item)?;
            if name == entry.name && found.replace((start, item)).is_some() {
                return Err(at("two entries of one list have the same name", item));
            }
            column = dash;
            from = layout.next_line(item.end);
        }
        let Some((start, item)) = found else {
            let last = items.last().map_or(key.end, |last| self.after(last, column));
            let lines = self.lines(entry, column)?;
            self.changes.push((last..last, lines));
            return Ok(Put::Added);
        };
        let there = find(self.before, entry.list, &entry.name);
        if there.is_some_and(|there| entry.is(there)) {
            return Ok(Put::Kept);
        }
        if !replace {
            return Err(Refusal::Taken(entry.list, entry.name.clone()));
        }
        if layout.is_repeated_elsewhere(item) {
            return Err(at("an alias elsewhere refers to a part of the entry to replace", item));
        }
        let lines = self.lines(entry, column)?;
        let lines = lines.strip_suffix(self.eol).unwrap_or(&lines).to_owned();
        self.changes.push((start..layout.line_end(item.end), lines));
        Ok(Put::Replaced)
    }

    /// Starts an empty list.
    fn begin(&mut self, entry: &Entry, key: &Node, value: &Node) -> Result<Put, Refusal> {
        let line = self.layout.line_end(key.start);
        if value.end > line {
            return Err(Fault::at("an empty list spans lines", self.layout.text, value.start).into());
        }
        if value.start != value.end {
            let rest = &self.layout.text[value.end..line];
            // Nothing is left behind the colon, unless a comment is.
            let end = if rest.trim().is_empty() { line } else { value.end };
            let head = &self.layout.text[..value.start];
            let start = if end == line { head.trim_end_matches([' ', '\t']).len() } else { value.start };
            self.changes.push((start..end, String::new()));
        }
        let next = self.layout.next_line(line);
        let lines = self.lines(entry, 0)?;
        self.changes.push((next..next, lines));
        Ok(Put::Added)
    }

    /// Where an entry can follow another: after the comments that are indented like that entry's parts.
    fn after(&self, last: &Node, column: usize) -> usize {
        let text = self.layout.text;
        // A block scalar's blank lines at the end may belong to its value.
        let mut place = if last.after > last.end && text[..last.after].ends_with('\n') {
            last.after
        } else {
            self.layout.next_line(last.end)
        };
        while place < text.len() {
            let line = &text[place..self.layout.line_end(place)];
            let inner = line.trim_start_matches(' ');
            if !inner.starts_with('#') || line.len() - inner.len() <= column {
                break;
            }
            place = self.layout.next_line(place);
        }
        place
    }

    /// Sets the current context.
    fn point(&mut self, name: &str) -> Result<(), Refusal> {
        let written = yaml(&name)?;
        let written = written.trim_end();
        let Some((key, value)) = self.layout.get(CURRENT) else {
            self.tail.push(format!("{CURRENT}: {written}{}", self.eol));
            return Ok(());
        };
        let text = self.layout.text;
        let line = self.layout.line_end(key.start);
        let is_plain = value.is_bare && value.scalar().is_some() && value.end <= line && value.after <= line;
        if !is_plain {
            return Err(Fault::at("its current context is not a plain value on one line", text, key.start).into());
        }
        if value.start == value.end {
            let colon = text[key.end..line].find(':').map(|at| key.end + at + 1);
            let colon = colon.ok_or(Fault::at("its current context has no colon", text, key.start))?;
            self.changes.push((colon..colon, format!(" {written}")));
        } else {
            self.changes.push((value.start..value.end, written.to_owned()));
        }
        Ok(())
    }

    /// An entry as an item of a list whose dashes are in this column.
    fn lines(&self, entry: &Entry, column: usize) -> Result<String, Refusal> {
        let blank = " ".repeat(column);
        let text = yaml(&[&entry.value])?;
        let lines: Vec<String> = text.lines().map(|line| format!("{blank}{line}{}", self.eol)).collect();
        Ok(lines.concat())
    }

    fn write(mut self) -> String {
        let text = self.layout.text;
        self.changes.sort_by_key(|(place, _)| (place.start, place.end));
        let (mut new, mut done) = (String::with_capacity(text.len() + 4096), 0);
        for (place, with) in &self.changes {
            new += text.get(done..place.start).unwrap_or_default();
            new += with;
            done = place.end;
        }
        new += text.get(done..).unwrap_or_default();
        if self.layout.pairs.is_empty() {
            self.tail.insert(0, format!("apiVersion: v1{0}kind: Config{0}", self.eol));
        }
        new + &self.tail.concat()
    }
}

/// Values as YAML without multi-line scalars, so that it can be indented and its line ends changed. Words that YAML 1.1 reads
/// differently, such as `on`, are quoted.
pub(super) fn yaml(value: &impl serde::Serialize) -> Result<String, Refusal> {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let text = serde_saphyr::to_string_with_options(value, options).map_err(|_| Refusal::Unwritable)?;
    Ok(if text.ends_with('\n') { text } else { text + "\n" })
}

/// Parses the new text as any reader would: other entries must mean the same as before, and ours must exist.
fn check(before: &Value, new: &str, wanted: Edit<'_>) -> Result<(), Refusal> {
    let changed = || Refusal::Form(Fault::new("the edit would have changed another entry"));
    let after = values(new).map_err(|_| changed())?;
    let ours_are_there = wanted.entries.is_none_or(|entries| {
        entries.all.iter().all(|entry| find(&after, entry.list, &entry.name).is_some_and(|there| entry.is(there)))
    });
    let points = wanted.current.is_none_or(|name| current(&after) == Some(name));
    if ours_are_there && points && others(before, wanted) == others(&after, wanted) {
        return Ok(());
    }
    Err(changed())
}

/// What a file says, without our entries.
fn others(file: &Value, wanted: Edit<'_>) -> Value {
    let begun = || {
        serde_json::Map::from_iter(
            [("apiVersion", "v1"), ("kind", "Config")].map(|(key, value)| (key.into(), value.into())),
        )
    };
    let mut rest = if file.is_null() { begun() } else { file.as_object().cloned().unwrap_or_default() };
    if wanted.current.is_some() {
        rest.remove(CURRENT);
    }
    let ours = |list: &str, entry: &Value| {
        let name = entry.get("name").and_then(Value::as_str);
        wanted
            .entries
            .is_some_and(|entries| entries.all.iter().any(|ours| ours.list == list && Some(ours.name.as_str()) == name))
    };
    for (list, _) in LISTS {
        let items = rest.get(list).and_then(Value::as_array);
        let items: Vec<Value> = items.into_iter().flatten().filter(|entry| !ours(list, entry)).cloned().collect();
        rest.insert(list.to_owned(), Value::Array(items));
    }
    Value::Object(rest)
}
