//! External texts as parts of ours: on one line, of limited length, and without characters that a terminal would execute or that would
//! show a reader another text.

use std::fmt::{self, Write as _};

/// The maximum length of a shown text. A service that responds with an HTML page, or a whole list, says no more in the rest.
pub(crate) const LONGEST: usize = 4000;

/// Whether a character does something other than stand for itself: control characters of both sets, which start terminal escape
/// sequences; direction marks; invisible characters. The last are Unicode's `Default_Ignorable_Code_Point`, except the joiners and
/// variation selectors that scripts and emoji need.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Shows text: line breaks as spaces, hidden characters by their number, such as `\u{1b}`.
pub(crate) struct Quoted<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.0.chars();
        letters.by_ref().take(LONGEST).try_for_each(|letter| write_shown(letter, f))?;
        if letters.next().is_some() { f.write_str("…") } else { Ok(()) }
    }
}

/// The same, however long the text is: a plan that is reviewed must not leave anything out.
pub(crate) struct Complete<'a>(pub &'a str);

impl fmt::Display for Complete<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|letter| write_shown(letter, f))
    }
}

fn write_shown(letter: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match letter {
        '\n' | '\r' | '\t' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => f.write_char(' '),
        hidden if is_hidden(hidden) => write!(f, "{}", hidden.escape_unicode()),
        plain => f.write_char(plain),
    }
}

/// The text as it is shown; unchanged if nothing has to be replaced.
pub(crate) fn quoted(text: String) -> String {
    let is_plain = text.len() <= LONGEST && !text.chars().any(is_hidden);
    if is_plain { text } else { Quoted(&text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_orders_or_hides_is_made_visible() {
        for (text, shown) in [
            ("a\nb\r\nc\td", "a b  c d"),
            ("\u{1b}[2J\u{1b}]0;title\u{7}x", "\\u{1b}[2J\\u{1b}]0;title\\u{7}x"),
            ("\u{9b}31mred", "\\u{9b}31mred"),
            ("\u{90}x\u{9c}", "\\u{90}x\\u{9c}"),
            ("del\u{7f}", "del\\u{7f}"),
            ("nul\0", "nul\\u{0}"),
            ("a\u{8}b", "a\\u{8}b"),
            ("\u{202e}txt.exe\u{202c}", "\\u{202e}txt.exe\\u{202c}"),
            ("\u{2066}x\u{2069}\u{200f}\u{61c}", "\\u{2066}x\\u{2069}\\u{200f}\\u{61c}"),
            ("zero\u{200b}width\u{feff}", "zero\\u{200b}width\\u{feff}"),
            ("line\u{2028}para\u{2029}next\u{85}", "line para next "),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("soft\u{ad}hyphen", "soft\\u{ad}hyphen"),
            ("hangul\u{3164}\u{ffa0}\u{115f}", "hangul\\u{3164}\\u{ffa0}\\u{115f}"),
            ("mongolian\u{180e}", "mongolian\\u{180e}"),
            ("joined\u{34f}", "joined\\u{34f}"),
        ] {
            assert_eq!(quoted(text.to_owned()), shown, "{text:?}");
            assert!(!quoted(text.to_owned()).chars().any(is_hidden));
        }
    }

    #[test]
    fn letters_of_every_script_stay_as_they_are() {
        for text in ["größe", "данные", "中文", "עברית", "می\u{200c}خواهم", "👩\u{200d}🚀", "❤\u{fe0f}"]
        {
            assert_eq!(quoted(text.to_owned()), text);
        }
    }

    #[test]
    fn a_long_text_is_cut() {
        let shown = quoted("ü".repeat(100_000));
        assert_eq!(shown.chars().count(), LONGEST + 1);
        assert!(shown.ends_with('…'));
    }
}
