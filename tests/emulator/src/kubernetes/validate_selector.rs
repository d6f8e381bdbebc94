//! What the API server refuses in the label selector of an object.

use serde_json::Value;

use super::object::{list, text};
use super::refusal::Flaw;
use super::validate_metadata;

pub(super) fn flaws(selector: &Value, field: &str, flaws: &mut Vec<Flaw>) {
    validate_metadata::labels(selector.get("matchLabels"), &format!("{field}.matchLabels"), flaws);
    for (index, expression) in list(selector, "/matchExpressions").iter().enumerate() {
        self::expression(expression, &format!("{field}.matchExpressions[{index}]"), flaws);
    }
}

fn expression(expression: &Value, at: &str, flaws: &mut Vec<Flaw>) {
    let values = list(expression, "/values");
    match text(expression, "/operator") {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            flaws.push(Flaw::required(format!("{at}.values"), detail));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            flaws.push(Flaw::forbidden(format!("{at}.values"), detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => {
            let detail = "not a valid selector operator";
            flaws.push(Flaw::invalid(format!("{at}.operator"), &expression["operator"], detail));
        }
    }
    validate_metadata::label_key(text(expression, "/key"), &format!("{at}.key"), flaws);
    for (index, value) in values.iter().enumerate() {
        validate_metadata::label_value(value, &format!("{at}.values[{index}]"), flaws);
    }
}
