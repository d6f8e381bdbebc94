//! The words of a query.

/// A word, a text in quotes, or a sign between them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Text(String),
    /// What is in `datetime(…)`.
    Time(String),
    Sign(String),
}

/// The tokens of a query.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let (mut all, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => {
                let (inner, length) = quoted(rest, first)?;
                all.push(Token::Text(inner));
                length
            }
            '|' | '.' | ',' | '(' | ')' | '[' | ']' => {
                all.push(Token::Sign(first.into()));
                1
            }
            '=' | '!' => {
                let length = sign(rest);
                all.push(if rest[length - 1..].starts_with(char::is_alphabetic) {
                    Token::Word(rest[..length].into())
                } else {
                    Token::Sign(rest[..length].into())
                });
                length
            }
            '<' | '>' => {
                let length = if rest[1..].starts_with('=') { 2 } else { 1 };
                all.push(Token::Sign(rest[..length].into()));
                length
            }
            _ if first.is_alphanumeric() || first == '_' => {
                let length = rest.find(|one: char| !one.is_alphanumeric() && one != '_').unwrap_or(rest.len());
                // The one operator that is a word with a sign.
                let is_list = rest[..length].eq_ignore_ascii_case("in") && rest[length..].starts_with('~');
                let length = length + usize::from(is_list);
                let (word, after) = rest.split_at(length);
                if let Some(time) = after.strip_prefix('(').filter(|_| word == "datetime") {
                    let end = time.find(')').ok_or("a time does not end")?;
                    all.push(Token::Time(time[..end].trim().into()));
                    length + end + 2
                } else {
                    all.push(Token::Word(word.into()));
                    length
                }
            }
            _ => return Err(format!("'{first}' is not expected here")),
        };
        rest = rest[length..].trim_start();
    }
    Ok(all)
}

/// How long an operator is that begins with `=` or `!`.
fn sign(rest: &str) -> usize {
    match rest.as_bytes() {
        [_, b'=' | b'~', ..] => 2,
        [b'!', ..] => 1 + rest[1..].find(|one: char| !one.is_alphabetic()).unwrap_or(rest.len() - 1),
        _ => 1,
    }
}

/// The text in quotes at the beginning, and how much it takes.
fn quoted(rest: &str, quote: char) -> Result<(String, usize), String> {
    let (mut inner, mut is_escaped) = (String::new(), false);
    for (at, one) in rest.char_indices().skip(1) {
        match one {
            _ if is_escaped => {
                inner.push(one);
                is_escaped = false;
            }
            '\\' => is_escaped = true,
            _ if one == quote => return Ok((inner, at + 1)),
            _ => inner.push(one),
        }
    }
    Err("a text does not end".into())
}
