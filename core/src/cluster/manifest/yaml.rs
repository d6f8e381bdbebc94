//! From the text of one YAML document to nodes.

use super::{
    goyaml,
    scalar::Written,
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
}

pub(super) fn read(text: &str) -> Result<Tree, Fault> {
    goyaml::check_letters(text)?;
    let mut builder = Builder::default();
    let mut ended = false;
    for event in Parser::new_from_str_with_options(&goyaml::without_leading_tabs(text), options()) {
        let (event, span) = event.map_err(|err| {
            let at = err.marker().byte_offset().unwrap_or(text.len());
            Fault::new(NOT_YAML, at)
        })?;
        let at = span.start.byte_offset().unwrap_or_default();
        goyaml::check(text, &event, &span, builder.place())?;
        match event {
            Event::DocumentStart(..) if ended => {
                return Err(Fault::new("a document follows another one without a line --- between them", at));
            }
            Event::DocumentEnd => ended = true,
            event => builder.take(event, at)?,
        }
    }
    Ok(builder.tree)
}

/// Other crates of the same build may have switched comments on; they are no nodes.
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
    /// A collection in brackets contains none without.
    fn place(&self) -> goyaml::Place {
        goyaml::Place {
            is_in_brackets: self.open.last().is_some_and(|open| open.is_flow),
            is_in_block: self.open.first().is_some_and(|open| !open.is_flow),
        }
    }

    fn take(&mut self, event: Event<'_>, at: usize) -> Result<(), Fault> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let is_plain = style == ScalarStyle::Plain;
                let tag = tag.as_deref().map(full);
                self.add(at, anchor, Kind::Scalar(Written { text: text.into_owned(), tag, is_plain }));
            }
            Event::Alias(of) => {
                let of = *self.anchors.get(&of).ok_or(Fault::new(NOT_YAML, at))?;
                self.add(at, 0, Kind::Alias(of));
            }
            Event::SequenceStart(style, anchor, _) => self.start(at, anchor, false, style)?,
            Event::MappingStart(style, anchor, _) => self.start(at, anchor, true, style)?,
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

    fn start(&mut self, at: usize, anchor: usize, is_map: bool, style: StructureStyle) -> Result<(), Fault> {
        if self.open.len() >= DEEPEST {
            return Err(Fault::new(TOO_DEEP, at));
        }
        let node = self.add(at, anchor, Kind::List(Vec::new()));
        self.open.push(Open { node, below: Vec::new(), is_map, is_flow: style == StructureStyle::Flow });
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

fn full(tag: &Tag) -> String {
    let (handle, suffix) = tag.parts();
    format!("{handle}{suffix}")
}
