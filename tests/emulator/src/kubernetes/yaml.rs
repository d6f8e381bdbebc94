//! YAML as the API server reads it: `sigs.k8s.io/yaml` v1.4.0, that is goyaml v2 and then JSON. Its scalars are those of YAML 1.1, so
//! `yes` is a boolean and `0644` the number 420. `tests/peers/manifests` compares this file with that package.

use std::collections::HashMap;

use base64::{Engine as _, alphabet::STANDARD, engine::GeneralPurpose, engine::GeneralPurposeConfig};
use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};
use serde_json::{Map, Number, Value};

use super::goyaml;

const CORE: &str = "tag:yaml.org,2002:";
/// How deep a body may be nested, and how many nodes its aliases may repeat.
const DEPTH: usize = 300;
const REPEATED: usize = 400_000;

type Result<T> = std::result::Result<T, String>;

/// The first document of a text. The server looks at no other.
pub(super) fn read(text: &str) -> Result<Value> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") };
    if let Some(letter) = text.chars().find(|letter| !goyaml::is_allowed(*letter)) {
        return Err(format!("yaml: control characters are not allowed ({})", letter.escape_unicode()));
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
enum Node {
    Value(Value),
    Float(f64),
    /// More than 63 bits.
    Large(u64),
}

impl Node {
    fn text(text: &str) -> Self {
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
        _ if short == 0.0 || (1e-4..1e6).contains(&short.abs()) => short.to_string(),
        _ => {
            let text = format!("{short:e}");
            let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
    }
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
        let (event, span) = event.map_err(|error| format!("yaml: {error}"))?;
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

const TRUE: [&str; 11] = ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"];
const FALSE: [&str; 11] = ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"];

/// A plain scalar.
fn resolved(text: &str) -> Node {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Node::Value(Value::Null),
        ".nan" | ".NaN" | ".NAN" => return Node::Float(f64::NAN),
        _ if TRUE.contains(&text) => return Node::Value(Value::Bool(true)),
        _ if FALSE.contains(&text) => return Node::Value(Value::Bool(false)),
        _ if [".inf", ".Inf", ".INF"].contains(&unsigned) => {
            return Node::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        _ => {}
    }
    if text.starts_with('.') {
        return fraction(text).map_or_else(|| Node::text(text), Node::Float);
    }
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-".contains(first)) {
        return Node::text(text);
    }
    number(&text.replace('_', "")).unwrap_or_else(|| Node::text(text))
}

/// What starts with a digit or a sign.
fn number(text: &str) -> Option<Node> {
    let (negative, digits) = match text.split_at_checked(1)? {
        ("-", rest) => (true, rest),
        ("+", rest) => (false, rest),
        _ => (false, text),
    };
    let signed = |magnitude: u64| {
        let magnitude = i128::from(magnitude);
        i64::try_from(if negative { -magnitude } else { magnitude }).ok()
    };
    if let Some(magnitude) = magnitude(digits) {
        if let Some(integer) = signed(magnitude) {
            return Some(Node::Value(integer.into()));
        }
        if !text.starts_with(['+', '-']) {
            return Some(Node::Large(magnitude));
        }
    }
    if let Some(float) = float(text) {
        return Some(Node::Float(float));
    }
    // A sign after the prefix of binary numbers is let through.
    let (sign, bits) = text.strip_prefix("0b")?.split_at_checked(1)?;
    let integer = match sign {
        "+" => i64::try_from(in_base(bits, 2)?).ok()?,
        "-" => i64::try_from(-i128::from(in_base(bits, 2)?)).ok()?,
        _ => return None,
    };
    Some(Node::Value(integer.into()))
}

fn magnitude(digits: &str) -> Option<u64> {
    let prefixed = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
    let Some(rest) = prefixed else { return in_base(digits, 10) };
    match rest.split_at_checked(1) {
        Some(("x" | "X", digits)) if !digits.is_empty() => in_base(digits, 16),
        Some(("o" | "O", digits)) if !digits.is_empty() => in_base(digits, 8),
        Some(("b" | "B", digits)) if !digits.is_empty() => in_base(digits, 2),
        _ => in_base(rest, 8),
    }
}

fn in_base(digits: &str, base: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.chars().try_fold(0_u64, |sum, digit| sum.checked_mul(base.into())?.checked_add(digit.to_digit(base)?.into()))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, if a float can hold it.
fn float(text: &str) -> Option<f64> {
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    let whole = digits(rest);
    rest = &rest[whole..];
    if let Some(after) = rest.strip_prefix('.') {
        let part = digits(after);
        if whole + part == 0 {
            return None;
        }
        rest = &after[part..];
    } else if whole == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    text.parse::<f64>().ok().filter(|float| float.is_finite())
}

/// What starts with a point: an underscore has a digit on each side.
fn fraction(text: &str) -> Option<f64> {
    let mut parts = text.split('_').peekable();
    while let Some(part) = parts.next() {
        if let Some(after) = parts.peek()
            && !(part.ends_with(|end: char| end.is_ascii_digit())
                && after.starts_with(|start: char| start.is_ascii_digit()))
        {
            return None;
        }
    }
    float(&text.replace('_', ""))
}

/// A date, or a date and a time; where a `T` is between them with a zone, and where a space is without.
fn is_timestamp(text: &str) -> bool {
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let Some(time) = time else { return is_date(date) };
    let (separator, time) = time.split_at(1);
    let zone = time.find(['Z', '+', '-']).map(|at| time.split_at(at));
    is_date(date)
        && match (separator, zone) {
            (" ", None) => is_time(time),
            ("T" | "t", Some((time, zone))) => is_time(time) && is_zone(zone),
            _ => false,
        }
}

fn is_number(text: &str, digits: std::ops::RangeInclusive<usize>, values: std::ops::RangeInclusive<u32>) -> bool {
    digits.contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse().is_ok_and(|value| values.contains(&value))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    if !(is_number(year, 4..=4, 0..=9999) && is_number(month, 1..=2, 1..=12)) {
        return false;
    }
    let leap = year
        .parse()
        .is_ok_and(|year: u32| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)));
    let days = match month.trim_start_matches('0') {
        "2" => 28 + u32::from(leap),
        "4" | "6" | "9" | "11" => 30,
        _ => 31,
    };
    is_number(day, 1..=2, 1..=days)
}

fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let [hour, minute, second] = parts[..] else { return false };
    let (second, fraction) = second.split_once(['.', ',']).unwrap_or((second, "0"));
    let has_digits = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_number(hour, 1..=2, 0..=23) && is_number(minute, 1..=2, 0..=59) && is_number(second, 1..=2, 0..=59) && has_digits
}

fn is_zone(text: &str) -> bool {
    let offset = text.strip_prefix(['+', '-']).and_then(|offset| offset.split_once(':'));
    text == "Z"
        || offset.is_some_and(|(hours, minutes)| is_number(hours, 2..=2, 0..=24) && is_number(minutes, 2..=2, 0..=59))
}
