//! Unknown fields, which other writes than an apply drop.

use serde_json::Value;

use super::Type;
use super::path::{Step, of_decoding};

/// Removes what a kind does not have; gives the paths of what was removed.
pub(in crate::kubernetes) fn prune(kind: &Type, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    visit(kind, object, &mut Vec::new(), &mut unknown);
    unknown
}

fn visit(kind: &Type, value: &mut Value, path: &mut Vec<Step>, unknown: &mut Vec<String>) {
    match (kind.resolved(), value) {
        (Type::List { of, .. }, Value::Array(items)) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push(Step::Entry(index, None));
                visit(of, item, path, unknown);
                path.pop();
            }
        }
        (map @ Type::Map { .. }, Value::Object(object)) => object.retain(|name, value| {
            path.push(Step::Field(name.clone()));
            let field = map.field(name);
            match field {
                Some(field) => visit(field, value, path, unknown),
                None => unknown.push(of_decoding(path)),
            }
            path.pop();
            field.is_some()
        }),
        _ => {}
    }
}
