//! The operations as a caller sees them: arguments, options one by one, result, deadline, errors.

use crate::{
    source::{Field, Form, Method, Source},
    table::{self, Row},
    text,
};
use std::path::Path;
use syn::FnArg;

/// An operation.
pub struct Operation<'a> {
    /// Its name in `Operation`.
    pub variant: String,
    pub name: String,
    pub docs: String,
    /// Names and types, without the options.
    pub arguments: Vec<(String, Form)>,
    /// The type of its options, where it has more than those of every call.
    pub options: Option<String>,
    pub choices: Vec<Choice<'a>>,
    /// What it gives, if it does not fail.
    pub result: Form,
    pub row: Row,
}

/// An option, by the fields that lead to it: `kubeconfig.access`.
pub struct Choice<'a> {
    pub path: Vec<&'a str>,
    /// The type that has the field.
    pub of: &'a str,
    pub field: &'a Field,
}

/// All, in the order of the table.
pub fn read<'a>(source: &'a Source, core: &Path) -> Vec<Operation<'a>> {
    table::read(core).into_iter().map(|row| operation(source, row)).collect()
}

fn operation(source: &Source, row: Row) -> Operation<'_> {
    let mut arguments: Vec<(String, Form)> = row.arguments.iter().filter_map(argument).collect();
    // The options come last.
    let (_, options) = arguments.pop().expect("options");
    let options = Some(options.name).filter(|name| name != "CallOptions");
    let mut choices = Vec::new();
    if let Some(name) = &options {
        collect(source, name, &mut Vec::new(), &mut choices);
    }
    Operation {
        variant: row.operation.to_string(),
        name: row.name.to_string(),
        docs: row.docs.clone(),
        arguments,
        options,
        choices,
        result: Form::of(&row.result),
        row,
    }
}

fn argument(one: &FnArg) -> Option<(String, Form)> {
    match one {
        FnArg::Typed(one) => match &*one.pat {
            syn::Pat::Ident(name) => Some((name.ident.to_string(), Form::of(&one.ty))),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// Options within options are options too.
fn collect<'a>(source: &'a Source, name: &str, path: &mut Vec<&'a str>, choices: &mut Vec<Choice<'a>>) {
    let (of, known) = source.structs.get_key_value(name).expect("options");
    for field in &known.fields {
        path.push(&field.name);
        if field.ty.name.ends_with("Options") && field.ty.name != "CallOptions" {
            collect(source, &field.ty.name, path, choices);
        } else if field.ty.name != "CallOptions" {
            choices.push(Choice { path: path.clone(), of, field });
        }
        path.pop();
    }
}

/// The errors that an operation names, clause by clause. If it names those of a method that is not the client's, that method's errors
/// are listed instead.
pub fn errors(source: &Source, docs: &str) -> Vec<String> {
    let mut all = Vec::new();
    for clause in text::errors(docs) {
        match other_method(source, &clause).filter(|_| !clause.contains("ErrorKind::")) {
            Some(other) => {
                // "Those of [`kubeconfig`](Self::kubeconfig) and of [`Kubeconfig::merge`]"
                let own = clause.split(" and of [`").next().filter(|own| own.contains("](Self::"));
                all.extend(own.map(str::to_owned));
                all.extend(text::errors(&other.docs));
            }
            None => all.push(clause),
        }
    }
    all
}

/// The method that a text links to, where it is none of the client's.
pub fn other_method<'a>(source: &'a Source, text: &str) -> Option<&'a Method> {
    let mut found = None;
    text::replace_links(text, |link| {
        found = found.or_else(|| source.methods.get(link.target).filter(|_| !link.target.starts_with("Client::")));
        String::new()
    });
    found
}

/// Whether a caller gives each field of an argument by its name: a selection has no required part.
pub fn is_given_by_fields(ty: &str) -> bool {
    ty.ends_with("Selection") || ty.ends_with("Filter")
}
