//! The arguments of an operation in Python, and how each becomes core's.

use super::Python;
use crate::{
    operations::{Choice, Operation, is_given_by_fields},
    prose::Idiom,
    source::Field,
    surface::{MAPPED, is_list, is_optional, is_parsed, map},
};

/// An argument.
pub(super) struct Parameter {
    pub name: String,
    pub is_keyword: bool,
    pub is_optional: bool,
    /// Its type in the glue, and in the stub.
    pub rust: String,
    pub python: String,
    pub docs: String,
}

impl Python<'_> {
    /// All arguments of an operation: first those by place.
    pub(super) fn parameters(&self, operation: &Operation<'_>) -> Vec<Parameter> {
        let mut all = Vec::new();
        for (name, ty) in &operation.arguments {
            let (rust, python) = match ty.core().name.as_str() {
                by_fields if is_given_by_fields(by_fields) => continue,
                "ImportHandle" => ("Followed".to_owned(), "ImportHandle | StartedImport".to_owned()),
                "RegistryCredential" => {
                    ("RegistryCredentials".to_owned(), "Iterable[RegistryCredential | Mapping[str, str]]".to_owned())
                }
                "ImportItem" => ("Items".to_owned(), "Iterable[str | ImportItem]".to_owned()),
                "Manifest" => ("&str".to_owned(), "str".to_owned()),
                "str" => ("String".to_owned(), "str".to_owned()),
                plan if self.is_result(plan) && !is_parsed(plan) => {
                    (format!("&Bound<'_, values::{plan}>"), plan.to_owned())
                }
                word if self.is_word(word) => (format!("Word<aks_acr::{word}>"), self.given(ty, "Sequence")),
                optional if is_optional(optional) => {
                    (format!("Option<Parsed<aks_acr::{optional}>>"), "str | None".to_owned())
                }
                parsed => (format!("Parsed<aks_acr::{parsed}>"), "str".to_owned()),
            };
            let is_optional = is_optional(&ty.core().name);
            let docs = self.about_argument(name, &ty.core().name);
            all.push(Parameter { name: name.clone(), is_keyword: false, is_optional, rust, python, docs });
        }
        for (_, ty) in &operation.arguments {
            for field in self.parts(&ty.name) {
                all.extend(self.keywords(field));
            }
        }
        all.extend(operation.choices.iter().flat_map(|choice| self.keywords(choice.field)));
        let time = self.deadline(operation);
        let deadline = format!("How long the whole call may take, in seconds or as a `timedelta`; {time} by default.");
        let progress = "Called with each `Event` of the call.".to_owned();
        for (name, rust, python, docs) in
            [("deadline", "Span", "_Seconds", deadline), ("on_progress", "Listening", "_Listener", progress)]
        {
            all.push(keyword(name, rust, python, docs));
        }
        all
    }

    /// An option as one keyword, or two.
    pub(super) fn keywords(&self, field: &Field) -> Vec<Parameter> {
        let docs = self.with_choices(&self.paragraphs(&field.docs, "").join(" "), field);
        let ty = field.ty.core();
        if let Some(variants) = self.source.enums.get(&ty.name).filter(|_| ty.name == "SshKey") {
            let docs_of = |name: &str| {
                let variant = variants.iter().find(|one| one.name == name);
                variant.map(|one| self.paragraphs(&one.docs, "").join(" ")).unwrap_or_default()
            };
            let file = format!("{}_file", field.name);
            return vec![
                keyword(&field.name, "String", "str", format!("{docs} {}", docs_of("Public"))),
                keyword(&file, "PathBuf", "str | PathLike[str]", docs_of("Pair")),
            ];
        }
        if ty.name == "ImportCredentials" {
            let parts = &self.source.structs[&ty.name].fields;
            let part = |at: usize| self.paragraphs(&parts[at].docs, "").join(" ");
            return vec![
                keyword(&parts[0].name, "String", "str", part(0)),
                keyword(&parts[1].name, "String", "str", format!("{} {docs}", part(1))),
            ];
        }
        if ty.name == MAPPED {
            let python = self.given(&field.ty, "Sequence");
            return vec![keyword(&field.name, "NodePools", &python, docs)];
        }
        let one = match ty.name.as_str() {
            "Duration" => "Span".to_owned(),
            "u32" | "usize" => "Count".to_owned(),
            "PathBuf" => "PathBuf".to_owned(),
            "bool" => "bool".to_owned(),
            "BTreeMap" => map(ty),
            name if is_parsed(name) => format!("Parsed<aks_acr::{name}>"),
            name if self.is_word(name) => format!("Word<aks_acr::{name}>"),
            _ => "String".to_owned(),
        };
        let rust = if is_list(&field.ty) { format!("Vec<{one}>") } else { one };
        let python = match ty.name.as_str() {
            "Duration" => "_Seconds".to_owned(),
            "PathBuf" => "str | PathLike[str]".to_owned(),
            // Given as text, though it is also a result.
            name if is_parsed(name) && !is_list(&field.ty) => "str".to_owned(),
            _ if field.ty.name == "Option" => self.given(&field.ty.inner[0], "Sequence"),
            _ => self.given(&field.ty, "Sequence"),
        };
        vec![keyword(&field.name, &rust, &python, docs)]
    }

    /// The statement that sets an option of core's.
    pub(super) fn set(&self, target: &str, field: &Field) -> String {
        let (name, ty) = (&field.name, field.ty.core());
        match ty.name.as_str() {
            "SshKey" => return format!("set(&mut {target}, argument::ssh_key({name}, {name}_file)?);\n"),
            "ImportCredentials" => return format!("{target} = argument::credentials(username, password)?;\n"),
            MAPPED => return format!("set(&mut {target}, {name}.map(|pools| pools.0));\n"),
            _ => {}
        }
        let value = match ty.name.as_str() {
            "Duration" => format!("Span::named({name}, py, \"{name}\")?"),
            "u32" => format!("Count::named({name}, py, \"{name}\")?"),
            "usize" => format!("Count::named({name}, py, \"{name}\")?.and_then(|count| count.try_into().ok())"),
            parsed if is_parsed(parsed) && field.ty.name == "Vec" => {
                return format!("{target} = {name}.into_iter().flatten().map(|Parsed(one)| one).collect();\n");
            }
            parsed if is_parsed(parsed) => format!("{name}.map(|Parsed(one)| one)"),
            word if self.is_word(word) => format!("{name}.map(|Word(one)| one)"),
            _ => name.clone(),
        };
        if field.ty.name == "Option" {
            format!("{target} = {value};\n")
        } else {
            format!("set(&mut {target}, {value});\n")
        }
    }

    /// The statements that make core's options.
    pub(super) fn make_options(&self, ty: &str, choices: &[Choice<'_>]) -> String {
        let is_changed = if choices.is_empty() { "" } else { "mut " };
        let mut text = format!("let {is_changed}options = aks_acr::{ty}::default();\n");
        for choice in choices {
            text += &self.set(&format!("options.{}", choice.path.join(".")), choice.field);
        }
        text
    }
}

fn keyword(name: &str, rust: &str, python: &str, docs: String) -> Parameter {
    let (name, rust, python) = (name.to_owned(), format!("Option<{rust}>"), format!("{python} | None"));
    Parameter { name, is_keyword: true, is_optional: true, rust, python, docs }
}
