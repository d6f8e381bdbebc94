//! The type of a custom resource, from the schema in its definition.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Relation, Scalar, Type};

/// The type of whole objects: what every object has, and what the schema says.
pub(in crate::kubernetes) fn of_schema(schema: &Value) -> Type {
    let mut kind = read(schema);
    if let Type::Map { fields, .. } = &mut kind {
        let text = || Type::Scalar(Scalar::Text);
        fields.insert("apiVersion".to_owned(), text());
        fields.insert("kind".to_owned(), text());
        fields.insert("metadata".to_owned(), Type::Named("apis.meta.v1.ObjectMeta".to_owned()));
    }
    kind
}

fn read(schema: &Value) -> Type {
    let is_set = |name: &str| schema[name] == true;
    let keeps = is_set("x-kubernetes-preserve-unknown-fields");
    if is_set("x-kubernetes-int-or-string") {
        return Type::Scalar(Scalar::Untyped);
    }
    match schema["type"].as_str() {
        Some("string") => Type::Scalar(Scalar::Text),
        Some("integer" | "number") => Type::Scalar(Scalar::Number),
        Some("boolean") => Type::Scalar(Scalar::Boolean),
        Some("array") => Type::List { of: Box::new(read(&schema["items"])), relation: relation(schema) },
        Some("object") => Type::Map {
            fields: fields(&schema["properties"]),
            defaults: defaults(&schema["properties"]),
            others: match &schema["additionalProperties"] {
                Value::Object(_) => Some(Box::new(read(&schema["additionalProperties"]))),
                Value::Bool(true) => Some(Box::new(Type::Any)),
                _ => keeps.then(|| Box::new(Type::Any)),
            },
        },
        _ => Type::Any,
    }
}

fn fields(properties: &Value) -> BTreeMap<String, Type> {
    let properties = properties.as_object().into_iter().flatten();
    properties.map(|(name, schema)| (name.clone(), read(schema))).collect()
}

fn defaults(properties: &Value) -> BTreeMap<String, Value> {
    let properties = properties.as_object().into_iter().flatten();
    properties.filter_map(|(name, schema)| Some((name.clone(), schema.get("default")?.clone()))).collect()
}

fn relation(schema: &Value) -> Relation {
    match schema["x-kubernetes-list-type"].as_str() {
        Some("set") => Relation::Set,
        Some("map") => {
            let keys = schema["x-kubernetes-list-map-keys"].as_array().into_iter().flatten();
            Relation::Keyed(keys.filter_map(Value::as_str).map(str::to_owned).collect())
        }
        _ => Relation::Atomic,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::mismatches;
    use super::*;

    #[test]
    fn a_custom_resource_is_checked_by_its_schema() {
        let kind = of_schema(&json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "size": {"type": "integer"}, "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "port": {"x-kubernetes-int-or-string": true}, "tags": {"type": "array", "items": {"type": "string"}},
            "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                "items": {"type": "object", "properties": {"id": {"type": "integer"}}}},
            "limits": {"type": "object", "additionalProperties": {"type": "string"}}}}}}));
        let of = |spec: Value| {
            mismatches(&kind, &json!({"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a"}, "spec": spec}))
        };
        assert_eq!(
            of(
                json!({"size": 1, "free": {"a": [1]}, "port": "x", "tags": ["a"], "limits": {"a": "b"}, "parts": [{"id": 1}]})
            ),
            None
        );
        for (spec, wanted) in [
            (json!({"size": "1"}), ".spec.size: expected numeric (int or float), got string"),
            (json!({"width": 1}), ".spec.width: field not declared in schema"),
            (json!({"tags": [1]}), ".spec.tags[0]: expected string, got &value.valueUnstructured{Value:1}"),
            (
                json!({"limits": {"a": true}}),
                ".spec.limits.a: expected string, got &value.valueUnstructured{Value:true}",
            ),
            (json!({"parts": [{"id": 1}, {"id": 1}]}), ".spec.parts: duplicate entries for key [id=1]"),
            (
                json!({"parts": [{}]}),
                ".spec.parts: element 0: associative list with keys has an element that omits key field \"id\" (and doesn't have default value)",
            ),
        ] {
            assert_eq!(of(spec).as_deref(), Some(wanted));
        }
    }
}
