//! The surface of the Node package: declarations for TypeScript, tables for the JavaScript half, and the Rust half's glue.

mod declared;
mod glue;
mod options;
mod prose;
mod tables;
mod types;

use crate::{
    operations::{Operation, is_given_by_fields},
    source::{Field, Form, camel_case},
    surface::{MAPPED, Surface, is_list_of_outcomes},
};
use std::ops::Deref;

/// The words that Node does not have: operations are names of methods.
const OTHERWISE: [&str; 1] = ["Operation"];

/// The templates' language. What they are filled with is behind it.
pub struct Node<'a>(&'a Surface<'a>);

impl<'a> Deref for Node<'a> {
    type Target = Surface<'a>;

    fn deref(&self) -> &Surface<'a> {
        self.0
    }
}

impl<'a> Node<'a> {
    pub fn new(surface: &'a Surface<'a>) -> Self {
        Self(surface)
    }

    /// Every file below the project's root, with its text.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        vec![
            ("bindings-node/index.d.ts", self.declarations()),
            ("bindings-node/index.mjs", self.exports()),
            ("bindings-node/lib/surface.cjs", self.tables()),
            ("bindings-node/src/operations.rs", self.glue()),
        ]
    }

    /// The name of an operation's options, where it has more than those of every call.
    fn options_of(&self, operation: &Operation<'_>) -> Option<String> {
        let has_parts = operation.arguments.iter().any(|(_, ty)| self.parts(&ty.name).next().is_some());
        let is_empty = operation.choices.is_empty() && !has_parts;
        // Operations that share their options in core may differ in the fields of an argument.
        let is_whole = operation.arguments.iter().all(|(_, ty)| !is_given_by_fields(&ty.name));
        let shared = operation.options.clone().filter(|_| is_whole);
        (!is_empty).then(|| shared.unwrap_or_else(|| format!("{}Options", operation.variant)))
    }

    /// A type in TypeScript.
    fn typescript(&self, ty: &Form) -> String {
        match ty.name.as_str() {
            "Option" => match self.typescript(&ty.inner[0]).as_str() {
                "unknown" => "unknown".to_owned(),
                one => format!("{one} | null"),
            },
            "Vec" if is_list_of_outcomes(ty) => "readonly ImportResult[]".to_owned(),
            "Vec" => format!("readonly {}[]", self.typescript(&ty.inner[0])),
            "BTreeMap" => format!("{{ readonly [name: string]: {} }}", self.typescript(&ty.inner[1])),
            "bool" => "boolean".to_owned(),
            "u16" | "u32" | "u64" | "usize" | "Duration" => "number".to_owned(),
            "SystemTime" => "Date".to_owned(),
            MAPPED => MAPPED.to_owned(),
            "Value" => "unknown".to_owned(),
            "ImportHandle" | "Kubeconfig" | "RegistryToken" => ty.name.clone(),
            name if self.is_word(name) || self.is_result(name) => name.to_owned(),
            _ => "string".to_owned(),
        }
    }
}

/// The name of a field or an option: that of a length of time names the unit.
fn name_of(field: &Field) -> String {
    with_unit(&field.name, &field.ty)
}

fn with_unit(name: &str, ty: &Form) -> String {
    camel_case(name) + if ty.core().name == "Duration" { "Ms" } else { "" }
}

/// The name of a method of a result, as JavaScript's own `toJSON` is written.
pub fn ask_name(name: &str) -> String {
    camel_case(name).replace("Html", "HTML")
}

/// The name that a fact of an error has as a field, and in the glue.
fn fact_name(name: &str) -> &str {
    match name {
        // JavaScript's own errors have their kind in it.
        "kind" => "code",
        "code" => "service_code",
        name => name,
    }
}

/// The name of an operation's result, without what says that it may be missing or many.
fn result_of<'a>(operation: &'a Operation<'_>) -> &'a str {
    if is_list_of_outcomes(&operation.result) { "ImportResult" } else { &operation.result.core().name }
}
