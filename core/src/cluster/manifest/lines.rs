//! The lines of fields, for errors.

use super::{
    tree::{Kind, Node, Step, Tree, position},
    value,
};
use std::borrow::Cow;

/// The part of a text that contains one value.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub tree: Tree,
    /// From 1. Empty documents count.
    pub number: usize,
    pub text: Cow<'a, str>,
    /// The number of lines before it.
    pub lines_before: usize,
}

impl Document<'_> {
    /// The line of a field, or of the nearest existing field above it.
    pub fn line_of(&self, steps: &[Step]) -> Option<usize> {
        Some(position(&self.text, place(&self.tree, steps)?, self.lines_before).0)
    }
}

/// The node itself, or the one that it repeats.
fn target(tree: &Tree, index: usize) -> Option<&Node> {
    match tree.node(index)? {
        Node { kind: Kind::Alias(of), .. } => tree.node(*of),
        node => Some(node),
    }
}

/// Where a field starts, or the nearest existing field above it.
fn place(tree: &Tree, steps: &[Step]) -> Option<usize> {
    let mut index = tree.root?;
    for step in steps {
        let below = match (&target(tree, index)?.kind, step) {
            (Kind::Map(pairs), Step::Key(key)) => {
                let is_key = |name: usize| value::key(tree, name).is_ok_and(|name| name == *key);
                pairs.iter().find(|(name, _)| is_key(*name)).map(|(_, value)| *value)
            }
            (Kind::List(items), Step::Index(index)) => items.get(*index).copied(),
            _ => None,
        };
        match below {
            Some(below) => index = below,
            None => break,
        }
    }
    Some(tree.node(index)?.at)
}
