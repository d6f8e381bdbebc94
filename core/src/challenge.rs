//! Parses `WWW-Authenticate`: the sign-in schemes that a service offers, with their parameters.
//!
//! The grammar is that of RFC 9110, [11.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1): a list of challenges, each a
//! scheme with one token or with a list of parameters. The two lists share the comma, so only what follows a word distinguishes a new
//! challenge from a further parameter. Servers write it loosely; everything that can be parsed without guessing is parsed.

use std::{iter::Peekable, str::CharIndices};

/// One sign-in scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    scheme: String,
    /// The text after the scheme if it has no parameters, as in `Negotiate`.
    token: Option<String>,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// Whether the challenge has this scheme, such as `Bearer`.
    pub fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    /// The value of a parameter; the first one if it is given twice.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// All challenges of a header, in its order. Several headers of that name are one whose values are joined by commas.
pub(crate) fn challenges(header: &str) -> Vec<Challenge> {
    let mut reader = Reader { text: header, rest: header.char_indices().peekable() };
    let mut all: Vec<Challenge> = Vec::new();
    while reader.skip_to_word() {
        let word = reader.word();
        let is_parameter = reader.is_followed_by_equals();
        match (is_parameter, all.last_mut()) {
            (true, challenge) => {
                let Some(value) = reader.value() else { break };
                // One without a scheme before it belongs to none.
                if let Some(challenge) = challenge {
                    challenge.parameters.push((word.to_owned(), value));
                }
            }
            (false, _) => {
                all.push(Challenge { scheme: word.to_owned(), token: reader.token(), parameters: Vec::new() });
            }
        }
    }
    all
}

/// The first challenge with a given error code, of any scheme. RFC 6750 names `invalid_token`, Entra ID `insufficient_claims`.
pub(crate) fn with_error(header: &str, code: &str) -> Option<Challenge> {
    challenges(header).into_iter().find(|challenge| challenge.get("error") == Some(code))
}

/// Reads a header from start to end.
struct Reader<'a> {
    text: &'a str,
    rest: Peekable<CharIndices<'a>>,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> Option<char> {
        self.rest.peek().map(|(_, letter)| *letter)
    }

    fn at(&mut self) -> usize {
        self.rest.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let start = self.at();
        while self.rest.next_if(|(_, letter)| fits(*letter)).is_some() {}
        &self.text[start..self.at()]
    }

    /// Skips the text between two words, including quoted text that belongs to nothing. Returns whether a word follows.
    fn skip_to_word(&mut self) -> bool {
        loop {
            match self.peek() {
                None => return false,
                Some('"') if self.quoted().is_none() => return false,
                Some('"') => {}
                Some(letter) if is_token(letter) => return true,
                Some(_) => drop(self.rest.next()),
            }
        }
    }

    fn word(&mut self) -> &'a str {
        self.take_while(is_token)
    }

    /// Whether an equals sign, possibly after blanks, and a value follow. If so, the sign is skipped.
    fn is_followed_by_equals(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        while ahead.next_if(|(_, letter)| is_blank(*letter)).is_some() {}
        if ahead.next_if(|(_, letter)| *letter == '=').is_none() {
            return false;
        }
        self.rest = ahead;
        true
    }

    /// `None` for an unterminated quoted string: its value is unknown.
    fn value(&mut self) -> Option<String> {
        self.take_while(is_blank);
        if self.peek() == Some('"') {
            return self.quoted();
        }
        // An unquoted address is not a valid token, but some servers send it.
        Some(self.take_while(|letter| !is_blank(letter) && letter != ',').to_owned())
    }

    fn quoted(&mut self) -> Option<String> {
        self.rest.next();
        let mut value = String::new();
        loop {
            match self.rest.next()?.1 {
                '"' => return Some(value),
                '\\' => value.push(self.rest.next()?.1),
                letter => value.push(letter),
            }
        }
    }

    /// The single token of a challenge without parameters: it ends at a comma or at the end of the header.
    fn token(&mut self) -> Option<String> {
        let mut ahead = Self { text: self.text, rest: self.rest.clone() };
        if ahead.take_while(is_blank).is_empty() {
            return None;
        }
        let start = ahead.at();
        ahead.take_while(is_token68);
        ahead.take_while(|letter| letter == '=');
        let token = &self.text[start..ahead.at()];
        ahead.take_while(is_blank);
        if token.is_empty() || ahead.peek().is_some_and(|letter| letter != ',') {
            return None;
        }
        self.rest = ahead.rest;
        Some(token.to_owned())
    }
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t')
}

fn is_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter)
}

fn is_token68(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-._~+/".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header as the scheme, token and parameters of each challenge.
    fn read(header: &str) -> Vec<String> {
        let shown = |one: &Challenge| {
            let parameters = one.parameters.iter().map(|(name, value)| format!(" {name}=<{value}>"));
            let token = one.token.as_ref().map(|token| format!(" {token}")).unwrap_or_default();
            format!("{}{token}{}", one.scheme, parameters.collect::<String>())
        };
        challenges(header).iter().map(shown).collect()
    }

    #[test]
    fn several_challenges_in_one_header_are_separated() {
        for (header, wanted) in [
            (r#"Bearer realm="https://r/t",service="s""#, &["Bearer realm=<https://r/t> service=<s>"][..]),
            (
                r#"Basic realm="Sonatype Nexus Repository Manager", Bearer realm="https://n/v2/token",service="x""#,
                &["Basic realm=<Sonatype Nexus Repository Manager>", "Bearer realm=<https://n/v2/token> service=<x>"],
            ),
            (r#"Negotiate, Basic realm="a, b=c""#, &["Negotiate", "Basic realm=<a, b=c>"]),
            ("Negotiate YWJj==, Bearer realm=r", &["Negotiate YWJj==", "Bearer realm=<r>"]),
            (
                r#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#,
                &[r#"Newauth realm=<apps> type=<1> title=<Login to "apps">"#, "Basic realm=<simple>"],
            ),
            (r#"Basic realm="a" Bearer realm="b""#, &["Basic realm=<a>", "Bearer realm=<b>"]),
        ] {
            assert_eq!(read(header), wanted, "{header}");
        }
    }

    #[test]
    fn odd_spacing_and_case_change_nothing() {
        for header in [
            r#"Bearer realm="r",service="s""#,
            "Bearer  realm = \"r\" ,\tservice=\t\"s\"",
            ", ,Bearer realm=r,, service=s,",
            r#"Bearer realm="r" service="s""#,
            r#"Bearer ReAlM="r", SERVICE="s""#,
        ] {
            let read = challenges(header);
            assert!(read.len() == 1 && read[0].is("bearer"), "{header}");
            assert_eq!((read[0].get("realm"), read[0].get("service")), (Some("r"), Some("s")), "{header}");
        }
        assert_eq!(challenges("Bearer error=\"x\"")[0].get("realm"), None);
    }

    #[test]
    fn the_value_of_one_parameter_is_not_read_as_another_one() {
        let header = r#"Bearer description="realm=\"https://evil/t\", error=\"invalid_token\"",realm="https://r/t""#;
        let read = challenges(header);
        assert_eq!((read.len(), read[0].get("realm"), read[0].get("error")), (1, Some("https://r/t"), None));
        assert_eq!(with_error(header, "invalid_token"), None);
        let header = r#"Bearer realm="a", x-realm="b""#;
        assert_eq!(challenges(header)[0].get("realm"), Some("a"));
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        for header in ["", " , ", "\"Bearer realm=x\"", "realm=\"x\"", "\u{7f}"] {
            assert_eq!(challenges(header), [], "{header}");
        }
        assert_eq!(challenges(r#"Bearer realm="no end"#)[0].get("realm"), None);
        assert_eq!(challenges(r#"Bearer realm="no end\"#)[0].get("realm"), None);
        assert_eq!(read("Bearer realm="), ["Bearer realm="], "a token by the grammar");
    }

    /// Numbers that look like chance and are the same in every run.
    struct Chance(u64);

    impl Chance {
        fn below(&mut self, limit: usize) -> usize {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            usize::try_from(self.0 % limit as u64).unwrap()
        }

        fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
            from[self.below(from.len())]
        }
    }

    /// A challenge, and how it might be written.
    fn written(chance: &mut Chance) -> (Challenge, String) {
        let scheme = chance.pick(&["Bearer", "basic", "Negotiate", "X-y_z.1~"]).to_owned();
        if chance.below(4) == 0 {
            let token = chance.pick(&["YWJj", "a/b+c-d._~==", "x"]);
            let text = format!("{scheme}{}{token}", chance.pick(&[" ", "  "]));
            return (Challenge { scheme, token: Some(token.to_owned()), parameters: Vec::new() }, text);
        }
        let values = ["", "r", "a, b=c", r#"Bearer realm="x""#, r#"\""#, "https://r/t?a=b,c", " "];
        let (mut parts, mut parameters) = (vec![scheme.clone()], Vec::new());
        for number in 0..chance.below(4) {
            let between = if number == 0 { [" ", "   ", "  "] } else { [",", " , ", ", ,\t"] };
            let name = chance.pick(&["realm", "SERVICE", "scope", "x-1"]);
            let value = chance.pick(&values);
            let is_bare = !value.is_empty() && value.chars().all(is_token) && chance.below(2) == 0;
            let quoted = format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\""));
            let value_text = if is_bare { value } else { &quoted };
            let (before, after) = (chance.pick(&["", " ", "\t "]), chance.pick(&["", " "]));
            parts.push(format!("{}{name}{before}={after}{value_text}", chance.pick(&between)));
            parameters.push((name.to_owned(), value.to_owned()));
        }
        (Challenge { scheme, token: None, parameters }, parts.concat())
    }

    #[test]
    fn whatever_is_written_by_the_grammar_is_read_back() {
        let mut chance = Chance(0x2026_1128);
        for _ in 0..20_000 {
            let all: Vec<(Challenge, String)> = (0..=chance.below(3)).map(|_| written(&mut chance)).collect();
            let texts: Vec<&str> = all.iter().map(|(_, text)| text.as_str()).collect();
            let header = texts.join(chance.pick(&[",", ", ", " ,\t", ",,  "]));
            let wanted: Vec<Challenge> = all.iter().map(|(one, _)| one.clone()).collect();
            assert_eq!(challenges(&header), wanted, "{header}");
            // Whatever becomes of it on the way, reading it ends.
            let cut = chance.below(header.len() + 1);
            challenges(&header[..cut]);
            challenges(&header[cut..]);
        }
    }

    #[test]
    fn a_long_header_takes_no_long_time() {
        let header = "a ".repeat(1 << 18);
        assert!(challenges(&header).len() > 1);
        let header = "a=".repeat(1 << 18);
        assert_eq!(challenges(&header), []);
    }
}
