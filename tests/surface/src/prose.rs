//! Core's doc comments in the idiom of another language.

use crate::{
    operations::{self, Operation},
    source::Field,
    surface::Surface,
    text::{self, replace_links, sentences, summary},
};

/// What only sentences for Rust programs contain.
pub const FOR_RUST: [&str; 5] = [" future", "It blocks.", "feature `", "the crate's docs", "`Duration::"];

/// How a language writes what core's texts name.
pub trait Idiom {
    fn surface(&self) -> &Surface<'_>;

    /// A kind of error.
    fn error(&self, kind: &str) -> String;
    /// A word of an enum, by the name of its variant.
    fn word(&self, of: &str, variant: &str) -> String;
    /// A form of a value that has several.
    fn form(&self, of: &str, variant: &str) -> String;
    /// A field, an option or a method that a link leads to.
    fn name(&self, of: Option<&str>, name: &str) -> String;
    /// What stands in back-ticks.
    fn code(&self, code: &str) -> String;

    /// A doc comment's paragraphs. `of` is the type that has it.
    fn paragraphs(&self, docs: &str, of: &str) -> Vec<String> {
        let all = summary(docs).into_iter().map(|text| self.prose(&text, of));
        all.filter(|text| !text.is_empty()).collect()
    }

    /// A field's doc comment. What its type says in Rust, such as that text is an ID of some kind, is said here.
    fn about_field(&self, field: &Field, of: &str) -> Vec<String> {
        let mut all = self.paragraphs(&field.docs, of);
        let is_many = field.ty.name == "Vec";
        let (known, note) = match (field.ty.core().name.as_str(), is_many) {
            ("ResourceId", false) => ("resource id", "A resource ID."),
            ("ResourceId", true) => ("resource id", "Resource IDs."),
            ("PrincipalId", false) => ("object id", "An object ID."),
            ("PrincipalId", true) => ("object id", "Object IDs."),
            _ => return all,
        };
        if let Some(first) = all.first_mut().filter(|_| !field.docs.to_lowercase().contains(known)) {
            *first += &format!(" {note}");
        }
        all
    }

    /// An option's doc comment with the words that it may have. The word by default is named once.
    fn with_choices(&self, text: &str, field: &Field) -> String {
        let Some(choices) = self.choices(field) else { return text.to_owned() };
        let variants = &self.surface().source.enums[&field.ty.core().name];
        let default = variants.iter().find(|one| one.is_default).map(|one| format!("; `{}` by default", one.word));
        format!("{} Values: {choices}", default.map_or_else(|| text.to_owned(), |default| text.replace(&default, "")))
    }

    /// The words that an option may have.
    fn choices(&self, field: &Field) -> Option<String> {
        let name = &field.ty.core().name;
        let variants = self.surface().source.enums.get(name).filter(|_| self.surface().is_word(name))?;
        let words = variants.iter().map(|one| {
            let default = if one.is_default && field.ty.name != "Option" { " (default)" } else { "" };
            format!("{}{default}", self.value(&one.word))
        });
        let words: Vec<String> = words.collect();
        let (last, first) = words.split_last()?;
        Some(format!("{} or {last}.", first.join(", ")))
    }

    /// A word as it is given.
    fn value(&self, word: &str) -> String;

    /// A text. What is for Rust alone is left out.
    fn prose(&self, text: &str, of: &str) -> String {
        let surface = self.surface();
        let is_for_rust = |one: &&str| FOR_RUST.iter().any(|words| one.contains(words));
        let is_kept = |one: &&str| !is_for_rust(one) && see(one).is_none();
        let kept: Vec<&str> = sentences(text).into_iter().filter(is_kept).collect();
        let text = replace_links(&kept.join(" "), |link| {
            let (owner, last) = link.parts();
            let owner = owner.map(|owner| if owner == "Self" { of } else { owner });
            let is_variant = last.starts_with(char::is_uppercase);
            match owner {
                Some("ErrorKind") if is_variant => format!("`{}`", self.error(last)),
                Some(owner) if surface.is_word(owner) && is_variant => format!("`{}`", self.word(owner, last)),
                Some(owner) if surface.has_forms(owner) && is_variant => format!("`{}`", self.form(owner, last)),
                Some(_) if link.shown.contains("::") => {
                    format!("`{}`", self.name(owner, last.strip_prefix("with_").unwrap_or(last)))
                }
                _ => format!("`{}`", self.name(owner, link.shown)),
            }
        });
        let spans = text.split('`').enumerate();
        let spans = spans.map(|(at, part)| if at % 2 == 1 { self.code(part) } else { part.to_owned() });
        spans.collect::<Vec<_>>().join("`")
    }

    /// What a list of images is made of.
    fn about_images(&self) -> String;
    /// What an import is followed by.
    fn about_handle(&self) -> String;

    /// What an argument by place is: what its type says of itself.
    fn about_argument(&self, name: &str, ty: &str) -> String {
        match name {
            "group" => "The resource group.".to_owned(),
            "name" => "The name.".to_owned(),
            "manifests" => "YAML with any number of documents, or JSON.".to_owned(),
            "images" => self.about_images(),
            "workload" => "The workload, such as `web` (a Deployment), `statefulset/db`, `daemonset/agent` or `job/migrate`. Its namespace is an option.".to_owned(),
            "handle" => self.about_handle(),
            _ => self.paragraphs(self.surface().docs_of(ty), ty).into_iter().next().unwrap_or_default(),
        }
    }

    /// What an operation does.
    fn about_operation(&self, operation: &Operation<'_>) -> Vec<String> {
        let mut paragraphs = self.paragraphs(&operation.docs, "Client");
        // What it refers to, and other languages do not have, stands in its place.
        if let Some(other) = see(&operation.docs).and_then(|see| operations::other_method(self.surface().source, see)) {
            paragraphs.extend(self.paragraphs(&other.docs, "").split_off(1));
        }
        paragraphs
    }

    /// The errors that a doc comment names, as sentences.
    fn faults(&self, docs: &str) -> Vec<String> {
        let all = text::errors(docs).into_iter().map(|clause| self.prose(&clause, ""));
        all.map(|text| text.trim_end_matches('.').to_owned() + ".").collect()
    }

    /// The errors that an operation names: the kind, where it is one, and when.
    fn errors(&self, operation: &Operation<'_>) -> Vec<(Option<String>, String)> {
        let mut all = Vec::new();
        for clause in operations::errors(self.surface().source, &operation.docs) {
            if clause.contains("feature `") {
                continue;
            }
            // A clause about one kind begins with its link, or has it further on.
            let kind = clause.split_once("(ErrorKind::").and_then(|(_, rest)| Some(rest.split_once(')')?.0));
            let begins = kind.is_some_and(|kind| clause.starts_with(&format!("[`{kind}`]")));
            let text = if begins { clause.split_once(')').map_or("", |(_, rest)| rest) } else { &clause };
            let mut text = self.prose(text.trim().trim_start_matches(", "), "Client");
            // The kind is named already.
            let kind = kind.map(|kind| self.error(kind));
            if let Some(kind) = &kind {
                text = text.replace(&format!(": `{kind}`, "), ": ").replace(&format!(" `{kind}` if "), " if ");
            }
            all.push((kind, text.trim_end_matches('.').to_owned() + "."));
        }
        all
    }
}

/// A sentence such as ``See [`Kubeconfig::merge`] for the details.``
pub fn see(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("See [`").filter(|(_, rest)| rest.contains(" for the details."))?;
    let end = rest.find(" for the details.")?;
    Some(&text[text.len() - rest.len() - 2..text.len() - rest.len() + end])
}

pub fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
