//! YAML as the API server reads it: `sigs.k8s.io/yaml` v1.4.0, that is goyaml v2 and then JSON. Its scalars are those of YAML 1.1, so
//! `yes` is a boolean and `0644` the number 420. `tests/peers/manifests` compares this file with that package.

use std::collections::HashMap;

use base64::{Engine as _, alphabet::STANDARD, engine::GeneralPurpose, engine::GeneralPurposeConfig};
use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};
use serde_json::{Map, Number, Value};

use super::goyaml;
use super::yaml_scalar::{is_timestamp, resolved};

const CORE: &str = "tag:yaml.org,2002:";
/// How deep a body may be nested, and how many nodes its aliases may repeat.
const DEPTH: usize = 300;
const REPEATED: usize = 400_000;

type Result<T> = std::result::Result<T, String>;

/// The first document of a text. The server looks at no other.
pub(super) fn read(text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    if !text.chars().all(goyaml::is_allowed) {
        return Err("yaml: control characters are not allowed".to_owned());
    }
    let mut options = Options::default();
    options.emit_anchor_events = true;
    options.set_emit_comments(false);
    let indented = goyaml::indented(&text);
    let parser = Parser::new_from_str_with_options(&indented, options);
    let mut reader = Reader { text: &text, parser, anchors: HashMap::new(), repeated: 0, brackets: Vec::new() };
    loop {
        match reader.next()? {
            Event::StreamStart => {}
            Event::StreamEnd => return Ok(Value::Null),
            Event::DocumentStart(..) => {
                let first = reader.next()?;
                return reader.node(first, DEPTH)?.value();
            }
            _ => return Err(broken()),
        }
    }
}

fn broken() -> String {
    "yaml: the events are not those of a document".to_owned()
}

/// A node before it becomes JSON: as keys, some differ.
#[derive(Clone)]
pub(super) enum Node {
    Value(Value),
    Float(f64),
    /// More than 63 bits.
    Large(u64),
}

impl Node {
    pub(super) fn text(text: &str) -> Self {
        Self::Value(Value::from(text))
    }

    fn value(self) -> Result<Value> {
        match self {
            Self::Value(value) => Ok(value),
            Self::Float(float) => as_json(float),
            #[allow(clippy::cast_precision_loss, reason = "as in Go")]
            Self::Large(number) => as_json(number as f64),
        }
    }

    fn key(self) -> Result<String> {
        match self {
            Self::Value(Value::String(text)) => Ok(text),
            Self::Value(value @ (Value::Bool(_) | Value::Number(_))) => Ok(value.to_string()),
            Self::Float(float) => Ok(short_float(float)),
            Self::Value(Value::Array(_) | Value::Object(_)) => Err("yaml: invalid map key".to_owned()),
            Self::Value(Value::Null) | Self::Large(_) => Err("unsupported map key".to_owned()),
        }
    }
}

/// What JSON makes of a float: an integer where it has no fraction and Go prints no exponent.
pub(super) fn as_json(float: f64) -> Result<Value> {
    let digits = format!("{float}");
    match (digits.parse::<i64>(), Number::from_f64(float)) {
        (Ok(integer), _) => Ok(integer.into()),
        (_, Some(number)) => Ok(Value::Number(number)),
        _ => Err(format!("json: unsupported value: {float}")),
    }
}

/// A float as a key has the precision of 32 bits, and an exponent from a million on.
#[allow(clippy::cast_possible_truncation, reason = "as in Go")]
fn short_float(float: f64) -> String {
    let short = float as f32;
    match short {
        _ if short.is_nan() => ".nan".to_owned(),
        f32::INFINITY => ".inf".to_owned(),
        f32::NEG_INFINITY => "-.inf".to_owned(),
        _ if short == 0.0 || (1e-4..1e6).contains(&short.abs()) => half_to_even(short).to_string(),
        _ => {
            let text = format!("{:e}", half_to_even(short));
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
}

/// The decimal by which Go prints it: where two of the same length are equally near, Rust takes the one away from zero, Go the even one.
fn half_to_even(short: f32) -> f64 {
    let wide = f64::from(short);
    let shown = format!("{short:e}");
    let digits = shown.split('e').next().unwrap_or_default().chars().filter(char::is_ascii_digit).count();
    // This rounds the exact value, halves to even.
    let even: f64 = format!("{wide:.*e}", digits.saturating_sub(1)).parse().unwrap_or(wide);
    #[allow(clippy::cast_possible_truncation, reason = "compared as the text of 32 bits")]
    let is_same = (even as f32).to_bits() == short.to_bits();
    if is_same { even } else { shown.parse().unwrap_or(wide) }
}

struct Reader<'a> {
    parser: Parser<'a, granit_parser::StrInput<'a>>,
    anchors: HashMap<usize, (Node, usize)>,
    repeated: usize,
    text: &'a str,
    /// Of each open collection, whether it is in brackets.
    brackets: Vec<bool>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Event<'a>> {
        loop {
            match self.any()? {
                Event::Anchor(..) => {}
                event => return Ok(event),
            }
        }
    }

    fn any(&mut self) -> Result<Event<'a>> {
        let event = self.parser.next_event().ok_or_else(broken)?;
        let (event, span) =
            event.map_err(|error| format!("yaml: {}", goyaml::syntax(self.text, &error.to_string())))?;
        if goyaml::is_other(self.text, &event, &span, &self.brackets) {
            return Err(format!("yaml: line {}: did not find expected node content", span.start.line()));
        }
        match &event {
            Event::SequenceStart(style, ..) | Event::MappingStart(style, ..) => {
                self.brackets.push(*style == StructureStyle::Flow);
            }
            Event::SequenceEnd | Event::MappingEnd => drop(self.brackets.pop()),
            _ => {}
        }
        Ok(event)
    }

    fn node(&mut self, first: Event<'a>, depth: usize) -> Result<Node> {
        let deeper = depth.checked_sub(1).ok_or("yaml: exceeded max depth")?;
        let (node, anchor) = match first {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix()));
                (scalar(&text, style == ScalarStyle::Plain, tag.as_deref())?, anchor)
            }
            Event::Alias(anchor) => return self.alias(anchor),
            Event::SequenceStart(_, anchor, _) => (Node::Value(Value::Array(self.items(deeper)?)), anchor),
            Event::MappingStart(_, anchor, _) => (Node::Value(Value::Object(self.pairs(deeper)?)), anchor),
            _ => return Err(broken()),
        };
        if anchor != 0 {
            let size = size(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    /// An anchor is known once its node is complete, so nothing contains itself.
    fn alias(&mut self, anchor: usize) -> Result<Node> {
        let (node, size) = self.anchors.get(&anchor).ok_or("yaml: an anchor's value contains itself")?;
        self.repeated += size;
        if self.repeated > REPEATED {
            Err("yaml: document contains excessive aliasing".to_owned())
        } else {
            Ok(node.clone())
        }
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                Event::SequenceEnd => return Ok(items),
                event => items.push(self.node(event, depth)?.value()?),
            }
        }
    }

    /// Each pair takes the place of an earlier one with the same key, also the pairs of a merge.
    fn pairs(&mut self, depth: usize) -> Result<Map<String, Value>> {
        let mut pairs = Map::new();
        loop {
            match self.next()? {
                Event::MappingEnd => return Ok(pairs),
                event if is_merge(&event) => self.merge(&mut pairs, depth)?,
                event => {
                    let key = self.node(event, depth)?.key()?;
                    let first = self.next()?;
                    pairs.insert(key, self.node(first, depth)?.value()?);
                }
            }
        }
    }

    fn merge(&mut self, into: &mut Map<String, Value>, depth: usize) -> Result<()> {
        let mut merged = Vec::new();
        match self.next()? {
            Event::SequenceStart(..) => loop {
                match self.next()? {
                    Event::SequenceEnd => break,
                    event => merged.push(self.mapping(event, depth)?),
                }
            },
            event => merged.push(self.mapping(event, depth)?),
        }
        merged.into_iter().rev().for_each(|map| into.extend(map));
        Ok(())
    }

    fn mapping(&mut self, first: Event<'a>, depth: usize) -> Result<Map<String, Value>> {
        match self.node(first, depth)? {
            Node::Value(Value::Object(map)) => Ok(map),
            _ => Err("yaml: map merge requires map or sequence of maps as the value".to_owned()),
        }
    }
}

/// The number of nodes, and a node more for each 64 letters.
fn size(node: &Node) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Array(items) => 1 + items.iter().map(of).sum::<usize>(),
            Value::Object(pairs) => 1 + pairs.iter().map(|(key, value)| 1 + key.len() / 64 + of(value)).sum::<usize>(),
            Value::String(text) => 1 + text.len() / 64,
            _ => 1,
        }
    }
    if let Node::Value(value) = node { of(value) } else { 1 }
}

fn is_merge(event: &Event<'_>) -> bool {
    let Event::Scalar(text, style, _, tag) = event else { return false };
    text == "<<"
        && match tag {
            None => *style == ScalarStyle::Plain,
            Some(tag) => {
                let tag = format!("{}{}", tag.handle(), tag.suffix());
                tag == "!" || tag.strip_prefix(CORE) == Some("merge")
            }
        }
}

fn scalar(text: &str, plain: bool, tag: Option<&str>) -> Result<Node> {
    let Some(tag) = tag else { return Ok(if plain { resolved(text) } else { Node::text(text) }) };
    let Some(kind) = tag.strip_prefix(CORE) else { return Ok(Node::text(text)) };
    let node = match kind {
        "bool" | "int" | "float" | "null" => resolved(text),
        "timestamp" if is_timestamp(text) => return Ok(Node::text(text)),
        "timestamp" => return Err(format!("yaml: cannot decode `{text}` as a !!timestamp")),
        "binary" => return unpacked(text),
        _ => return Ok(Node::text(text)),
    };
    match (kind, node) {
        ("bool", node @ Node::Value(Value::Bool(_)))
        | ("int", node @ (Node::Value(Value::Number(_)) | Node::Large(_)))
        | ("float", node @ (Node::Float(_) | Node::Value(Value::Number(_))))
        | ("null", node @ Node::Value(Value::Null)) => Ok(match node {
            // As a key, a float is printed otherwise than an integer.
            Node::Value(Value::Number(number)) if kind == "float" => Node::Float(number.as_f64().unwrap_or_default()),
            node => node,
        }),
        _ => Err(format!("yaml: cannot decode `{text}` as a !!{kind}")),
    }
}

fn unpacked(text: &str) -> Result<Node> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !b"\r\n".contains(byte)).collect();
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(&STANDARD, config).decode(packed);
    let bytes = bytes.map_err(|_| "yaml: !!binary value contains invalid base64 data")?;
    let mut text = String::new();
    for part in bytes.utf8_chunks() {
        text += part.valid();
        text += &"\u{fffd}".repeat(part.invalid().len());
    }
    Ok(Node::Value(Value::String(text)))
}
