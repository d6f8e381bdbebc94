//! Core's doc comments in the idiom of TypeScript.

use super::{Node, fact_name, name_of, with_unit};
use crate::{
    prose::Idiom,
    source::{Field, camel_case},
    surface::Surface,
    text::wrap,
};

const WIDTH: usize = 120;

impl Idiom for Node<'_> {
    fn surface(&self) -> &Surface<'_> {
        self
    }

    fn error(&self, kind: &str) -> String {
        self.word("ErrorKind", kind)
    }

    fn word(&self, of: &str, variant: &str) -> String {
        let found = self.source.enums[of].iter().find(|one| one.name == variant);
        found.map_or_else(|| variant.to_owned(), |one| format!("'{}'", one.word))
    }

    fn value(&self, word: &str) -> String {
        format!("`'{word}'`")
    }

    fn form(&self, of: &str, variant: &str) -> String {
        self.word(of, variant)
    }

    fn name(&self, of: Option<&str>, name: &str) -> String {
        if name.starts_with(char::is_uppercase) {
            return name.to_owned();
        }
        let fields = of.and_then(|of| self.source.structs.get(of)).map(|of| &of.fields[..]).unwrap_or_default();
        if let Some(field) = fields.iter().find(|field| field.name == name) {
            return name_of(field);
        }
        let fact = self.facts().into_iter().find(|(fact, _)| of == Some("Error") && *fact == name);
        match fact.and_then(|(_, method)| method.result.as_ref()) {
            Some(ty) => with_unit(fact_name(name), ty),
            None => camel_case(name),
        }
    }

    fn code(&self, code: &str) -> String {
        match code {
            "None" => "null",
            "Display" => "String()",
            code => code,
        }
        .to_owned()
    }

    fn about_images(&self) -> String {
        "Each is a source, or an object with `source` and any options of `importImage`, such as \
         `{ source: 'nginx', target: 'nginx:v1' }`."
            .to_owned()
    }

    fn about_handle(&self) -> String {
        "What `startImport` returned, the handle in it, or its stored form.".to_owned()
    }
}

impl Node<'_> {
    /// What is said of a field or an option, with the unit of a length of time.
    pub(super) fn said_of(&self, field: &Field, of: &str) -> Vec<String> {
        let mut all = self.about_field(field, of);
        if field.ty.core().name == "Duration" {
            all.push("In milliseconds.".to_owned());
            all = vec![all.join(" ")];
        }
        all
    }
}

/// Blocks of lines as a doc comment: a paragraph, or what begins with a tag. Each has its lines already or is wrapped.
pub(super) fn comment(paragraphs: &[String], indent: &str) -> String {
    let (first, others) = match paragraphs {
        [] => return String::new(),
        [one] => {
            let line = format!("{indent}/** {one} */\n");
            if !one.contains('\n') && line.chars().count() <= WIDTH {
                return line;
            }
            (one, &[][..])
        }
        [first, others @ ..] => (first, others),
    };
    let mark = format!("{indent} * ");
    let block = |text: &str| -> String {
        let lines = text.lines().map(|line| {
            // What was laid out before stays as it is.
            if text.contains('\n') {
                format!("{mark}{line}").trim_end().to_owned()
            } else {
                wrap(line, WIDTH, &mark, &mark)
            }
        });
        lines.map(|line| line + "\n").collect()
    };
    let mut text = format!("{indent}/**\n{}", block(first));
    let mut before = first;
    for paragraph in others {
        // Tags of one kind stand together.
        let tag = |text: &str| text.split(' ').next().filter(|word| word.starts_with('@')).map(str::to_owned);
        if tag(paragraph).is_none() || tag(paragraph) != tag(before) {
            text += &format!("{indent} *\n");
        }
        text += &block(paragraph);
        before = paragraph;
    }
    text + &format!("{indent} */\n")
}
