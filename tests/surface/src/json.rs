//! The public surface as JSON: operations and the types that callers meet.

use crate::{
    consts::Consts,
    met::{is_word, met},
    operations,
    source::{Field, Form, Source},
    text,
};
use serde_json::{Value, json};
use std::path::Path;

/// The whole text.
pub fn text(source: &Source, core: &Path) -> String {
    let (operations, consts) = (operations::read(source, core), Consts::read(core));
    let types = met(source, &operations);
    let operations: Vec<Value> = operations
        .iter()
        .map(|operation| {
            let rights = consts.rights(&operation.row.rights).into_iter().map(|right| {
                json!({"action": right.action, "at": right.at, "is_required": right.is_required,
                    "is_data_action": right.is_data_action, "why": right.why,
                    "smallest_role": consts.smallest_role(&right)})
            });
            let arguments = operation.arguments.iter().map(|(name, ty)| json!({"name": name, "type": shown(ty)}));
            let options = operation.choices.iter().map(|choice| {
                let mut option = field(choice.field);
                option["path"] = json!(choice.path.join("."));
                option["default"] = json!(consts.default_of(source, choice.of, choice.field));
                option
            });
            json!({
                "name": operation.name,
                "docs": text::summary(&operation.docs),
                "arguments": arguments.collect::<Vec<_>>(),
                "options": options.collect::<Vec<_>>(),
                "deadline_seconds": consts.seconds(&operation.row.deadline),
                "result": shown(&operation.result),
                "errors": operations::errors(source, &operation.docs),
                "rights": rights.collect::<Vec<_>>(),
            })
        })
        .collect();
    let types: Vec<Value> = types.iter().map(|name| declared(source, name)).collect();
    let head = crate::files::HEAD;
    serde_json::to_string_pretty(&json!({"": head, "operations": operations, "types": types})).expect("JSON")
}

fn declared(source: &Source, name: &str) -> Value {
    let Some(variants) = source.enums.get(name) else {
        let of = &source.structs[name];
        let fields: Vec<Value> = of.fields.iter().map(field).collect();
        return json!({"name": name, "docs": text::summary(&of.docs), "fields": fields});
    };
    let variants = variants.iter().map(|variant| {
        let mut shown = json!({"name": variant.name, "word": variant.word, "docs": text::summary(&variant.docs)});
        if variant.is_default {
            shown["is_default"] = json!(true);
        }
        if !variant.fields.is_empty() {
            shown["fields"] = variant.fields.iter().map(field).collect();
        }
        shown
    });
    let key = if is_word(source, name) { "words" } else { "variants" };
    json!({"name": name, "docs": text::summary(&source.docs_of_enums[name]), key: variants.collect::<Vec<_>>()})
}

fn field(field: &Field) -> Value {
    json!({"name": field.name, "type": shown(&field.ty), "docs": text::summary(&field.docs)})
}

/// A type as Rust writes it, without paths and references.
pub fn shown(ty: &Form) -> String {
    let inner: Vec<String> = ty.inner.iter().map(shown).collect();
    if inner.is_empty() { ty.name.clone() } else { format!("{}<{}>", ty.name, inner.join(", ")) }
}
