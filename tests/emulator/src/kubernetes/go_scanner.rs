//! Which JSON Go's reader takes: it accepts bytes in a text that are no UTF-8, and its errors name a byte.

/// How many arrays and objects may stand in one another.
const DEPTH: usize = 10_000;
const END: &str = "unexpected end of JSON input";

/// The error of Go's reader, or `None` for what it takes.
pub(super) fn error(bytes: &[u8]) -> Option<String> {
    Scanner { bytes, at: 0, open: Vec::new() }.document().err()
}

/// The same JSON without what only Go's reader takes: each odd byte and each half of a pair becomes U+FFFD, as in Go.
pub(super) fn repaired(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| text.push('\u{fffd}'));
    }
    without_halves(&text)
}

/// Replaces escapes such as `\ud800` that are half of a pair without its other half.
fn without_halves(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        kept.push_str(&rest[..at]);
        rest = &rest[at..];
        let (shown, length) = match (half(rest), rest.get(6..).and_then(half)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&rest[..12], 12),
            (Some(0xd800..=0xdfff), _) => ("\u{fffd}", 6),
            // What is escaped may be a backslash.
            _ => {
                let length = 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                (&rest[..length], length)
            }
        };
        kept.push_str(shown);
        rest = &rest[length..];
    }
    kept + rest
}

/// The number of an escape `\u....` at the start.
fn half(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The brackets around the place.
    open: Vec<u8>,
}

impl Scanner<'_> {
    fn document(mut self) -> Result<(), String> {
        self.value()?;
        // After each value: the end, or what the bracket around it allows.
        while let Some(bracket) = self.open.last().copied() {
            match (self.next_of_some()?, bracket) {
                (b',', b'{') => self.key()?,
                (b',', _) => {}
                (b'}', b'{') | (b']', b'[') => {
                    self.open.pop();
                    continue;
                }
                (byte, b'{') => return Err(invalid(byte, "after object key:value pair")),
                (byte, _) => return Err(invalid(byte, "after array element")),
            }
            self.value()?;
        }
        self.blank();
        self.bytes.get(self.at).map_or(Ok(()), |byte| Err(invalid(*byte, "after top-level value")))
    }

    /// A value; of an array or object with something in it, the first value.
    fn value(&mut self) -> Result<(), String> {
        loop {
            let byte = self.next_of_some()?;
            match byte {
                b'{' | b'[' if self.open.len() == DEPTH => return Err(invalid(byte, "exceeded max depth")),
                b'{' | b'[' if self.is_closed_by(byte + 2) => return Ok(()),
                b'{' => {
                    self.open.push(byte);
                    self.key()?;
                }
                b'[' => self.open.push(byte),
                b'"' => return self.text(),
                b'-' | b'0'..=b'9' => return self.number(byte),
                b't' => return self.word("true"),
                b'f' => return self.word("false"),
                b'n' => return self.word("null"),
                _ => return Err(invalid(byte, "looking for beginning of value")),
            }
        }
    }

    fn is_closed_by(&mut self, bracket: u8) -> bool {
        self.blank();
        let is_closed = self.bytes.get(self.at) == Some(&bracket);
        self.at += usize::from(is_closed);
        is_closed
    }

    fn key(&mut self) -> Result<(), String> {
        match self.next_of_some()? {
            b'"' => self.text()?,
            byte => return Err(invalid(byte, "looking for beginning of object key string")),
        }
        match self.next_of_some()? {
            b':' => Ok(()),
            byte => Err(invalid(byte, "after object key")),
        }
    }

    fn text(&mut self) -> Result<(), String> {
        while let Some(byte) = self.bytes.get(self.at).copied() {
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..0x20 => return Err(invalid(byte, "in string literal")),
                _ => {}
            }
        }
        Err(END.to_owned())
    }

    fn escape(&mut self) -> Result<(), String> {
        match self.next() {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.next() {
                byte if byte.is_ascii_hexdigit() => Ok(()),
                byte => Err(invalid(byte, "in \\u hexadecimal character escape")),
            }),
            byte => Err(invalid(byte, "in string escape code")),
        }
    }

    fn number(&mut self, first: u8) -> Result<(), String> {
        let first = if first == b'-' { self.digit("in numeric literal")? } else { first };
        if first != b'0' {
            self.digits();
        }
        if self.takes(b".") {
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if self.takes(b"eE") {
            self.takes(b"+-");
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&mut self, place: &str) -> Result<u8, String> {
        let byte = self.next();
        if byte.is_ascii_digit() { Ok(byte) } else { Err(invalid(byte, place)) }
    }

    fn digits(&mut self) {
        while self.takes(b"0123456789") {}
    }

    fn takes(&mut self, any: &[u8]) -> bool {
        let takes = self.bytes.get(self.at).is_some_and(|byte| any.contains(byte));
        self.at += usize::from(takes);
        takes
    }

    /// The rest of a word whose first letter was read.
    fn word(&mut self, word: &str) -> Result<(), String> {
        word.bytes().skip(1).try_for_each(|wanted| match self.next() {
            byte if byte == wanted => Ok(()),
            byte => Err(invalid(byte, &format!("in literal {word} (expecting '{}')", char::from(wanted)))),
        })
    }

    /// The next byte within a word or number. Go finds where these end by a blank, which it puts behind the text.
    fn next(&mut self) -> u8 {
        self.at += 1;
        self.bytes.get(self.at - 1).copied().unwrap_or(b' ')
    }

    /// The next byte that is no blank.
    fn next_of_some(&mut self) -> Result<u8, String> {
        self.blank();
        if self.at >= self.bytes.len() { Err(END.to_owned()) } else { Ok(self.next()) }
    }

    fn blank(&mut self) {
        while self.takes(b" \t\r\n") {}
    }
}

fn invalid(byte: u8, place: &str) -> String {
    format!("invalid character {} {place}", quoted(byte))
}

/// A byte as Go shows it: as the character of that number.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        7 => r"'\a'".to_owned(),
        8 => r"'\b'".to_owned(),
        9 => r"'\t'".to_owned(),
        10 => r"'\n'".to_owned(),
        11 => r"'\v'".to_owned(),
        12 => r"'\f'".to_owned(),
        13 => r"'\r'".to_owned(),
        0..0x20 | 0x7f => format!("'\\x{byte:02x}'"),
        // Not printable: controls, the no-break space and the soft hyphen.
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        byte => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_byte_and_where_it_stands() {
        for (text, wanted) in [
            (&b""[..], Some("unexpected end of JSON input")),
            (b"{", Some("unexpected end of JSON input")),
            (b"[1", Some("unexpected end of JSON input")),
            (b"\"a", Some("unexpected end of JSON input")),
            (b"\"\\", Some("invalid character ' ' in string escape code")),
            (b"tr", Some("invalid character ' ' in literal true (expecting 'u')")),
            (b"1.", Some("invalid character ' ' after decimal point in numeric literal")),
            (b"\0\0", Some("invalid character '\\x00' looking for beginning of value")),
            (b"{a", Some("invalid character 'a' looking for beginning of object key string")),
            (b"{\"a\" 1}", Some("invalid character '1' after object key")),
            (b"{\"a\": 1 2}", Some("invalid character '2' after object key:value pair")),
            (b"{\"a\": 01}", Some("invalid character '1' after object key:value pair")),
            (b"{\"a\": 1,}", Some("invalid character '}' looking for beginning of object key string")),
            (b"[1 2]", Some("invalid character '2' after array element")),
            (b"[1,]", Some("invalid character ']' looking for beginning of value")),
            (b"[1}", Some("invalid character '}' after array element")),
            (b"{} x", Some("invalid character 'x' after top-level value")),
            (b"\"\x01\"", Some("invalid character '\\x01' in string literal")),
            (b"\"\t\"", Some("invalid character '\\t' in string literal")),
            (b"\"\\q\"", Some("invalid character 'q' in string escape code")),
            (b"\"\\u12z\"", Some("invalid character 'z' in \\u hexadecimal character escape")),
            (b"nul1", Some("invalid character '1' in literal null (expecting 'l')")),
            (b"[-]", Some("invalid character ']' in numeric literal")),
            (b"[1e]", Some("invalid character ']' in exponent of numeric literal")),
            (b"\xc2{}", Some("invalid character '\u{c2}' looking for beginning of value")),
            (b"{} \x80", Some("invalid character '\\u0080' after top-level value")),
            (b"\xef\xbb\xbf{}", Some("invalid character '\u{ef}' looking for beginning of value")),
            (b"{}", None),
            (b" [ ] ", None),
            (b"-0.5e+7", None),
            (b"{\"a\": [{}, [], {\"b\": null}], \"c\": \"\\ud800\"}", None),
            (b"{\"k\xff\": \"\xc2\xc2x\"}", None),
        ] {
            assert_eq!(error(text).as_deref(), wanted, "{:?}", String::from_utf8_lossy(text));
        }
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(error(deep(DEPTH).as_bytes()), None);
        let refused = error(deep(DEPTH + 1).as_bytes());
        assert_eq!(refused.as_deref(), Some("invalid character '[' exceeded max depth"));
    }

    #[test]
    fn bytes_and_escapes_that_are_no_text_become_one_character_each() {
        for (given, wanted) in [
            (&b"\"\xc2\xc2x\""[..], "\u{fffd}\u{fffd}x"),
            (b"\"\xe2\x82x\"", "\u{fffd}\u{fffd}x"),
            (b"\"\xed\xa0\x80\"", "\u{fffd}\u{fffd}\u{fffd}"),
            (b"\"\\ud800x\"", "\u{fffd}x"),
            (b"\"\\udc00\\ud800\"", "\u{fffd}\u{fffd}"),
            (b"\"\\ud83d\\ude00\"", "\u{1f600}"),
            (b"\"\\\\ud800\"", "\\ud800"),
            (b"\"\\ud800\\\\ud800\"", "\u{fffd}\\ud800"),
            ("\"\u{1f600}\"".as_bytes(), "\u{1f600}"),
        ] {
            assert_eq!(error(given), None);
            let read: String = serde_json::from_str(&repaired(given)).unwrap();
            assert_eq!(read, wanted, "{:?}", String::from_utf8_lossy(given));
        }
    }
}
