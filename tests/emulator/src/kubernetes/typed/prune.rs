//! What other writes than an apply make of an object that does not fit: a value of another type is refused, an unknown field dropped.

use serde_json::Value;

use super::check::{Wanted, What, all};
use super::path::{Step, of_decoding, of_fields};
use super::{Type, go};

/// The first value that the decoder cannot take, in its words.
pub(in crate::kubernetes) fn decode_error(kind: &Type, object: &Value) -> Option<String> {
    all(kind, object).into_iter().find_map(|mismatch| {
        let What::Wrong { wanted, found, owner } = mismatch.what else { return None };
        let wanted = match wanted {
            Wanted::Text => "string",
            Wanted::Number => "int32",
            Wanted::Boolean => "bool",
            Wanted::Scalar => "resource.Quantity",
            Wanted::List => "[]interface {}",
            Wanted::Map => "map[string]interface {}",
        };
        let (found, path) = (go::json_name(&found), of_fields(&mismatch.path));
        Some(format!("json: cannot unmarshal {found} into Go struct field {owner}.{path} of type {wanted}"))
    })
}

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
