//! Doc comments, taken apart.

/// The text before its first heading, one line a paragraph.
pub fn summary(docs: &str) -> Vec<String> {
    paragraphs(docs.split("\n# ").next().unwrap_or_default())
}

/// What stands under `# Errors`, clause by clause.
pub fn errors(docs: &str) -> Vec<String> {
    let text = docs.split("# Errors\n").nth(1).unwrap_or_default();
    let text = text.split("\n# ").next().unwrap_or_default();
    paragraphs(text).iter().flat_map(|text| clauses(text)).collect()
}

/// The paragraphs of a text, each as one line. What is code is left out.
pub fn paragraphs(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).collect::<Vec<_>>().join("\n\n");
    let all = prose.split("\n\n").map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|text| !text.is_empty()).collect()
}

/// The parts of a list of errors.
fn clauses(text: &str) -> Vec<String> {
    let all = text.trim_end_matches('.').split("; ").map(|one| one.trim().trim_start_matches("and ").to_owned());
    all.filter(|one| !one.is_empty()).collect()
}

/// The sentences of a paragraph.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut rest = text;
    let mut all = Vec::new();
    while let Some(at) = rest.find(". ") {
        all.push(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    all.push(rest);
    all
}

/// A link of rustdoc's: what it shows and where it leads, without `crate::`.
pub struct Link<'a> {
    pub shown: &'a str,
    pub target: &'a str,
}

impl Link<'_> {
    /// The last name of the target, and the type before it.
    pub fn parts(&self) -> (Option<&str>, &str) {
        match self.target.rsplit_once("::") {
            Some((of, last)) => (Some(of.rsplit("::").next().unwrap_or(of)), last),
            None => (None, self.target),
        }
    }
}

/// Replaces each link ``[`shown`](target)`` or ``[`target`]``.
pub fn replace_links(text: &str, mut replace: impl FnMut(Link<'_>) -> String) -> String {
    let (mut rest, mut out) = (text, String::new());
    while let Some(at) = rest.find("[`") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        // A link such as ``[`code` and words](address)`` is not rustdoc's.
        let Some(end) = inner.find('`').filter(|end| inner[*end..].starts_with("`]")) else {
            out.push_str("[`");
            rest = inner;
            continue;
        };
        let (shown, after) = (&inner[..end], &inner[end + 2..]);
        let (target, after) = match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
            Some((target, after)) => (target, after),
            None => (shown, after),
        };
        out.push_str(&replace(Link { shown, target: target.strip_prefix("crate::").unwrap_or(target) }));
        rest = after;
    }
    out + rest
}

/// Lines of at most so many letters, the first and the others behind what they begin with. What stands in back-ticks is not broken.
pub fn wrap(text: &str, width: usize, first: &str, others: &str) -> String {
    let (mut lines, mut line, mut is_empty) = (String::new(), first.to_owned(), true);
    for word in words(text) {
        if !is_empty && line.chars().count() + 1 + word.chars().count() > width {
            lines.push_str(line.trim_end());
            lines.push('\n');
            others.clone_into(&mut line);
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(&word);
        is_empty = false;
    }
    lines + &line
}

fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match all.last_mut().filter(|last| last.matches('`').count() % 2 == 1) {
            Some(last) => *last += &format!(" {word}"),
            None => all.push(word.to_owned()),
        }
    }
    all
}
