//! The documents of a file, split as kubectl splits them: JSON values one after another, or YAML between lines that start with
//! `---`.
//!
//! This is `YAMLOrJSONDecoder` of `k8s.io/apimachinery`: text that starts with a brace is read as JSON; if that fails at the
//! first or second value, the rest is YAML. A YAML document is one that ends where a line starts with `---`, wherever that line
//! is.

use super::{
    json,
    lines::Document,
    tree::{Fault, position},
    yaml,
};
use crate::error::Error;
use std::borrow::Cow;

/// Where kubectl looks for the brace.
const LOOKED_AT: usize = 4096;
const SEPARATOR: &str = "---";
/// A byte order mark, which may be before the first letter of a document.
const MARK: char = '\u{feff}';

/// Reads the documents one after another.
pub(super) struct Stream<'a> {
    rest: &'a str,
    lines_read: usize,
    /// The number of JSON values, while the stream is JSON.
    json: Option<usize>,
    /// The number of documents before this one.
    before: usize,
    /// Whether the previous line was a separator.
    is_separated: bool,
}

impl<'a> Stream<'a> {
    pub fn new(text: &'a str) -> Self {
        let text = text.strip_prefix(MARK).unwrap_or(text);
        let blanks = text.len() - text.trim_start().len();
        let is_json = text[blanks..].starts_with('{') && blanks < LOOKED_AT;
        Self { rest: text, lines_read: 0, json: is_json.then_some(0), before: 0, is_separated: false }
    }

    pub fn next(&mut self) -> Result<Option<Document<'a>>, Error> {
        if let Some(values) = self.json {
            match self.json(values) {
                Ok(document) => return Ok(document),
                Err(fault) if values > 1 || json::is_json(&fault) || !self.skip_line_end() => {
                    return Err(error(&fault, self.rest, self.lines_read, self.before + 1));
                }
                Err(_) => self.json = None,
            }
        }
        self.yaml()
    }

    fn json(&mut self, values: usize) -> Result<Option<Document<'a>>, Fault> {
        let text = self.rest;
        if text.trim_start_matches([' ', '\t', '\r', '\n']).is_empty() {
            return Ok(None);
        }
        let (tree, end) = json::read(text)?;
        let document =
            Document { tree, number: self.before + 1, text: Cow::Borrowed(text), lines_before: self.lines_read };
        self.lines_read += text[..end].matches('\n').count();
        self.rest = &text[end..];
        self.json = Some(values + 1);
        self.before += 1;
        Ok(Some(document))
    }

    /// Skips blanks up to the next line, before the rest is read as YAML. `kubectl` cannot do that if only three bytes remain.
    fn skip_line_end(&mut self) -> bool {
        let blanks = self.rest.len() - self.rest.trim_start().len();
        if let Some(end) = self.rest[..blanks].find('\n') {
            self.lines_read += 1;
            self.rest = &self.rest[end + 1..];
            return true;
        }
        self.rest = &self.rest[blanks..];
        self.rest.len() > 3
    }

    fn yaml(&mut self) -> Result<Option<Document<'a>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let lines_before = self.lines_read;
        let was_separated = std::mem::take(&mut self.is_separated);
        let mut text = String::new();
        while !self.is_separated && !self.rest.is_empty() {
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            let line = line.strip_suffix('\r').unwrap_or(line);
            let is_separator = self.is_separator(line)?;
            (self.rest, self.lines_read) = (rest, self.lines_read + 1);
            if is_separator && !text.is_empty() {
                self.is_separated = true;
            } else {
                // Nothing was between this separator and the one before.
                self.before += usize::from(is_separator && was_separated);
                text.push_str(line);
                text.push('\n');
            }
        }
        self.document(text, lines_before).map(Some)
    }

    fn is_separator(&self, line: &str) -> Result<bool, Error> {
        let Some(after) = line.strip_prefix(SEPARATOR).map(str::trim) else { return Ok(false) };
        if after.is_empty() || after.starts_with('#') {
            return Ok(true);
        }
        let fault = Fault::new("only a comment can follow --- on its line", 0);
        Err(error(&fault, line, self.lines_read, self.before + 1))
    }

    fn document(&mut self, text: String, lines_before: usize) -> Result<Document<'a>, Error> {
        let text = text.strip_prefix(MARK).map(str::to_owned).unwrap_or(text);
        let number = self.before + 1;
        let tree = yaml::read(&text).map_err(|fault| error(&fault, &text, lines_before, number))?;
        // Comments before the first separator are not a document.
        let is_head = self.before == 0 && tree.root.is_none() && !text.starts_with(SEPARATOR);
        self.before += usize::from(!is_head);
        Ok(Document { tree, number, text: Cow::Owned(text), lines_before })
    }
}

/// What is wrong with the text, and where. The text itself is not quoted: it may be a Secret.
pub(super) fn error(fault: &Fault, text: &str, lines_before: usize, document: usize) -> Error {
    let (line, column) = position(text, fault.at, lines_before);
    Error::invalid(format!("invalid manifest: {}", fault.why), "document", document.to_string())
        .with_context("line", line.to_string())
        .with_context("column", column.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::manifest::value::value;
    use serde_json::{Value, json};

    fn read(text: &str) -> Result<Vec<(usize, Value)>, String> {
        let mut stream = Stream::new(text);
        let mut found = Vec::new();
        while let Some(document) = stream.next().map_err(|err| err.to_string())? {
            let value = value(&document.tree).map_err(|fault| fault.why.to_owned())?;
            found.push((document.number, value));
        }
        found.retain(|(_, value)| !value.is_null());
        Ok(found)
    }

    #[test]
    fn documents_have_their_numbers() {
        for (text, numbers) in [
            ("a\n---\nb", vec![1, 2]),
            ("---\na\n---\nb\n---\n", vec![1, 2]),
            ("# c\n--- # d\na\n---\n---\n# e\n---\nb", vec![1, 4]),
            ("---\n---\na\n---\n\n---\nb", vec![2, 4]),
            ("{}\n{}{}", vec![1, 2, 3]),
            ("{}\n---\na\n---\nb", vec![1, 2, 3]),
        ] {
            let found: Vec<usize> = read(text).unwrap().into_iter().map(|(number, _)| number).collect();
            assert_eq!(found, numbers, "{text:?}");
        }
    }

    #[test]
    fn a_mark_may_start_each_document() {
        let found = read("\u{feff}a: 1\n---\n\u{feff}b: 2\r\n").unwrap();
        assert_eq!(found, [(1, json!({"a": 1})), (2, json!({"b": 2}))]);
        assert_eq!(read("\u{feff}{\"a\": 1}").unwrap(), [(1, json!({"a": 1}))]);
    }

    #[test]
    fn a_fault_has_its_place_and_quotes_nothing() {
        for (text, place) in [
            ("a: 1\n---\nb: [secret\n", "(document: 2, line: 3, column: 4)"),
            ("a: 1\r\n---\r\nb: secret\r\n  c: d\r\n", "(document: 2, line: 4, column: 4)"),
            ("{\"a\": 1}\n{\"b\": 2}\n{\"c\": secret}", "(document: 3, line: 3, column: 7)"),
            ("a: 1\n--- secret\n", "(document: 1, line: 2, column: 1)"),
            ("a: 1\n...\nb: secret\n", "(document: 1, line: 3, column: 1)"),
        ] {
            let err = read(text).unwrap_err();
            assert!(err.contains(place) && !err.contains("secret"), "{text:?}: {err}");
        }
    }
}
