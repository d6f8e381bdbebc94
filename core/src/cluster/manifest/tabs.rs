//! Where goyaml allows tabs at the start of a line, outside of brackets: after plain text and in a block of text, beyond their
//! indentation; elsewhere not even in an empty line or before a comment. From its scanner, held by `tests/peers/manifests`.

use super::{goyaml::NO_INDENTATION, tree::Fault};
use granit_parser::{Event, ScalarStyle, Span};

const LINE_ENDS: [char; 2] = ['\n', '\r'];

#[cfg(test)]
thread_local! {
    static LINES_CHECKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// What was read last, and what of the text after it is checked.
#[derive(Default)]
pub(super) struct Tabs {
    last: Last,
    /// From which column on a tab may be in a line's indentation. `None`: nowhere.
    allowed_from: Option<usize>,
    /// Where the first line that is not checked starts, or the rest of a line.
    at: usize,
    /// The end of plain text, which may have several lines.
    end: usize,
}

#[derive(Default, PartialEq, Eq)]
enum Last {
    Plain,
    /// A block of text whose lines start in this column.
    Block(usize),
    /// The end of the document, which goyaml does not read beyond.
    End,
    #[default]
    Other,
}

impl Tabs {
    /// Checks the lines up to what is read next.
    pub fn check(&mut self, text: &str, to: usize) -> Result<(), Fault> {
        if self.last == Last::End {
            return Ok(());
        }
        let mut lines = text.get(self.at..to).unwrap_or_default().split(LINE_ENDS).peekable();
        while let Some(line) = lines.next() {
            self.check_line(text, line)?;
            // The last one may go on.
            if lines.peek().is_some() {
                self.at += line.len() + 1;
            }
        }
        Ok(())
    }

    fn check_line(&mut self, text: &str, line: &str) -> Result<(), Fault> {
        #[cfg(test)]
        LINES_CHECKED.set(LINES_CHECKED.get() + 1);
        let rest = line.trim_start_matches(' ');
        let column = line.len() - rest.len();
        // Else it is the rest of a line.
        let is_line = self.at == 0 || text.get(..self.at).is_some_and(|before| before.ends_with(LINE_ENDS));
        if is_line && rest.starts_with('\t') && self.allowed_from.is_none_or(|from| column < from) {
            return Err(Fault::new(NO_INDENTATION, self.at + column));
        }
        let is_text = matches!(self.last, Last::Block(from) if is_line && column >= from) || self.is_blank(line);
        // A comment or a sign: what was before it has ended.
        self.allowed_from = self.allowed_from.filter(|_| is_text);
        Ok(())
    }

    /// Whether nothing but blanks is in the line after plain text.
    fn is_blank(&self, line: &str) -> bool {
        let after = line.get(self.end.saturating_sub(self.at)..).unwrap_or_default();
        after.chars().all(|letter| matches!(letter, ' ' | '\t'))
    }

    /// Takes what is read; `column` is that of the collection around it.
    pub fn after(&mut self, text: &str, event: &Event<'_>, span: &Span, column: Option<usize>) {
        let start = span.start.byte_offset().unwrap_or_default();
        let end = span.end.byte_offset().unwrap_or(start);
        let outer = column.map_or(0, |column| column + 1);
        (self.last, self.allowed_from, self.at, self.end) = match event {
            Event::Scalar(_, ScalarStyle::Plain, ..) if start < end => (Last::Plain, Some(outer), start, end),
            Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) => {
                let (head, from) = block(text, start, outer);
                (Last::Block(from), Some(from), head, 0)
            }
            // An anchor belongs to its node. The others are a start or an end that is not written.
            Event::Anchor(..) => return,
            _ if start == end => return,
            Event::DocumentEnd => (Last::End, None, end, end),
            _ => (Last::Other, None, end, end),
        };
    }
}

/// A block's text starts after the line with its sign. Its column is given there by a digit, or by the first line.
fn block(text: &str, start: usize, outer: usize) -> (usize, usize) {
    let head = text.get(..start).unwrap_or_default().trim_end();
    let header = head.rsplit(LINE_ENDS).next().unwrap_or_default();
    let column = match digit(header) {
        Some(digit) => outer.saturating_sub(1) + digit,
        None => first_column(text.get(head.len()..).unwrap_or_default()).max(outer),
    };
    (head.len(), column)
}

/// The digit after the sign of a block. The sign is the first one that follows what a value can follow: another one may be in a key
/// or in a comment.
fn digit(header: &str) -> Option<usize> {
    let is_start = |before: &str| {
        let word = before.trim_end().rsplit([' ', '\t']).next().unwrap_or_default();
        word.is_empty() || word.ends_with([':', '-', '?']) || word.starts_with(['!', '&'])
    };
    let sign = header.match_indices(['|', '>']).find(|(at, _)| header.get(..*at).is_some_and(is_start))?.0;
    let after = header.get(sign + 1..)?.chars().take(2);
    after
        .take_while(|letter| !letter.is_whitespace())
        .find_map(|letter| letter.to_digit(10))
        .map(|digit| digit as usize)
}

/// The column of the first line with text. A tab cannot be its indentation, however far to the right.
fn first_column(text: &str) -> usize {
    let mut lines = text.split(LINE_ENDS).skip(1).map(|line| (line.len(), line.trim_start_matches(' ')));
    match lines.find(|(_, rest)| !rest.is_empty()) {
        Some((_, rest)) if rest.starts_with('\t') => usize::MAX,
        Some((length, rest)) => length - rest.len(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::yaml::read;

    /// What goyaml says about the same files: `tests/peers/manifests` asks it about tabs at each line of many files.
    #[test]
    fn tabs_are_allowed_where_goyaml_allows_them() {
        let accepted = [
            "a: b\n \t\nc: d\n",
            "a: b\n  \t# c\nc: d\n",
            "a:\n  b: c\n   \t\nd: e\n",
            "a: |\n  b\n  \tc\n   \t\nd: e\n",
            "a: |2\n  \tb\n",
            "a: | # size > 9\n  b\n  \tc\n",
            "a: | # a >9 or so\n  b\n  \tc\n",
            "\"a | # b >9\": |\n  b\n  \tc\n",
            "- >\n b\n \tc\n",
            "a: !!str &x |\n  b\n  \tc\n",
            "a: b\t\nc:\td\n",
            "a: [b,\n\tc]\n",
        ];
        for text in accepted {
            assert!(read(text).is_ok(), "{text:?}");
        }
        let rejected = [
            "\t\na: b\n",
            "a: b\n\t\nc: d\n",
            "a:\n \t\n  b: c\n",
            "a: 'b'\n \t\nc: d\n",
            "a: b # c\n \t\nc: d\n",
            "a:\n  b: c\n  \t\nd: e\n",
            "a: |\n  b\n \t\nc: d\n",
            "a: |\n   \tb\n",
            "a:\n  - 'b'\n    \t# c\n",
            "a:\n  b:\n    \t\n",
        ];
        for text in rejected {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_fault_is_where_the_tab_is() {
        let fault = read("a: b\nc: 'd'\n\n \t# e\n").err().unwrap();
        assert_eq!(fault.at, 14);
    }

    #[test]
    fn a_line_is_not_checked_again_for_each_item_after_it() {
        let items = "  -\n".repeat(1_000);
        let block = format!("b: |\n{}", "  x\n".repeat(1_000));
        for text in
            [format!("a:\n{items}"), format!("{block}a:\n{items}"), format!("{block}\n# c\n"), "a: b\n".to_owned()]
        {
            super::LINES_CHECKED.set(0);
            assert!(read(&text).is_ok());
            let (checked, lines) = (super::LINES_CHECKED.get(), text.lines().count());
            assert!(checked <= 4 * lines + 10, "{checked} for {lines}: {text:.40}");
        }
    }
}
