//! The positions of the parts of a kubeconfig file in its text, so that one can be changed and the rest kept.
//!
//! A layout that kubectl and az do not write is rejected here, with the reason and the line. The text is never quoted: it may contain
//! keys.

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};
use std::{iter::Peekable, ops::Range, vec};

/// Why a file cannot be edited safely. It contains nothing of the file's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub why: &'static str,
    /// The line, counted from 1.
    pub line: Option<usize>,
}

impl Fault {
    pub fn new(why: &'static str) -> Self {
        Self { why, line: None }
    }

    /// A fault in the line at this position.
    pub fn at(why: &'static str, text: &str, place: usize) -> Self {
        let line = 1 + text.bytes().take(place).filter(|byte| *byte == b'\n').count();
        Self { why, line: Some(line) }
    }
}

const NOT_YAML: &str = "it is not YAML";
/// The maximum nesting depth. A kubeconfig with extensions has a depth below ten.
const DEEPEST: usize = 100;

/// A YAML node with its position.
#[derive(Debug)]
pub(super) struct Node {
    /// Where its content starts.
    pub start: usize,
    /// Where its last character ends, not counting blank lines at the end of a block scalar.
    pub end: usize,
    /// Where everything that belongs to it ends, counting blank lines at the end of a block scalar.
    pub after: usize,
    /// Whether it has neither an anchor nor a tag.
    pub is_bare: bool,
    anchor: usize,
    pub kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, style: ScalarStyle },
    List { is_flow: bool, items: Vec<Node> },
    Map { is_flow: bool, pairs: Vec<(Node, Node)> },
    Alias(usize),
}

impl Node {
    pub fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// Whether it is `null`, explicit or empty.
    pub fn is_null(&self) -> bool {
        let null = |text: &str| matches!(text, "" | "~" | "null" | "Null" | "NULL");
        matches!(&self.kind, Kind::Scalar { text, style: ScalarStyle::Plain } if null(text)) && self.is_bare
    }

    /// The value of a key, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Map { pairs, .. } = &self.kind else { return None };
        pairs.iter().find(|(name, _)| name.scalar() == Some(key)).map(|(_, value)| value)
    }

    fn walk(&self, see: &mut impl FnMut(&Self)) {
        see(self);
        match &self.kind {
            Kind::Scalar { .. } | Kind::Alias(_) => {}
            Kind::List { items, .. } => items.iter().for_each(|item| item.walk(see)),
            Kind::Map { pairs, .. } => pairs.iter().for_each(|(key, value)| {
                key.walk(see);
                value.walk(see);
            }),
        }
    }
}

/// A file's top level.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    pub text: &'a str,
    pub pairs: Vec<(Node, Node)>,
}

impl<'a> Layout<'a> {
    /// Parses text that starts without a byte order mark.
    pub fn read(text: &'a str) -> Result<Self, Fault> {
        if let Some(place) = lone_return(text) {
            return Err(Fault::at("a line ends in a carriage return alone", text, place));
        }
        let mut events = Vec::new();
        let mut documents = 0;
        // Another crate of the same build may have switched comments on; they are not nodes.
        let mut options = Options::default();
        options.set_emit_comments(false);
        for event in Parser::new_from_str_with_options(text, options) {
            let (event, span) = event.map_err(|err| Fault { why: NOT_YAML, line: Some(err.marker().line()) })?;
            let place = range(&span)?;
            match event {
                Event::DocumentStart(_, version) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(Fault::at("it holds several documents", text, place.start));
                    }
                    let head = text.get(..place.start).unwrap_or_default();
                    if version.is_some() || head.lines().any(|line| line.starts_with('%')) {
                        return Err(Fault::at("it begins with a directive", text, 0));
                    }
                }
                Event::DocumentEnd if !place.is_empty() => {
                    return Err(Fault::at("it has an end marker, so nothing can be appended", text, place.start));
                }
                Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
                event => events.push((event, place)),
            }
        }
        let mut events = events.into_iter().peekable();
        let root = if events.peek().is_some() { Some(node(text, &mut events, DEEPEST)?) } else { None };
        let pairs = match root {
            None => Vec::new(),
            Some(root) if root.is_null() && root.start == root.end => Vec::new(),
            Some(root) => top(text, root)?,
        };
        Ok(Self { text, pairs })
    }

    pub fn get(&self, key: &str) -> Option<&(Node, Node)> {
        self.pairs.iter().find(|(name, _)| name.scalar() == Some(key))
    }

    /// Whether an alias elsewhere in the file refers to a part of this node.
    pub fn is_repeated_elsewhere(&self, part: &Node) -> bool {
        let (mut anchors, mut inside, mut all) = (Vec::new(), Vec::new(), Vec::new());
        part.walk(&mut |node| anchors.push(node.anchor));
        let aliases = |into: &mut Vec<usize>, node: &Node| {
            if let Kind::Alias(to) = node.kind {
                into.push(to);
            }
        };
        part.walk(&mut |node| aliases(&mut inside, node));
        for (key, value) in &self.pairs {
            key.walk(&mut |node| aliases(&mut all, node));
            value.walk(&mut |node| aliases(&mut all, node));
        }
        let count = |list: &[usize], anchor: usize| list.iter().filter(|to| **to == anchor).count();
        anchors.iter().any(|anchor| *anchor != 0 && count(&all, *anchor) > count(&inside, *anchor))
    }

    /// The start of the line that contains a position.
    pub fn line_start(&self, place: usize) -> usize {
        self.text.get(..place).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1)
    }

    /// The end of the line that contains a position, before its line break.
    pub fn line_end(&self, place: usize) -> usize {
        let rest = self.text.get(place..).unwrap_or_default();
        let line = rest.find('\n').map_or(rest, |at| &rest[..at]);
        place + line.strip_suffix('\r').unwrap_or(line).len()
    }

    /// The start of the next line.
    pub fn next_line(&self, place: usize) -> usize {
        let rest = self.text.get(place..).unwrap_or_default();
        place + rest.find('\n').map_or(rest.len(), |at| at + 1)
    }

    /// The start of the line with an item's dash, and the dash's column.
    /// `from` is the first line to search.
    pub fn dash(&self, from: usize, item: &Node) -> Result<(usize, usize), Fault> {
        let mut start = self.line_start(item.start);
        while start >= from {
            let line = &self.text[start..self.line_end(start)];
            let column = line.len() - line.trim_start_matches(' ').len();
            let rest = &line[column..];
            if rest.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t'])) {
                return Ok((start, column));
            }
            if start == 0 {
                break;
            }
            start = self.line_start(start - 1);
        }
        Err(Fault::at("an entry does not start on its own line", self.text, item.start))
    }
}

fn lone_return(text: &str) -> Option<usize> {
    text.match_indices('\r').map(|(at, _)| at).find(|at| text.as_bytes().get(at + 1) != Some(&b'\n'))
}

fn range(span: &Span) -> Result<Range<usize>, Fault> {
    span.byte_range().ok_or(Fault::new(NOT_YAML))
}

/// The pairs of the top level; each key must start a line.
fn top(text: &str, root: Node) -> Result<Vec<(Node, Node)>, Fault> {
    let Kind::Map { is_flow, pairs } = root.kind else {
        return Err(Fault::at("its top level is not a mapping", text, root.start));
    };
    if is_flow {
        return Err(Fault::at("its top level is in flow style, as in JSON", text, root.start));
    }
    if !root.is_bare {
        return Err(Fault::at("its top level has an anchor or a tag", text, root.start));
    }
    for (key, _) in &pairs {
        if key.start > 0 && text.as_bytes().get(key.start - 1) != Some(&b'\n') {
            return Err(Fault::at("a key of the top level does not begin its line", text, key.start));
        }
        if key.scalar().is_none_or(|name| name == "<<") {
            return Err(Fault::at("its top level uses a merge key", text, key.start));
        }
    }
    Ok(pairs)
}

type Events<'a> = Peekable<vec::IntoIter<(Event<'a>, Range<usize>)>>;

fn node(text: &str, events: &mut Events<'_>, depth: usize) -> Result<Node, Fault> {
    let (event, place) = events.next().ok_or(Fault::new(NOT_YAML))?;
    let deeper = depth.checked_sub(1).ok_or(Fault::at("it is nested too deeply", text, place.start))?;
    let (start, mut end) = (place.start, place.end);
    let mut after = end;
    let (is_bare, anchor, kind) = match event {
        Event::Scalar(value, style, anchor, tag) => {
            if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                end = start + text.get(place).unwrap_or_default().trim_end().len();
            }
            (anchor == 0 && tag.is_none(), anchor, Kind::Scalar { text: value.into_owned(), style })
        }
        Event::Alias(to) => (true, 0, Kind::Alias(to)),
        Event::SequenceStart(style, anchor, tag) => {
            let mut items = Vec::new();
            while !is_end(events, &Event::SequenceEnd) {
                items.push(node(text, events, deeper)?);
            }
            let is_flow = style == StructureStyle::Flow;
            (end, after) = close(events, is_flow, items.last(), (end, after));
            (anchor == 0 && tag.is_none(), anchor, Kind::List { is_flow, items })
        }
        Event::MappingStart(style, anchor, tag) => {
            let mut pairs = Vec::new();
            while !is_end(events, &Event::MappingEnd) {
                pairs.push((node(text, events, deeper)?, node(text, events, deeper)?));
            }
            let is_flow = style == StructureStyle::Flow;
            (end, after) = close(events, is_flow, pairs.last().map(|(_, value)| value), (end, after));
            (anchor == 0 && tag.is_none(), anchor, Kind::Map { is_flow, pairs })
        }
        _ => return Err(Fault::at(NOT_YAML, text, start)),
    };
    Ok(Node { start, end, after, is_bare, anchor, kind })
}

fn is_end(events: &mut Events<'_>, wanted: &Event<'_>) -> bool {
    events.peek().is_none_or(|(event, _)| event == wanted)
}

/// Takes the end of a collection; in block style it has no end marker, so the collection ends with its last node.
fn close(events: &mut Events<'_>, is_flow: bool, last: Option<&Node>, own: (usize, usize)) -> (usize, usize) {
    let mark = events.next().map(|(_, place)| (place.end, place.end));
    match last {
        Some(last) if !is_flow => (last.end, last.after),
        _ => mark.unwrap_or(own),
    }
}
