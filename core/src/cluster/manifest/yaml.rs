//! From the text of one YAML document to nodes.

use super::{
    goyaml,
    scalar::Written,
    tabs::Tabs,
    tree::{Fault, Kind, Tree},
    value::{DEEPEST, TOO_DEEP},
};
use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle, Tag};
use std::collections::HashMap;

const NOT_YAML: &str = "not valid YAML";
/// A collection whose end has not been read.
struct Open {
    node: usize,
    /// The nodes in it: items, or keys and values in turn.
    below: Vec<usize>,
    is_map: bool,
    is_flow: bool,
    column: usize,
}

pub(super) fn read(text: &str) -> Result<Tree, Fault> {
    goyaml::check_letters(text)?;
    let mut builder = Builder::default();
    let (mut ended, mut tabs) = (false, Tabs::default());
    for event in Parser::new_from_str_with_options(&goyaml::without_leading_tabs(text), options()) {
        let (event, span) = event.map_err(|err| {
            let at = err.marker().byte_offset().unwrap_or(text.len());
            Fault::new(NOT_YAML, at)
        })?;
        let at = span.start.byte_offset().unwrap_or_default();
        let is_in_brackets = builder.is_in_brackets();
        if !is_in_brackets {
            tabs.check(text, at)?;
        }
        goyaml::check(text, &event, &span, is_in_brackets)?;
        tabs.after(text, &event, &span, builder.column());
        match event {
            Event::DocumentStart(..) if ended => {
                return Err(Fault::new("a document follows another one without a line --- between them", at));
            }
            Event::DocumentEnd => ended = true,
            event => builder.take(event, at, text)?,
        }
    }
    Ok(builder.tree)
}

/// Other crates of the same build may have switched comments on; they are not nodes.
fn options() -> Options {
    let mut options = granit_parser::options! { emit_anchor_events: true };
    options.set_emit_comments(false);
    options
}

#[derive(Default)]
struct Builder {
    tree: Tree,
    open: Vec<Open>,
    anchors: HashMap<usize, usize>,
}

impl Builder {
    /// A collection in brackets contains no collection without brackets.
    fn is_in_brackets(&self) -> bool {
        self.open.last().is_some_and(|open| open.is_flow)
    }

    /// Where the innermost collection without brackets starts in its line.
    fn column(&self) -> Option<usize> {
        self.open.iter().rev().find(|open| !open.is_flow).map(|open| open.column)
    }

    fn take(&mut self, event: Event<'_>, at: usize, text: &str) -> Result<(), Fault> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let tag = tag.as_deref().map(full);
                self.add(at, anchor, Kind::Scalar(Written { text: value.into_owned(), tag, is_plain }));
            }
            Event::Alias(of) => {
                let of = *self.anchors.get(&of).ok_or(Fault::new(NOT_YAML, at))?;
                self.add(at, 0, Kind::Alias(of));
            }
            Event::SequenceStart(style, anchor, _) => self.start(text, at, anchor, (false, style))?,
            Event::MappingStart(style, anchor, _) => self.start(text, at, anchor, (true, style))?,
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, at: usize, anchor: usize, kind: Kind) -> usize {
        let node = self.tree.add(at, kind);
        if anchor != 0 {
            self.anchors.insert(anchor, node);
        }
        match self.open.last_mut() {
            Some(open) => open.below.push(node),
            None => self.tree.root = Some(node),
        }
        node
    }

    fn start(
        &mut self,
        text: &str,
        at: usize,
        anchor: usize,
        (is_map, style): (bool, StructureStyle),
    ) -> Result<(), Fault> {
        if self.open.len() >= DEEPEST {
            return Err(Fault::new(TOO_DEEP, at));
        }
        let node = self.add(at, anchor, Kind::List(Vec::new()));
        let is_flow = style == StructureStyle::Flow;
        // Only that of a collection without brackets is asked for; to find it costs a look back to the start of the line.
        let column = match (is_flow, is_map) {
            (true, _) => 0,
            (false, true) => column(text, at),
            (false, false) => item_column(text, at),
        };
        self.open.push(Open { node, below: Vec::new(), is_map, is_flow, column });
        Ok(())
    }

    fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        let kind = if open.is_map {
            Kind::Map(open.below.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
        } else {
            Kind::List(open.below)
        };
        if let Some(node) = self.tree.nodes.get_mut(open.node) {
            node.kind = kind;
        }
    }
}

/// The bytes before it in its line.
fn column(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    at - before.rfind(['\n', '\r']).map_or(0, |end| end + 1)
}

/// The column of the dash of a list's first item: the parser gives the place of what comes after it.
fn item_column(text: &str, at: usize) -> usize {
    let before = text.get(..at).unwrap_or_default();
    let dash = if text.get(at..).is_some_and(|text| text.starts_with('-')) { Some(at) } else { before.rfind('-') };
    column(text, dash.unwrap_or(at))
}

fn full(tag: &Tag) -> String {
    let (handle, suffix) = tag.parts();
    format!("{handle}{suffix}")
}
