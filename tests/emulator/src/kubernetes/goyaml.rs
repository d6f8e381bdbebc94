//! Where goyaml, which follows YAML 1.1, differs from the parser, which follows 1.2. Some of it the API server refuses, and some it reads
//! as another thing; the emulator refuses both.

use granit_parser::{Event, ScalarStyle, Span};

/// The letters of the server's reader, without the three line ends that only YAML 1.1 has.
pub(super) fn is_allowed(letter: char) -> bool {
    match letter {
        '\t' | '\n' | '\r' => true,
        '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => !letter.is_control(),
    }
}

/// The error of the server's reader about bytes that are no UTF-8.
pub(super) fn not_text(bytes: &[u8]) -> String {
    let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
    let rest = &bytes[valid..];
    let wanted = match rest.first() {
        Some(0xc0..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf7) => 4,
        _ => return "yaml: invalid leading UTF-8 octet".to_owned(),
    };
    let why = match rest.get(1..wanted) {
        None => "incomplete UTF-8 octet sequence",
        Some(more) if more.iter().any(|byte| byte & 0xc0 != 0x80) => "invalid trailing UTF-8 octet",
        Some(_) if rest[0] == 0xed || rest[0] >= 0xf4 => "invalid Unicode character",
        Some(_) => "invalid length of a UTF-8 sequence",
    };
    format!("yaml: {why}")
}

/// An error of the parser, in Go's words where a text ends within brackets or quotes.
pub(super) fn syntax(text: &str, error: &str) -> String {
    let line = text.lines().count();
    match (error.starts_with("unclosed bracket"), text.trim_end().chars().last()) {
        (true, Some('[' | '{' | ',' | ':')) => format!("line {line}: did not find expected node content"),
        (true, _) if error.contains("'['") => format!("line {line}: did not find expected ',' or ']'"),
        (true, _) => format!("line {line}: did not find expected ',' or '}}'"),
        _ if error.starts_with("unclosed quote") => "found unexpected end of stream".to_owned(),
        _ => error.to_owned(),
    }
}

/// In brackets, lines may start with tabs. As spaces they are read the same there; elsewhere [`is_other`] finds them.
pub(super) fn indented(text: &str) -> String {
    let spaces = |line: &str| {
        let tabs = line.chars().take_while(|letter| *letter == '\t').count();
        " ".repeat(tabs) + &line[tabs..]
    };
    text.split('\n').map(spaces).collect::<Vec<_>>().join("\n")
}

pub(super) fn is_other(text: &str, event: &Event<'_>, span: &Span, brackets: &[bool]) -> bool {
    let in_brackets = brackets.last() == Some(&true);
    let in_block = brackets.first() == Some(&false);
    let Some(place) = span.byte_range() else { return true };
    let (before, after) = (&text[..place.start], &text[place.end..]);
    if span.tag_start().and_then(|tag| tag.byte_offset()).is_some_and(|tag| is_glued(&text[tag..])) {
        return true;
    }
    let written = &text[place];
    match event {
        Event::Anchor(_, name) => {
            let is_odd = |byte: u8| !(byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
            name.bytes().any(is_odd) || after.starts_with(['[', '{'])
        }
        Event::Scalar(value, style, ..) => {
            let own = match style {
                ScalarStyle::Plain => {
                    in_block && has_tab(written, after) || in_brackets && !value.is_empty() && is_cut(value, after)
                }
                ScalarStyle::DoubleQuoted => has_json_escape(written),
                ScalarStyle::Literal | ScalarStyle::Folded => starts_with_tab(before, written),
                ScalarStyle::SingleQuoted => false,
            };
            let (blanks, rest) = after.split_at(after.len() - after.trim_start().len());
            let cut_key = rest.starts_with(':') && [written, blanks].concat().contains(['\n', '\r']);
            own || in_brackets && cut_key || !in_brackets && is_behind_tab(before)
        }
        _ => event.is_node() && !in_brackets && is_behind_tab(before),
    }
}

/// Punctuation right behind a tag belongs to it, and not all is allowed.
fn is_glued(tag: &str) -> bool {
    let word = tag.split_ascii_whitespace().next().unwrap_or_default();
    let word = if word.starts_with("!<") { word.split('>').nth(1).unwrap_or_default() } else { word };
    word.contains(|letter: char| !(letter.is_ascii_alphanumeric() || "-_;/?:@&=+$.%!~*'()".contains(letter)))
}

fn is_punctuation(letter: char) -> bool {
    ",[]{}".contains(letter)
}

/// In brackets a plain text ends at a question mark, and a colon right before punctuation is part of it.
fn is_cut(value: &str, after: &str) -> bool {
    value.starts_with(':')
        || value.contains('?')
        || after.strip_prefix(':').is_some_and(|after| after.starts_with(is_punctuation))
}

/// A tab at the start of a line of a plain text, or of an empty line after it.
fn has_tab(written: &str, after: &str) -> bool {
    let end = after.find(|letter: char| !letter.is_ascii_whitespace()).unwrap_or(after.len());
    written.contains("\n\t") || after[..end].contains("\n\t")
}

fn has_json_escape(written: &str) -> bool {
    let mut letters = written.chars();
    while let Some(letter) = letters.next() {
        if letter == '\\' {
            match letters.next() {
                Some('/') => return true,
                Some('u') => {
                    let code: String = letters.as_str().chars().take(2).collect();
                    if u8::from_str_radix(&code, 16).is_ok_and(|high| (0xd8..=0xdf).contains(&high)) {
                        return true;
                    }
                }
                _ => {}
            }
        }
    }
    false
}

/// The parser has a block start where its content does. A digit in the header would allow a tab there.
fn starts_with_tab(before: &str, content: &str) -> bool {
    let header = before.trim_end().rsplit(['|', '>']).next().unwrap_or_default();
    content.starts_with('\t') && !header.chars().take(2).any(|sign| sign.is_ascii_digit())
}

fn is_behind_tab(before: &str) -> bool {
    let line = before.trim_end_matches([' ', '\t']);
    before[line.len()..].contains('\t') && (line.is_empty() || line.ends_with(['\n', '\r', '-', '?']))
}
