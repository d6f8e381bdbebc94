//! Core's doc comments in Python's idiom.

use super::Python;
use crate::{
    examples,
    operations::Operation,
    prose::{Idiom, capital},
    source::snake_case,
    surface::Surface,
    text::wrap,
};

const WIDTH: usize = 120;

impl Idiom for Python<'_> {
    fn surface(&self) -> &Surface<'_> {
        self
    }

    fn error(&self, kind: &str) -> String {
        format!("{kind}Error")
    }

    fn word(&self, of: &str, variant: &str) -> String {
        format!("{of}.{}", snake_case(variant).to_uppercase())
    }

    fn value(&self, word: &str) -> String {
        format!("`\"{word}\"`")
    }

    fn form(&self, of: &str, variant: &str) -> String {
        format!("{of}.{variant}")
    }

    fn name(&self, _: Option<&str>, name: &str) -> String {
        name.to_owned()
    }

    fn code(&self, code: &str) -> String {
        match code {
            "false" => "False",
            "true" => "True",
            "Display" => "str()",
            code => code,
        }
        .to_owned()
    }

    fn about_images(&self) -> String {
        "Each is a source, or a mapping with `source` and any options of `import_image`, such as \
         `{\"source\": \"nginx\", \"target\": \"nginx:v1\"}`."
            .to_owned()
    }

    fn about_handle(&self) -> String {
        "What `start_import` returned, or the handle in it.".to_owned()
    }
}

impl Python<'_> {
    /// An operation's docstring, line by line: what it does, its arguments, what it raises.
    pub(super) fn docstring(&self, operation: &Operation<'_>) -> Vec<String> {
        let paragraphs = self.about_operation(operation);
        let mut blocks: Vec<String> = paragraphs.iter().map(|text| wrap(text, WIDTH - 8, "", "")).collect();
        let entry = |name: &str, text: &str| wrap(text, WIDTH - 8, &format!("    {name}: "), "        ");
        let arguments: Vec<String> = self.parameters(operation).iter().map(|one| entry(&one.name, &one.docs)).collect();
        blocks.push(format!("Args:\n{}", arguments.join("\n")));
        let raised = self.errors(operation).into_iter();
        let raised: Vec<String> =
            raised.map(|(class, text)| entry(class.as_deref().unwrap_or("AksAcrError"), &capital(&text))).collect();
        if !raised.is_empty() {
            blocks.push(format!("Raises:\n{}", raised.join("\n")));
        }
        let example = examples::python(&operation.name);
        let lines = example.trim_end().lines().map(|line| format!("    {line}").trim_end().to_owned());
        blocks.push(format!("Example:\n{}", lines.collect::<Vec<_>>().join("\n")));
        blocks.join("\n\n").lines().map(str::to_owned).collect()
    }
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
