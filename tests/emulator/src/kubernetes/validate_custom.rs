//! What the schema of a definition says of a custom resource beyond the types: what is required, which values there are, defaults.

use serde_json::{Value, json};

use super::refusal::Flaw;

/// Fills in the defaults of a schema.
pub(super) fn fill(schema: &Value, object: &mut Value) {
    match object {
        Value::Object(fields) => {
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                if let (None, Some(default)) = (fields.get(name), schema.get("default")) {
                    fields.insert(name.clone(), default.clone());
                }
                if let Some(field) = fields.get_mut(name) {
                    fill(schema, field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(&schema["items"], item)),
        _ => {}
    }
}

/// The flaws of an object, in the words of the API server's reader of schemas.
pub(super) fn flaws(schema: &Value, object: &Value) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    visit(schema, object, "", &mut flaws);
    flaws
}

fn visit(schema: &Value, value: &Value, path: &str, flaws: &mut Vec<Flaw>) {
    let wanted = schema["type"].as_str().unwrap_or_default();
    if let Some(found) = mismatch(wanted, value) {
        let detail = format!("{path} in body must be of type {wanted}: \"{found}\"");
        flaws.push(Flaw { reason: "FieldValueTypeInvalid", ..Flaw::invalid(path, &json!(found), &detail) });
        return;
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if value.is_object() && value.get(name).is_none() {
            flaws.push(Flaw::required(below(path, name), ""));
        }
    }
    if let Some(known) = schema["enum"].as_array().filter(|known| !known.contains(value)) {
        let known: Vec<_> = known.iter().map(Value::to_string).collect();
        flaws.push(Flaw::unsupported(path, value, &format!("supported values: {}", known.join(", "))));
    }
    for (limit, words) in [("maximum", "less"), ("minimum", "greater")] {
        let (Some(most), Some(number)) = (schema[limit].as_f64(), value.as_f64()) else { continue };
        if if limit == "maximum" { number > most } else { number < most } {
            let detail = format!("{path} in body should be {words} than or equal to {}", schema[limit]);
            flaws.push(Flaw::invalid(path, value, &detail));
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(field) = value.get(name).filter(|_| name != "metadata") {
            visit(schema, field, &below(path, name), flaws);
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        visit(&schema["items"], item, &format!("{path}[{index}]"), flaws);
    }
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The type that a value has, if it is another than the schema wants.
fn mismatch(wanted: &str, value: &Value) -> Option<&'static str> {
    let (found, fits) = match value {
        Value::Null => ("null", true),
        Value::Bool(_) => ("boolean", wanted == "boolean"),
        Value::Number(number) if number.is_f64() => ("number", wanted == "number"),
        Value::Number(_) => ("integer", matches!(wanted, "number" | "integer")),
        Value::String(_) => ("string", wanted == "string"),
        Value::Array(_) => ("array", wanted == "array"),
        Value::Object(_) => ("object", wanted == "object"),
    };
    (!wanted.is_empty() && !fits).then_some(found)
}
