//! What goyaml reads otherwise than YAML 1.2, for which the parser is: rejected here, so that nothing is applied that kubectl would
//! read as something else. Found by comparing both, see `tests/peers/manifests`.

use super::tree::Fault;
use granit_parser::{Event, ScalarStyle, Span};
use std::borrow::Cow;

/// What goyaml takes for the end of a line, where YAML 1.2 has a letter.
const OLD_LINE_ENDS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];
const BRACKETS: [char; 5] = [',', '[', ']', '{', '}'];
const BLANKS: [char; 2] = [' ', '\t'];
pub(super) const NO_INDENTATION: &str = "a tab cannot be used as indentation";

/// Control characters are not valid in YAML.
pub(super) fn check_letters(text: &str) -> Result<(), Fault> {
    let is_plain =
        |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    if let Some(at) = marked_line(text) {
        return Err(Fault::new("a byte order mark is allowed only where a document starts", at));
    }
    match text.char_indices().find(|(_, letter)| !is_plain(*letter) || OLD_LINE_ENDS.contains(letter)) {
        None => Ok(()),
        Some((at, letter)) if OLD_LINE_ENDS.contains(&letter) => {
            Err(Fault::new("a Unicode line break (U+0085, U+2028, U+2029) must be written as an escape", at))
        }
        Some((at, _)) => Err(Fault::new("a control character must be written as an escape", at)),
    }
}

/// Where a line starts with a byte order mark, which is a letter for goyaml. A mark at the start of the file is not part of the
/// text.
fn marked_line(text: &str) -> Option<usize> {
    let is_line =
        |at: &usize| text.get(..*at).is_some_and(|before| before.is_empty() || before.ends_with(['\n', '\r']));
    text.match_indices('\u{feff}').map(|(at, _)| at).find(is_line)
}

/// The text with spaces in the place of the tabs at the start of lines, which goyaml accepts in brackets. [`check`] rejects them elsewhere.
pub(super) fn without_leading_tabs(text: &str) -> Cow<'_, str> {
    if !text.contains("\n\t") {
        return Cow::Borrowed(text);
    }
    let mut replaced = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let rest = if line.starts_with('\t') { line.trim_start_matches(BLANKS) } else { line };
        replaced.extend(std::iter::repeat_n(' ', line.len() - rest.len()));
        replaced.push_str(rest);
    }
    Cow::Owned(replaced)
}

pub(super) fn check(text: &str, event: &Event<'_>, span: &Span, is_in_brackets: bool) -> Result<(), Fault> {
    let start = span.start.byte_offset().unwrap_or_default();
    let end = span.end.byte_offset().unwrap_or(start);
    if let Some(tag) = span.tag_start().and_then(|tag| tag.byte_offset()) {
        check_tag(text, tag)?;
    }
    if let Event::Anchor(_, name) = event {
        check_anchor(name, text.get(end..).unwrap_or_default(), start)?;
    }
    if !event.is_node() {
        return Ok(());
    }
    if !is_in_brackets {
        check_indentation(text, start)?;
    }
    let Event::Scalar(value, style, ..) = event else { return Ok(()) };
    let written = text.get(start..end).unwrap_or_default();
    let after = text.get(end..).unwrap_or_default();
    match style {
        ScalarStyle::DoubleQuoted => check_escapes(written, start)?,
        ScalarStyle::Plain if is_in_brackets && !value.is_empty() => check_in_brackets(value, after, start)?,
        _ => {}
    }
    let between = blanks(after);
    let is_key = after.get(between.len()..).is_some_and(|rest| rest.starts_with(':'));
    if is_in_brackets && is_key && [written, between].iter().any(|part| part.contains(['\n', '\r'])) {
        return Err(Fault::new("inside brackets, a key and its colon must be on one line", start));
    }
    Ok(())
}

fn blanks(text: &str) -> &str {
    let rest = text.trim_start_matches([' ', '\t', '\n', '\r']);
    text.get(..text.len() - rest.len()).unwrap_or_default()
}

/// For goyaml, brackets and commas are part of a tag, and other punctuation is not allowed.
fn check_tag(text: &str, at: usize) -> Result<(), Fault> {
    let word = text.get(at..).unwrap_or_default().split([' ', '\t', '\n']).next().unwrap_or_default();
    let word = if word.starts_with("!<") { word.split_once('>').map_or(word, |(_, rest)| rest) } else { word };
    if word.contains(BRACKETS) {
        return Err(Fault::new("a tag must be followed by a space", at));
    }
    if word.contains(|sign: char| !(sign.is_ascii_alphanumeric() || "-_;/?:@&=+$.%!~*'()".contains(sign))) {
        return Err(Fault::new("a tag has a character that must be escaped", at));
    }
    Ok(())
}

fn check_anchor(name: &str, after: &str, at: usize) -> Result<(), Fault> {
    let is_name = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    if is_name && !after.starts_with(['[', '{']) {
        return Ok(());
    }
    Err(Fault::new("an anchor's name has a character other than letters, digits, - and _", at))
}

/// A tab may be neither at the start of a line nor after a dash or a question mark.
fn check_indentation(text: &str, at: usize) -> Result<(), Fault> {
    let before = text.get(..at).unwrap_or_default();
    let rest = before.trim_end_matches(BLANKS);
    let has_tab = before.get(rest.len()..).is_some_and(|blanks| blanks.contains('\t'));
    if has_tab && (rest.is_empty() || rest.ends_with(['\n', '\r', '-', '?'])) {
        return Err(Fault::new(NO_INDENTATION, at));
    }
    Ok(())
}

fn check_in_brackets(value: &str, after: &str, at: usize) -> Result<(), Fault> {
    if value.starts_with(':') || value.contains('?') {
        return Err(Fault::new("inside brackets, text that starts with : or contains ? must be quoted", at));
    }
    if after.strip_prefix(':').is_some_and(|after| after.starts_with(BRACKETS)) {
        return Err(Fault::new("inside brackets, the colon of a key must be followed by a space", at));
    }
    Ok(())
}

/// goyaml rejects `\/`, and half of a surrogate pair is not a character.
fn check_escapes(written: &str, at: usize) -> Result<(), Fault> {
    let mut rest = written;
    while let Some((_, after)) = rest.split_once('\\') {
        let is_half = |after: &str| {
            after
                .get(1..5)
                .and_then(|code| u32::from_str_radix(code, 16).ok())
                .is_some_and(|code| (0xD800..0xE000).contains(&code))
        };
        if after.starts_with('/') || after.starts_with('u') && is_half(after) {
            return Err(Fault::new("an escape is valid in JSON only", at));
        }
        let escaped = after.chars().next().map_or(0, char::len_utf8);
        rest = after.get(escaped..).unwrap_or_default();
    }
    Ok(())
}
