//! From JSON to nodes, as Go's `encoding/json` reads it: the one value at the start of the text, regardless of what follows.

use super::{
    number,
    tree::{Fault, Kind, Tree},
    value::{DEEPEST, TOO_DEEP},
};
use serde_json::Value;

const NOT_JSON: &str = "not valid JSON";
const TOO_LARGE: &str = "a number is too large";

/// Whether text is JSON without a value: then it is not YAML either.
pub(super) fn is_json(fault: &Fault) -> bool {
    fault.why == TOO_LARGE || fault.why == TOO_DEEP
}

/// The first value, and where it ends.
pub(super) fn read(text: &str) -> Result<(Tree, usize), Fault> {
    let mut reader = Reader { text, at: 0, tree: Tree::default() };
    reader.tree.root = Some(reader.value(DEEPEST)?);
    Ok((reader.tree, reader.at))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    tree: Tree,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn fault(&self) -> Fault {
        Fault::new(NOT_JSON, self.at)
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// Consumes a byte if it is the next one.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<usize, Fault> {
        self.skip_blanks();
        let at = self.at;
        let deeper = depth.checked_sub(1).ok_or(Fault::new(TOO_DEEP, at))?;
        let kind = match self.peek() {
            Some(b'{') => Kind::Map(self.list(b'}', |reader| {
                reader.skip_blanks();
                let at = reader.at;
                let key = reader.string()?;
                let key = reader.tree.add(at, Kind::Value(Value::String(key)));
                reader.skip_blanks();
                if !reader.takes(b':') {
                    return Err(reader.fault());
                }
                Ok((key, reader.value(deeper)?))
            })?),
            Some(b'[') => Kind::List(self.list(b']', |reader| reader.value(deeper))?),
            Some(b'"') => Kind::Value(Value::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => Kind::Value(self.number()?),
            _ => Kind::Value(self.word()?),
        };
        Ok(self.tree.add(at, kind))
    }

    /// What is between brackets.
    fn list<T>(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.takes(end) {
            return Ok(items);
        }
        loop {
            items.push(one(self)?);
            self.skip_blanks();
            if self.takes(end) {
                return Ok(items);
            }
            if !self.takes(b',') {
                return Err(self.fault());
            }
        }
    }

    fn word(&mut self) -> Result<Value, Fault> {
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.fault())
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == from { Err(self.fault()) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let from = self.at;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            let _ = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        let text = &self.text[from..self.at];
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(Value::from(whole));
        }
        let number = text.parse().ok().and_then(number::float_value);
        number.ok_or(Fault::new(TOO_LARGE, from))
    }

    fn string(&mut self) -> Result<String, Fault> {
        if !self.takes(b'"') {
            return Err(self.fault());
        }
        let mut string = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|letter| matches!(letter, '"' | '\\' | '\0'..='\u{1f}')).unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            if self.takes(b'"') {
                return Ok(string);
            }
            if !self.takes(b'\\') {
                return Err(self.fault());
            }
            string.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Result<char, Fault> {
        let letter = match self.peek() {
            Some(sign @ (b'"' | b'\\' | b'/')) => char::from(sign),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(self.fault()),
        };
        self.at += 1;
        Ok(letter)
    }

    /// What follows a backslash and starts with `u`. Half of a surrogate pair alone becomes U+FFFD.
    fn code_point(&mut self) -> Result<char, Fault> {
        let first = self.hex().ok_or(self.fault())?;
        if let 0xD800..=0xDBFF = first {
            let before = self.at;
            if self.takes(b'\\')
                && self.peek() == Some(b'u')
                && let Some(second @ 0xDC00..=0xDFFF) = self.hex()
            {
                let both = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = before;
        }
        Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    /// `u` and four hexadecimal digits.
    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 5;
        u32::from_str_radix(digits, 16).ok()
    }
}
