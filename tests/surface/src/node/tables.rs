//! The tables of the JavaScript half.

use super::{Node, ask_name, fact_name, result_of};
use crate::{
    ask::Gives,
    files::HEAD,
    source::{Field, Form, camel_case},
    surface::is_parsed,
};

/// What the package has besides a reader for each type of plan.
const EXPORTS: [&str; 8] = [
    "AksAcrError",
    "Client",
    "ImportHandle",
    "Kubeconfig",
    "RegistryToken",
    "VERSION",
    "customRoleJson",
    "requiredRights",
];

impl Node<'_> {
    pub(super) fn tables(&self) -> String {
        let operations: String = self
            .operations
            .iter()
            .map(|operation| {
                let places = operation.arguments.iter().filter_map(|(_, ty)| self.argument(&ty.core().name)).count();
                let first = &operation.arguments[0].1.core().name;
                let first = match first.as_str() {
                    "ImportHandle" => ", 'handle'",
                    plan if self.is_result(plan) && !is_parsed(plan) => ", 'plan'",
                    _ => "",
                };
                format!("  {}: [{places}, '{}'{first}],\n", camel_case(&operation.name), result_of(operation))
            })
            .collect();
        let mut types = String::new();
        for name in &self.results {
            let fields: Vec<&Field> = match self.source.enums.get(name) {
                Some(variants) => variants.iter().flat_map(|variant| &variant.fields).collect(),
                None => self.source.structs[name].fields.iter().collect(),
            };
            let inside = fields.into_iter().filter_map(|field| Some((field.name.clone(), self.inside(&field.ty)?)));
            types += &line(name, inside.collect());
        }
        let facts = self
            .facts()
            .into_iter()
            .filter_map(|(name, method)| Some((camel_case(fact_name(name)), self.inside(method.result.as_ref()?)?)));
        types += &line("AksAcrError", facts.collect());
        let mut methods = String::new();
        for name in &self.results {
            let of_it: Vec<String> = self
                .source
                .asked_of(name)
                .iter()
                .map(|ask| {
                    let same = if ask.gives == Gives::Same { format!(", '{name}'") } else { String::new() };
                    format!("{}: ['{}'{same}]", ask_name(ask.name), ask.name)
                })
                .collect();
            if !of_it.is_empty() {
                methods += &format!("  {name}: {{ {} }},\n", of_it.join(", "));
            }
        }
        format!(
            "// {HEAD}\n'use strict';\n\n\
             /** Every operation: how many arguments come before its options, the type of its result, and what its first argument is. */\n\
             const OPERATIONS = {{\n{operations}}};\n\n\
             /** The types of what is within a value, by the names of core's fields. */\n\
             const TYPES = {{\n{types}}};\n\n\
             /** What results are asked for, by the names of their types and methods: core's name, and the type of what it gives. */\n\
             const METHODS = {{\n{methods}}};\n\nmodule.exports = {{ METHODS, OPERATIONS, TYPES }};\n"
        )
    }

    /// The exports for ECMAScript modules, which are named one by one.
    pub(super) fn exports(&self) -> String {
        let stored = self.results.iter().map(String::as_str).filter(|name| self.is_read_back(name));
        let mut names: Vec<&str> = EXPORTS.iter().copied().chain(stored).collect();
        names.sort_unstable();
        let names = names.iter().map(|name| format!("  {name},\n")).collect::<String>();
        format!(
            "// {HEAD}\n// The same classes for both kinds of modules: `instanceof` recognizes an error of either in the other.\n\
             import aksAcr from './index.cjs';\n\nexport const {{\n{names}}} = aksAcr;\n"
        )
    }

    /// What a field becomes, where that is more than it is in JSON with its names in camel case.
    fn inside(&self, ty: &Form) -> Option<String> {
        match ty.core().name.as_str() {
            "SystemTime" => Some("Date".to_owned()),
            // Its names are not core's.
            "BTreeMap" | "Value" => Some("Json".to_owned()),
            name if self.is_result(name) => Some(name.to_owned()),
            _ => None,
        }
    }
}

fn line(name: &str, mut fields: Vec<(String, String)>) -> String {
    fields.sort();
    fields.dedup();
    let fields: Vec<String> = fields.into_iter().map(|(name, ty)| format!("{name}: '{ty}'")).collect();
    if fields.is_empty() { format!("  {name}: {{}},\n") } else { format!("  {name}: {{ {} }},\n", fields.join(", ")) }
}
