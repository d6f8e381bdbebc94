//! Values as Go's `%#v` prints them, which is how the API server quotes maps and structures in refusals.

use serde_json::Value;

/// `map[string]string{"app":"a"}`.
pub(super) fn labels(labels: Option<&Value>) -> String {
    let Some(labels) = labels.and_then(Value::as_object) else { return "map[string]string(nil)".to_owned() };
    let shown: Vec<_> = labels.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect();
    format!("map[string]string{{{}}}", shown.join(", "))
}

/// `v1.LabelSelector{MatchLabels:…, MatchExpressions:…}`.
pub(super) fn selector(selector: &Value) -> String {
    let expressions = match selector.get("matchExpressions").and_then(Value::as_array) {
        None => "(nil)".to_owned(),
        Some(all) => format!("{{{}}}", all.iter().map(expression).collect::<Vec<_>>().join(", ")),
    };
    let labels = labels(selector.get("matchLabels"));
    format!("v1.LabelSelector{{MatchLabels:{labels}, MatchExpressions:[]v1.LabelSelectorRequirement{expressions}}}")
}

/// `policy.PodDisruptionBudgetSpec{…}`, with an address in memory for each part that there is.
pub(super) fn budget(spec: &Value) -> String {
    let part = |name: &str, kind: &str, field: &str| {
        let address = if spec[field].is_null() { "nil" } else { "0xc000000000" };
        format!("{name}:(*{kind})({address})")
    };
    let parts = [
        part("MinAvailable", "intstr.IntOrString", "minAvailable"),
        part("Selector", "v1.LabelSelector", "selector"),
        part("MaxUnavailable", "intstr.IntOrString", "maxUnavailable"),
        part("UnhealthyPodEvictionPolicy", "policy.UnhealthyPodEvictionPolicyType", "unhealthyPodEvictionPolicy"),
    ];
    format!("policy.PodDisruptionBudgetSpec{{{}}}", parts.join(", "))
}

fn expression(expression: &Value) -> String {
    let values = match expression.get("values").and_then(Value::as_array) {
        None => "[]string(nil)".to_owned(),
        Some(all) => format!("[]string{{{}}}", all.iter().map(Value::to_string).collect::<Vec<_>>().join(", ")),
    };
    format!(
        "v1.LabelSelectorRequirement{{Key:{}, Operator:{}, Values:{values}}}",
        expression["key"], expression["operator"]
    )
}
