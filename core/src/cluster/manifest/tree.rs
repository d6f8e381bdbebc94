//! A document as it is written: nodes with their positions, not yet values.

use super::scalar::Written;
use serde_json::Value;

/// Why the text is not a manifest, and where. It contains nothing of the text, which may be a Secret.
#[derive(Debug)]
pub(super) struct Fault {
    pub why: &'static str,
    /// In bytes from the start of the document's text.
    pub at: usize,
}

impl Fault {
    pub fn new(why: &'static str, at: usize) -> Self {
        Self { why, at }
    }
}

/// One step from the top of a document to a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

#[derive(Debug)]
pub(super) struct Node {
    /// Where it starts, in bytes from the start of the document's text.
    pub at: usize,
    pub kind: Kind,
}

/// Nodes refer to others by their index.
#[derive(Debug)]
pub(super) enum Kind {
    /// A scalar of YAML, which is resolved later, because it resolves differently as a key.
    Scalar(Written),
    /// A scalar of JSON.
    Value(Value),
    List(Vec<usize>),
    Map(Vec<(usize, usize)>),
    /// An alias of an earlier node.
    Alias(usize),
}

/// The nodes of a document. An empty one has no root.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    pub root: Option<usize>,
}

impl Tree {
    pub fn add(&mut self, at: usize, kind: Kind) -> usize {
        self.nodes.push(Node { at, kind });
        self.nodes.len() - 1
    }

    pub fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }
}

/// Line and column, from 1.
pub(super) fn position(text: &str, at: usize, lines_before: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let lines = before.bytes().filter(|byte| *byte == b'\n').count();
    (lines_before + lines + 1, before[start..].chars().count() + 1)
}
