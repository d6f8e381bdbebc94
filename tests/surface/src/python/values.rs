//! The results in Rust, as classes for Python, and the lists of words and exceptions.

use super::{Python, prose::comment, python_name};
use crate::{
    ask::{Ask, Gives},
    files::{HEAD, formatted},
    prose::Idiom,
    source::{Field, Form},
    surface::BY_HAND,
};
use std::fmt::Write as _;

impl Python<'_> {
    pub(super) fn values(&self) -> String {
        let mut text = format!(
            "// {HEAD}\n//! Core's results, words and exceptions as Python values.\n\n\
             use crate::{{error, import::ImportHandle, value::{{Json, Several, Time, through_json, value, variants}}, word::{{self, Word}}}};\n\
             use pyo3::prelude::*;\nuse std::collections::BTreeMap;\n\n"
        );
        for name in &self.results {
            let docs = comment(&self.paragraphs(self.docs_of(name), name), "    ");
            if let Some(of) = self.source.structs.get(name) {
                let fields: String = of.fields.iter().map(|field| self.field(field, name, true)).collect();
                write!(text, "value! {{\n{docs}    pub struct {name} {{\n{fields}    }}\n}}\n\n").expect("text");
                continue;
            }
            let variants = self.source.enums[name].iter().map(|variant| {
                let docs = comment(&self.paragraphs(&variant.docs, name), "        ");
                let fields: String = variant.fields.iter().map(|field| self.field(field, name, false)).collect();
                format!("{docs}        {} {{\n{fields}        }},\n", variant.name)
            });
            let variants: String = variants.collect();
            write!(text, "variants! {{\n{docs}    pub enum {name} {{\n{variants}    }}\n}}\n\n").expect("text");
        }
        self.results.iter().for_each(|name| text += &self.methods_of(name));
        let words = self.words.join(", ");
        write!(text, "word::known!({words});\n\n/// The class of each kind of error.\npub const EXCEPTIONS: &[(aks_acr::ErrorKind, &str, &str)] = &[\n").expect("text");
        for kind in &self.source.enums["ErrorKind"] {
            let docs = self.about_error(kind);
            writeln!(text, "(aks_acr::ErrorKind::{}, \"{}Error\", {docs:?}),", kind.name, kind.name).expect("text");
        }
        let (mut names, mut set) = (String::new(), String::new());
        for (name, method) in self.facts() {
            let ty = method.result.as_ref().expect("a fact");
            let inner = &ty.core().name;
            let value = match ty.name.as_str() {
                "Option" if self.is_word(inner) => format!("err.{name}().map(Word)"),
                "Option" if self.results.contains(inner) => {
                    format!("err.{name}().map(through_json::<{inner}>).transpose()?")
                }
                "Vec" => format!("through_json::<Several<{inner}>>(&err.{name}())?"),
                name_of_word if self.is_word(name_of_word) => format!("Word(err.{name}())"),
                _ => format!("err.{name}()"),
            };
            set += &format!("exception.setattr({name:?}, {value})?;\n");
            names += &if ty.name == "Option" { format!("{name:?}, ") } else { String::new() };
        }
        let classes: String = self.results.iter().map(|name| format!("module.add_class::<{name}>()?;\n")).collect();
        write!(
            text,
            "];\n\n/// What every exception carries, where the service or the case has it.\npub const FACTS: &[&str] = &[{names}];\n\n\
             /// Copies the facts of an error to an exception.\n\
             pub fn set_facts(exception: &Bound<'_, PyAny>, err: &aks_acr::Error) -> PyResult<()> {{\n{set}Ok(())\n}}\n\n/// Adds the classes to the module.\npub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {{\n{classes}error::register(module, EXCEPTIONS)\n}}\n"
        )
        .expect("text");
        formatted(&text)
    }

    /// What a result is asked for. Core's own value answers.
    fn methods_of(&self, result: &str) -> String {
        let one = |ask: Ask<'_>| {
            let docs = comment(&self.about_ask(&ask, result), "    ");
            let Ask { name, gives, can_fail, .. } = ask;
            let (py, fails) =
                if can_fail { (", py: Python<'_>", ".map_err(|err| error::to_py(py, &err))?") } else { ("", "") };
            let call = format!("through_json::<aks_acr::{result}>(self)?.{name}(){fails}");
            let (ty, call) = match gives {
                Gives::Nothing => ("()", format!("{call};\nOk(())")),
                Gives::Same => ("Self", format!("through_json(&{call})")),
                Gives::Text => ("String", format!("Ok({call})")),
            };
            let shown = if name == "to_html" {
                "/// What a notebook shows.\nfn _repr_html_(&self) -> PyResult<String> {\nself.to_html()\n}\n"
            } else {
                ""
            };
            format!("{docs}fn {name}(&self{py}) -> PyResult<{ty}> {{\n{call}\n}}\n{shown}")
        };
        let methods: String = self.source.asked_of(result).into_iter().map(one).collect();
        if methods.is_empty() { methods } else { format!("#[pymethods]\nimpl {result} {{\n{methods}}}\n\n") }
    }

    /// What is said of a method of a result.
    pub(super) fn about_ask(&self, ask: &Ask<'_>, of: &str) -> Vec<String> {
        let mut all = self.paragraphs(&ask.method.docs, of);
        let raised = self.faults(&ask.method.docs);
        if !raised.is_empty() {
            all.push(format!("Raises {}", raised.join(" ")));
        }
        all
    }

    /// What an exception's class says of itself.
    pub(super) fn about_error(&self, kind: &crate::source::Variant) -> String {
        let own = self.paragraphs(&kind.docs, "ErrorKind").join(" ");
        match kind.name.as_str() {
            "InvalidInput" => own + " It is a `ValueError` too.",
            "DeadlineExceeded" => own + " It is a `TimeoutError` too.",
            "Unauthenticated" => own + " If the credential raises, that exception is the `__cause__`.",
            "Cancelled" => own + " Closing the client also cancels its calls.",
            _ => own,
        }
    }

    fn field(&self, field: &Field, of: &str, is_shown: bool) -> String {
        let indent = if is_shown { "        " } else { "            " };
        let docs = comment(&self.about_field(field, of), indent);
        let name = python_name(&field.name);
        let renamed =
            if name == field.name { String::new() } else { format!("{indent}#[serde(rename = \"{}\")]\n", field.name) };
        format!("{docs}{renamed}{indent}{name}: {},\n", self.rust(&field.ty))
    }

    /// A type in the glue.
    pub(super) fn rust(&self, ty: &Form) -> String {
        let inner = |at: usize| self.rust(&ty.inner[at]);
        match ty.name.as_str() {
            "Option" => format!("Option<{}>", inner(0)),
            "Vec" => format!("Several<{}>", inner(0)),
            "BTreeMap" => format!("BTreeMap<{}, {}>", inner(0), inner(1)),
            "bool" | "u16" | "u32" | "u64" | "usize" => ty.name.clone(),
            "SystemTime" => "Time".to_owned(),
            "Value" => "Json".to_owned(),
            name if self.is_word(name) => format!("Word<aks_acr::{name}>"),
            name if self.is_result(name) || BY_HAND.contains(&name) => name.to_owned(),
            _ => "String".to_owned(),
        }
    }
}
