//! The page of types: every type that a caller meets, and what errors, events and clients have.

use crate::{page::option_rows, words};
use aks_acr::Operation;
use aks_acr_surface::{
    ask::Gives,
    source::{Field, Form, Source, camel_case},
    text,
};
use std::{collections::BTreeSet, fmt::Write as _};

/// What callers meet besides the results and options of operations: by errors, hooks, and the functions beside the client.
const BESIDES: [&str; 10] = [
    "ImportSide",
    "DenyingPolicy",
    "EligibleRole",
    "Event",
    "Operation",
    "PullFailure",
    "RefusalKind",
    "RequiredRight",
    "ServiceError",
    "Write",
];

/// The names of all types that a caller meets.
pub fn met(source: &Source) -> BTreeSet<String> {
    let mut met = BTreeSet::new();
    for operation in Operation::ALL {
        let method = &source.methods[&format!("Client::{operation}")];
        if let Some(result) = &method.result {
            add(source, result, &mut met);
        }
        for (_, field) in option_rows(source, method) {
            add(source, &field.ty, &mut met);
        }
    }
    for name in BESIDES {
        add(source, &Form { name: name.to_owned(), inner: Vec::new() }, &mut met);
    }
    met
}

fn add(source: &Source, ty: &Form, met: &mut BTreeSet<String>) {
    let name = &ty.core().name;
    if words::is_plain(name) || matches!(&**name, "CallOptions" | "SshKey") || name.ends_with("Options") {
        return;
    }
    let fields: Vec<&Field> = if let Some(of) = source.structs.get(name) {
        of.fields.iter().collect()
    } else if let Some(variants) = source.enums.get(name) {
        variants.iter().flat_map(|variant| &variant.fields).collect()
    } else {
        return;
    };
    if met.insert(name.clone()) {
        for field in fields {
            add(source, &field.ty, met);
        }
        for (_, ty, _) in getters(source, name) {
            add(source, ty, met);
        }
    }
}

/// What can be asked of a type without fields that are seen: names, types and doc comments.
fn getters<'a>(source: &'a Source, name: &str) -> impl Iterator<Item = (&'a str, &'a Form, &'a str)> {
    let prefix = format!("{name}::");
    let all = source.methods.range(prefix.clone()..);
    let all = all.take_while({
        let prefix = prefix.clone();
        move |(full, _)| full.starts_with(&prefix)
    });
    all.filter_map(move |(full, method)| {
        let ty = method.result.as_ref().filter(|ty| method.arguments.is_empty() && ty.name != "Self")?;
        Some((&full[prefix.len()..], ty, method.docs.as_str()))
    })
}

/// A type's text and table.
pub fn body(source: &Source, name: &str) -> String {
    let mut text = String::new();
    let row = |name: &str, ty: &Form, docs: &str| {
        let maybe = if ty.name == "Option" { ", or nothing" } else { "" };
        format!("| `{name}` | {}{maybe} | {} |\n", words::value(source, ty).replace("**", ""), words::cell(docs))
    };
    let docs = source.structs.get(name).map_or_else(|| source.docs_of_enums.get(name), |of| Some(&of.docs));
    for paragraph in docs.map(|docs| words::described(source, docs)).unwrap_or_default() {
        writeln!(text, "{paragraph}\n").unwrap();
    }
    if let Some(variants) = source.enums.get(name) {
        let is_word = variants.iter().all(|variant| variant.fields.is_empty());
        text.push_str(if is_word {
            "| value | meaning |\n|---|---|\n"
        } else {
            "| `kind` | with | meaning |\n|---|---|---|\n"
        });
        for variant in variants {
            let with = variant.fields.iter().map(|field| {
                let maybe = if field.ty.name == "Option" { ", or nothing" } else { "" };
                let what = words::value(source, &field.ty).replace("**", "");
                format!("`{}` ({what}{maybe}): {}", field.name, words::cell(&field.docs))
            });
            let with = with.collect::<Vec<_>>().join("<br>");
            let columns = if is_word { String::new() } else { format!(" {with} |") };
            let meaning = match name {
                "Operation" => format!("See [`{0}`]({0}.md).", variant.word),
                _ => words::cell(&variant.docs),
            };
            writeln!(text, "| `{}` |{columns} {meaning} |", variant.word).unwrap();
        }
        return text;
    }
    text.push_str("| field | type | meaning |\n|---|---|---|\n");
    let fields = &source.structs[name].fields;
    for field in fields {
        text.push_str(&row(&field.name, &field.ty, &field.docs));
    }
    if fields.is_empty() {
        getters(source, name).for_each(|(name, ty, docs)| text.push_str(&row(name, ty, docs)));
    }
    text + &methods(source, name)
}

/// What a result is asked for besides its fields, in every language.
fn methods(source: &Source, name: &str) -> String {
    let mut text = String::new();
    for ask in source.asked_of(name) {
        if text.is_empty() {
            text.push_str("\n| method | gives | meaning |\n|---|---|---|\n");
        }
        let gives = match ask.gives {
            Gives::Nothing => "nothing, or an error".to_owned(),
            Gives::Same => format!("[`{name}`](types.md#{})", name.to_lowercase()),
            Gives::Text => "text".to_owned(),
        };
        let node = aks_acr_surface::node::ask_name(ask.name);
        let names = if node == ask.name { format!("`{node}`") } else { format!("`{}`, in Node `{node}`", ask.name) };
        let (docs, errors) = (words::summary(&ask.method.docs).join(" "), text::errors(&ask.method.docs));
        let errors = if errors.is_empty() { String::new() } else { format!(" Fails with {}.", errors.join("; ")) };
        writeln!(text, "| {names} | {gives} | {} |", words::cell(&(docs + &errors))).unwrap();
    }
    text
}

/// The made part of the page of types.
pub fn page(source: &Source) -> String {
    let mut page = String::new();
    for name in met(source) {
        let body = body(source, &name);
        writeln!(page, "## {name}\n\n{body}").unwrap();
    }
    page + &errors(source)
}

/// What an error carries.
fn errors(source: &Source) -> String {
    let mut text = String::from(
        "## Error\n\nIn Python each kind is a subclass of `AksAcrError`; in Node all are `AksAcrError`. A value that is not available is `None` in \
         Python and missing in Node.\n\n| Rust, Python | Node | type | meaning |\n|---|---|---|---|\n",
    );
    for (name, ty, docs) in getters(source, "Error") {
        let node = match name {
            "kind" => "code".to_owned(),
            "code" => "serviceCode".to_owned(),
            "retry_after" => "retryAfterMs".to_owned(),
            name => camel_case(name),
        };
        let what = words::value(source, ty).replace("**", "");
        let node = match name {
            "context" | "service" => "(Rust only)".to_owned(),
            _ => format!("`{node}`"),
        };
        writeln!(text, "| `{name}` | {node} | {what} | {} |", words::cell(docs)).unwrap();
    }
    text
}

/// The settings of a client: of each, its names in Python and Node.
const SETTINGS: [(&str, Option<(&str, &str)>); 17] = [
    ("cloud", Some(("cloud", "cloud"))),
    ("proxy", Some(("proxy", "proxy"))),
    ("add_root_certificates", Some(("ca", "ca"))),
    ("read_only", Some(("read_only", "readOnly"))),
    ("on_write", Some(("on_write", "onWrite"))),
    ("transport", None),
    ("environment", None),
    ("developer_tools", None),
    ("kubernetes", None),
    ("identity_resolver", None),
    ("identity_manager", None),
    ("role_assigner", None),
    ("registry_importer", None),
    ("cluster_deployer", None),
    ("inventory", None),
    ("connection", None),
    ("build", None),
];

/// The made part of the page of the client. A setting that is not in the table above fails the build.
pub fn client(source: &Source) -> String {
    let mut text = String::from("## Settings\n\n| Rust | Python | Node | meaning |\n|---|---|---|---|\n");
    for (full, method) in source.methods.range("ClientBuilder::".to_owned()..) {
        let Some(name) = full.strip_prefix("ClientBuilder::") else { break };
        let known = SETTINGS.iter().find(|(known, _)| *known == name);
        let (_, names) = known
            .unwrap_or_else(|| panic!("ClientBuilder::{name}: say in tests/docs/types.rs how the bindings name it"));
        if ["build", "connection"].contains(&name) {
            continue;
        }
        let (python, node) =
            names.map_or((String::new(), String::new()), |(python, node)| (format!("`{python}`"), format!("`{node}`")));
        writeln!(
            text,
            "| `{name}` | {python} | {node} | {} |",
            words::cell(&words::summary(&method.docs).join("\n\n"))
        )
        .unwrap();
    }
    text + "\nA setting without a name in Python and Node is available in Rust only.\n"
}
