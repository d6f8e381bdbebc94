//! What of a page is made: all that is under its introduction.

use crate::{findings, measure::Measured, types, words};
use aks_acr::{Operation, RightScope, required_rights};
use aks_acr_surface::{
    operations,
    operations::is_given_by_fields,
    source::{Field, Form, Method, Source, camel_case},
};
use std::fmt::Write as _;

/// The made part of an operation's page.
pub fn made(source: &Source, operation: Operation, measured: &Measured, examples: &[(&str, String)]) -> String {
    let method = &source.methods[&format!("Client::{operation}")];
    let mut page = String::new();
    for paragraph in words::described(source, &method.docs) {
        writeln!(page, "{paragraph}\n").unwrap();
    }
    for (language, example) in examples {
        writeln!(page, "```{language}\n{}\n```\n", example.trim_end()).unwrap();
    }
    page + &options(source, method)
        + &result(source, method)
        + &errors(source, method)
        + &findings::of_operation(operation)
        + &rights(operation)
        + &requests(measured)
}

fn options(source: &Source, method: &Method) -> String {
    let rows = option_rows(source, method);
    let mut text = String::from("## Options\n\n| Rust, Python | Node | type | meaning |\n|---|---|---|---|\n");
    for (of, field) in rows {
        let Field { name, ty, docs } = field;
        let (node, what, meaning) = (node_name(name, ty), words::value(source, ty), words::cell(docs));
        if ty.core().name == "SshKey" {
            let variants = &source.enums["SshKey"];
            let about =
                |name: &str| variants.iter().find(|one| one.name == name).map(|one| words::cell(&one.docs)).unwrap();
            writeln!(text, "| `{name}` (Rust: `SshKey::Public`) | `{node}` | text | {meaning} {} |", about("Public"))
                .unwrap();
            writeln!(
                text,
                "| `{name}_file` (Rust: `{name}` as `SshKey::Pair`) | `{node}File` | text | {} |",
                about("Pair")
            )
            .unwrap();
            continue;
        }
        let place = match of {
            "ImportCredentials" => " (Rust: in `credentials`)",
            "PodSelection" => " (Rust: in the `PodSelection`)",
            "WorkloadRef" => " (Rust: in the `WorkloadRef`)",
            _ => "",
        };
        let about = if of == "ImportCredentials" && name == "password" {
            let whole = source.structs["ImportOptions"].fields.iter().find(|one| one.name == "credentials").unwrap();
            format!(" {}", words::cell(&whole.docs))
        } else {
            String::new()
        };
        writeln!(text, "| `{name}`{place} | `{node}` | {what} | {meaning}{about} |").unwrap();
    }
    // The options of the whole come last; an item of a list has its own deadline.
    let deadline = method.arguments.iter().rev().find_map(|(_, ty)| deadline(source, ty));
    let deadline = deadline.and_then(|docs| Some(docs.split_once('(')?.1.split_once(')')?.0.to_owned()));
    let deadline = deadline.unwrap_or_else(|| "2 minutes by default".to_owned());
    write!(
        text,
        "| `deadline` (Rust: in `call`) | `deadlineMs` | time | How long the whole call may take; {deadline}. |\n\
         | `on_progress` (Rust: `progress` in `call`) | `onProgress` | function | Receives each [`Event`](types.md#event) of the call. |\n\
         | Rust: `cancel` in `call`; Python: `cancel()` of the run | `signal` | `AbortSignal` in Node | Cancels the call. Operations that Azure has already started keep running. |\n\n"
    )
    .unwrap();
    if text.contains("**") {
        text.push_str("Defaults are bold. ");
    }
    text.push_str("Times are `Duration` in Rust, seconds or `timedelta` in Python, milliseconds in Node. ");
    let takes_call = method.arguments.iter().any(|(_, ty)| ty.core().name == "CallOptions");
    text.push_str(if takes_call {
        "In Rust, `call` is the argument `CallOptions`: `CallOptions::default().with_deadline(…)`.\n\n"
    } else {
        "In Rust, `call` is set with `with_call(CallOptions::default().with_deadline(…))`.\n\n"
    });
    text
}

/// The options that an operation takes, each with the type that has it, those within options among them.
pub fn option_rows<'a>(source: &'a Source, method: &Method) -> Vec<(&'a str, &'a Field)> {
    let mut rows = Vec::new();
    for (_, ty) in &method.arguments {
        collect(source, &ty.core().name, &mut rows);
    }
    rows
}

/// Nested options are listed one by one, as the bindings take them.
fn collect<'a>(source: &'a Source, name: &str, rows: &mut Vec<(&'a str, &'a Field)>) {
    if !(name.ends_with("Options")
        || name == "ImportCredentials"
        || name.ends_with("Mode")
        || is_given_by_fields(name)
        || name == "WorkloadRef")
        || name == "CallOptions"
    {
        return;
    }
    let Some((owner, of)) = source.structs.get_key_value(name) else { return };
    for field in &of.fields {
        // Kind and name are an argument in every language.
        if name == "WorkloadRef" && field.name != "namespace" {
            continue;
        }
        let inner = &field.ty.core().name;
        let before = rows.len();
        collect(source, inner, rows);
        if rows.len() == before && inner != "CallOptions" {
            rows.push((owner, field));
        }
    }
}

/// What an operation's options say of its deadline.
fn deadline(source: &Source, ty: &Form) -> Option<String> {
    let fields = &source.structs.get(&ty.core().name)?.fields;
    let own = fields.iter().find(|field| field.ty.core().name == "CallOptions").map(|field| words::cell(&field.docs));
    own.or_else(|| {
        fields
            .iter()
            .filter(|field| field.ty.core().name.ends_with("Options"))
            .find_map(|field| deadline(source, &field.ty))
    })
}

/// An option's name in Node.
pub fn node_name(name: &str, ty: &Form) -> String {
    let ending = if ty.core().name == "Duration" { "Ms" } else { "" };
    camel_case(name) + ending
}

fn result(source: &Source, method: &Method) -> String {
    let Some(whole) = &method.result else { return String::new() };
    let inner = &whole.inner[0];
    let name = &inner.core().name;
    let article = if name.starts_with(['A', 'I', 'O', 'E', 'U']) { "An" } else { "A" };
    let what = match inner.name.as_str() {
        "Option" => format!("{article} `{name}`, or `None` if it does not exist"),
        "Vec" if inner.inner.first().is_some_and(|one| one.name == "Result") => {
            format!("A list with one `{name}` or one error for each image, in the order of the list of images")
        }
        "Vec" => format!("A list with one `{name}` for each object"),
        _ => format!("{article} `{name}`"),
    };
    let body = types::body(source, name);
    let none = if what.contains("`None`") || body.contains("`None`") { ", and `null` for `None`" } else { "" };
    format!("## Result\n\n{what}. Node uses camelCase names{none}.\n\n{body}\n")
}

fn errors(source: &Source, method: &Method) -> String {
    let mut text = String::from("## Errors\n\n| kind | when |\n|---|---|\n");
    for clause in operations::errors(source, &method.docs) {
        let when = words::plain(&clause).replace("without the feature", "in Rust, without the feature");
        match words::kinds(&clause)[..] {
            [kind] => {
                // The kind has its own column.
                let when = when.replacen(&format!("`{kind}`"), "", 1).replace("  ", " ").replace(": , ", ": ");
                let when = when.trim().trim_start_matches(", ");
                let when = if when.is_empty() { "the caller lacks the permission" } else { when };
                writeln!(text, "| `{kind}` | {when} |").unwrap();
            }
            [] => writeln!(text, "| several | {when} |").unwrap(),
            ref many => {
                let names: Vec<String> = many.iter().map(|kind| format!("`{kind}`")).collect();
                writeln!(text, "| {} | {when} |", names.join(", ")).unwrap();
            }
        }
    }
    text + "\nEvery operation can also fail with the [common errors](README.md#errors), which say what to do about each kind.\n\n"
}

fn rights(operation: Operation) -> String {
    let rights = required_rights(&[operation]);
    if rights.is_empty() {
        return "## Rights\n\nNone: the request uses a signed link.\n\n".to_owned();
    }
    let mut text =
        String::from("## Rights\n\n| action | scope | purpose | smallest built-in role |\n|---|---|---|---|\n");
    for right in rights {
        let at = match right.at {
            RightScope::ResourceGroup => "resource group".to_owned(),
            other => other.to_string(),
        };
        let (action, role) = (right.action, right.smallest_role.unwrap_or("none"));
        let required = if right.is_required || right.why.contains("optional") { "" } else { "optional: " };
        writeln!(text, "| `{action}` | {at} | {required}{} | {role} |", right.why).unwrap();
    }
    text + "\n"
}

fn requests(measured: &Measured) -> String {
    let (first, again) = (measured.first, measured.again);
    let count = |count: usize, one: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") };
    let mut text = String::from("## Requests\n\n");
    writeln!(
        text,
        "{} in {}, {}; a second call: {} in {}, {}. Token requests are not counted.\n",
        count(first.count, "request"),
        count(first.depth, "round trip"),
        count(first.writes, "write"),
        count(again.count, "request"),
        count(again.depth, "round trip"),
        count(again.writes, "write"),
    )
    .unwrap();
    text.push_str("```text\n");
    measured.requests.iter().for_each(|line| writeln!(text, "{line}").unwrap());
    text + "```\n"
}
