//! Core's doc comments in Python's idiom.

use super::Python;
use crate::{
    operations::{self, Operation},
    source::{Field, snake_case},
    text::{replace_links, sentences, summary, wrap},
};

const WIDTH: usize = 120;

/// What only sentences for Rust programs have in them.
const FOR_RUST: [&str; 4] = [" future", "feature `", "the crate's docs", "`Duration::"];

impl Python<'_> {
    /// A doc comment's paragraphs. `of` is the type whose it is.
    pub(super) fn paragraphs(&self, docs: &str, of: &str) -> Vec<String> {
        let all = summary(docs).into_iter().map(|text| self.prose(&text, of));
        all.filter(|text| !text.is_empty()).collect()
    }

    /// A field's doc comment. What its type says in Rust, that text is an id of some kind, is said here.
    pub(super) fn about_field(&self, field: &Field, of: &str) -> Vec<String> {
        let mut all = self.paragraphs(&field.docs, of);
        let is_many = field.ty.name == "Vec";
        let (known, note) = match (field.ty.core().name.as_str(), is_many) {
            ("ResourceId", false) => ("resource id", "A resource id."),
            ("ResourceId", true) => ("resource id", "Resource ids."),
            ("PrincipalId", false) => ("object id", "An object id."),
            ("PrincipalId", true) => ("object id", "Object ids."),
            _ => return all,
        };
        if let Some(first) = all.first_mut().filter(|_| !field.docs.to_lowercase().contains(known)) {
            *first += &format!(" {note}");
        }
        all
    }

    /// A text. What is for Rust alone is left out.
    pub(super) fn prose(&self, text: &str, of: &str) -> String {
        let is_for_rust = |one: &&str| FOR_RUST.iter().any(|words| one.contains(words));
        let is_kept = |one: &&str| !is_for_rust(one) && see(one).is_none();
        let kept: Vec<&str> = sentences(text).into_iter().filter(is_kept).collect();
        let text = replace_links(&kept.join(" "), |link| {
            let (owner, last) = link.parts();
            let owner = owner.map(|owner| if owner == "Self" { of } else { owner });
            match owner {
                Some("ErrorKind") if last.starts_with(char::is_uppercase) => format!("`{last}Error`"),
                Some(owner) if self.is_word(owner) && last.starts_with(char::is_uppercase) => {
                    format!("`{owner}.{}`", snake_case(last).to_uppercase())
                }
                Some(owner) if self.has_forms(owner) && last.starts_with(char::is_uppercase) => {
                    format!("`{owner}.{last}`")
                }
                Some(_) if link.shown.contains("::") => format!("`{}`", last.strip_prefix("with_").unwrap_or(last)),
                _ => format!("`{}`", link.shown),
            }
        });
        let spans = text.split('`').enumerate().map(|(at, part)| match part {
            "false" if at % 2 == 1 => "False",
            "true" if at % 2 == 1 => "True",
            "Display" if at % 2 == 1 => "str()",
            part => part,
        });
        spans.collect::<Vec<_>>().join("`")
    }

    /// An operation's docstring, line by line: what it does, its arguments, what it raises.
    pub(super) fn docstring(&self, operation: &Operation<'_>) -> Vec<String> {
        let mut paragraphs = self.paragraphs(&operation.docs, "Client");
        // What it refers to, and Python does not have, stands in its place.
        if let Some(other) = see(&operation.docs).and_then(|see| operations::other_method(self.source, see)) {
            paragraphs.extend(self.paragraphs(&other.docs, "").split_off(1));
        }
        let mut blocks: Vec<String> = paragraphs.iter().map(|text| wrap(text, WIDTH - 8, "", "")).collect();
        let entry = |name: &str, text: &str| wrap(text, WIDTH - 8, &format!("    {name}: "), "        ");
        let arguments: Vec<String> = self.parameters(operation).iter().map(|one| entry(&one.name, &one.docs)).collect();
        blocks.push(format!("Args:\n{}", arguments.join("\n")));
        let raised: Vec<String> =
            self.raised(operation).iter().map(|(class, text)| entry(class, &capital(text))).collect();
        if !raised.is_empty() {
            blocks.push(format!("Raises:\n{}", raised.join("\n")));
        }
        blocks.join("\n\n").lines().map(str::to_owned).collect()
    }

    /// Classes of exceptions, and when each is raised.
    fn raised(&self, operation: &Operation<'_>) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for clause in operations::errors(self.source, &operation.docs) {
            if clause.contains("feature `") {
                continue;
            }
            // A clause about one kind begins with its link, or has it further on.
            let class = clause.split_once("(ErrorKind::").and_then(|(_, rest)| Some(rest.split_once(')')?.0));
            let class = class.map_or_else(|| "AksAcrError".to_owned(), |kind| format!("{kind}Error"));
            let begins = clause.starts_with(&format!("[`{}`]", class.trim_end_matches("Error")));
            let text = if begins { clause.split_once(')').map_or("", |(_, rest)| rest) } else { &clause };
            // The class has been named.
            let text = self.prose(text.trim().trim_start_matches(", "), "Client");
            let text = text.replace(&format!(": `{class}`, "), ": ").replace(&format!(" `{class}` if "), " if ");
            all.push((class, text.trim_end_matches('.').to_owned() + "."));
        }
        all
    }
}

/// "See [`Kubeconfig::merge`] for how."
fn see(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("See [`").filter(|(_, rest)| rest.contains(" for how."))?;
    let end = rest.find(" for how.")?;
    Some(&text[text.len() - rest.len() - 2..text.len() - rest.len() + end])
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Paragraphs as a docstring with its quotes.
pub(super) fn quoted(paragraphs: &[String], indent: &str) -> String {
    let [first, others @ ..] = paragraphs else { return String::new() };
    let mut text = wrap(first, WIDTH, &format!("{indent}\"\"\""), indent);
    for paragraph in others {
        text += &format!("\n\n{}", wrap(paragraph, WIDTH, indent, indent));
    }
    let last = text.lines().last().unwrap_or_default();
    if text.contains('\n') || last.chars().count() + 3 > WIDTH {
        text += &format!("\n{indent}");
    }
    text + "\"\"\"\n"
}

/// The same line by line, as it is.
pub(super) fn quoted_lines(lines: &[String], indent: &str) -> String {
    let lines = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!("{indent}{line}") });
    let text = lines.collect::<Vec<_>>().join("\n");
    format!("{indent}\"\"\"{}\n{indent}\"\"\"\n", text.trim_start())
}

/// Paragraphs as a doc comment of Rust's.
pub(super) fn comment(paragraphs: &[String], indent: &str) -> String {
    let mark = format!("{indent}/// ");
    let all = paragraphs.iter().map(|text| wrap(text, WIDTH, &mark, &mark) + "\n");
    all.collect::<Vec<_>>().join(&format!("{indent}///\n"))
}
