//! The one caller that the tests share: each operation by its name, with arguments and options as JSON.

use crate::{
    files::{HEAD, formatted},
    operations::{Operation, is_given_by_fields},
    source::{Source, camel_case, snake_case},
    surface::{Surface, is_list_of_outcomes, is_optional},
};
use std::collections::BTreeSet;

/// What the caller reads by its own rules, or as the language does.
const KNOWN: [&str; 15] = [
    "BTreeMap",
    "Duration",
    "ImportCredentials",
    "ImportHandle",
    "ImportItem",
    "Manifest",
    "NewNodePool",
    "PathBuf",
    "RegistryCredential",
    "SshKey",
    "String",
    "bool",
    "str",
    "u32",
    "usize",
];

/// `tests/src/calls.rs`.
pub fn caller(surface: &Surface<'_>) -> String {
    let operations = &surface.operations;
    let (mut methods, mut options) = (String::new(), String::new());
    let (mut imports, mut parsed, mut made): (_, BTreeSet<String>, BTreeSet<&str>) = (
        BTreeSet::from(["CallOptions".to_owned(), "Client".to_owned(), "Error".to_owned(), "Operation".to_owned()]),
        BTreeSet::new(),
        BTreeSet::new(),
    );
    for operation in operations {
        push(&mut methods, &method(surface, operation, &mut imports, &mut parsed));
        for choice in &operation.choices {
            parsed.insert(choice.field.ty.core().name.clone());
        }
        if let Some(ty) = operation.options.as_deref().filter(|ty| made.insert(ty)) {
            imports.insert(ty.to_owned());
            if !operation.choices.is_empty() {
                push(&mut options, &options_of(ty, operation));
            }
        }
    }
    parsed.retain(|name| !KNOWN.contains(&&**name));
    let imports: Vec<String> = imports.into_iter().collect();
    let parsed: Vec<String> = parsed.into_iter().collect();
    formatted(&format!(
        "// {HEAD}\n//! Calls any operation with arguments in JSON.\n\n\
         #![expect(clippy::missing_errors_doc, clippy::missing_panics_doc, clippy::panic, clippy::too_many_lines, reason = \"for tests only\")]\n\n\
         use crate::{{arguments::{{Arguments, Manifests, parsed}}, operate::{{shown, shown_kubeconfig, shown_outcomes, shown_token}}}};\n\
         use aks_acr::{{{}}};\nuse serde_json::Value;\n\n\
         /// Makes the call and returns its result as JSON.\n\
         pub async fn operate(client: &Client, operation: Operation, mut args: Arguments, call: CallOptions) -> Result<Value, Error> {{\n\
         let args = &mut args;\nmatch operation {{\n{methods}other => panic!(\"{{other}} is not generated yet: cargo run -p aks-acr-surface\"),\n}}\n}}\n\n\
         {options}parsed!({});\n",
        imports.join(", "),
        parsed.join(", "),
    ))
}

fn push(text: &mut String, more: &str) {
    text.push_str(more);
}

fn method(
    surface: &Surface<'_>,
    operation: &Operation<'_>,
    imports: &mut BTreeSet<String>,
    parsed: &mut BTreeSet<String>,
) -> String {
    let (mut read, mut given) = (String::new(), Vec::new());
    for (name, ty) in &operation.arguments {
        let core = &ty.core().name;
        let text = match core.as_str() {
            "ImportHandle" => {
                given.push(format!("&mut {name}"));
                format!("let mut {name} = args.handle({name:?});\n")
            }
            "Manifest" => {
                given.push(format!("{name}.0"));
                format!("let {name} = args.needed::<Manifests>({name:?})?;\n")
            }
            "str" => {
                given.push(format!("&{name}"));
                format!("let {name} = args.needed::<String>({name:?})?;\n")
            }
            plan if plan.ends_with("Plan") => {
                imports.insert(plan.to_owned());
                given.push(format!("&{name}"));
                format!("let {name} = args.stored::<{plan}>({name:?});\n")
            }
            optional if is_optional(optional) => {
                imports.insert(optional.to_owned());
                parsed.insert(optional.to_owned());
                given.push(format!("&{name}"));
                format!("let mut {name} = {optional}::default();\nargs.set({name:?}, &mut {name})?;\n")
            }
            other => {
                imports.insert(other.to_owned());
                let list = ty.name == "Vec";
                given.push(if list || surface.is_word(other) { name.clone() } else { format!("&{name}") });
                let parts = parts(surface.source, other);
                if parts.is_empty() {
                    parsed.insert(other.to_owned());
                    let whole = if list { format!("Vec<{other}>") } else { other.to_owned() };
                    format!("let {name} = args.needed::<{whole}>({name:?})?;\n")
                } else {
                    let begin = if other == "WorkloadRef" {
                        parsed.insert(other.to_owned());
                        format!("args.needed::<{other}>({name:?})?")
                    } else {
                        format!("{other}::default()")
                    };
                    let set: String = parts
                        .iter()
                        .map(|(part, ty)| {
                            parsed.insert(ty.clone());
                            format!("args.set({part:?}, &mut {name}.{part})?;\n")
                        })
                        .collect();
                    format!("let mut {name} = {begin};\n{set}")
                }
            }
        };
        read += &text;
    }
    let last = match &operation.options {
        Some(ty) if operation.choices.is_empty() => format!("{ty}::default().with_call(call)"),
        Some(ty) => {
            read += &format!("let options = {}(args)?;\n", snake_case(ty));
            "options.with_call(call)".to_owned()
        }
        None => "call".to_owned(),
    };
    given.push(last);
    let (variant, call) = (&operation.variant, format!("client.{}({}).await?", operation.name, given.join(", ")));
    let shown = match operation.result.core().name.as_str() {
        "Kubeconfig" => format!("Ok(shown_kubeconfig(&{call}))"),
        "RegistryToken" => format!("Ok(shown_token(&{call}))"),
        _ if is_list_of_outcomes(&operation.result) => format!("shown_outcomes({call}, args)"),
        _ => format!("Ok(shown({call}))"),
    };
    format!("Operation::{variant} => {{\n{read}args.done();\n{shown}\n}}\n")
}

/// The fields of an argument that are arguments of their own, each with its type.
fn parts(source: &Source, ty: &str) -> Vec<(String, String)> {
    let fields = source.structs.get(ty).map(|of| &of.fields[..]).unwrap_or_default();
    let is_part = |name: &str| is_given_by_fields(ty) || (ty == "WorkloadRef" && name == "namespace");
    fields
        .iter()
        .filter(|field| is_part(&field.name))
        .map(|field| (field.name.clone(), field.ty.core().name.clone()))
        .collect()
}

fn options_of(ty: &str, operation: &Operation<'_>) -> String {
    let set: String = operation
        .choices
        .iter()
        .map(|choice| {
            let (path, name) = (choice.path.join("."), &choice.field.name);
            match choice.field.ty.core().name.as_str() {
                "ImportCredentials" => format!("args.credentials(&mut options.{path})?;\n"),
                _ => format!("args.set({name:?}, &mut options.{path})?;\n"),
            }
        })
        .collect();
    format!(
        "pub(crate) fn {}(args: &mut Arguments) -> Result<{ty}, Error> {{\nlet mut options = {ty}::default();\n{set}Ok(options)\n}}\n\n",
        snake_case(ty)
    )
}

/// `tests/contract/operations.json`: the name of each operation in three languages, and its arguments.
pub fn names(surface: &Surface<'_>) -> String {
    let rows = surface.operations.iter().map(|one| {
        let (node, arguments) = (camel_case(&one.name), arguments_of(surface.source, one));
        format!("  {{\"rust\": {0:?}, \"python\": {0:?}, \"node\": {node:?}, \"arguments\": {arguments:?}}}", one.name)
    });
    format!("[\n{}\n]", rows.collect::<Vec<_>>().join(",\n"))
}

/// The arguments that are not given part by part.
fn arguments_of<'a>(source: &Source, operation: &'a Operation<'_>) -> Vec<&'a String> {
    let is_whole = |ty: &str| ty == "WorkloadRef" || parts(source, ty).is_empty();
    let whole = operation.arguments.iter().filter(|(_, ty)| is_whole(&ty.core().name));
    whole.map(|(name, _)| name).collect()
}
