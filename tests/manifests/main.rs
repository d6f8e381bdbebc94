//! Scalars in manifests, against a table that a program of Kubernetes' own packages wrote (`tests/peers/manifests`).

mod reading;

use serde_json::{Number, Value, json};

const TABLE: &str = include_str!("scalars.json");
const HEAD: &str = "apiVersion: example.com/v1\nkind: Thing\nmetadata:\n  name: a\nspec:\n";

struct Row {
    class: String,
    written: String,
    /// `None` where Kubernetes rejects it.
    value: Option<Value>,
    key: Option<String>,
}

fn rows() -> Vec<Row> {
    let table: Value = serde_json::from_str(TABLE).unwrap_or_default();
    let text = |text: &Value| text.as_str().map(str::to_owned);
    let row = |row: &Value| {
        Some(Row {
            class: text(&row["class"])?,
            written: text(&row["written"])?,
            value: value(&row["value"]),
            key: text(&row["key"]),
        })
    };
    let rows: Vec<Row> = table["rows"].as_array().into_iter().flatten().filter_map(row).collect();
    assert!(rows.len() > 1500, "the table has {} rows", rows.len());
    rows
}

fn value(listed: &Value) -> Option<Value> {
    if let Some(float) = listed["float"].as_str() {
        return float.parse().ok().and_then(Number::from_f64).map(Value::Number);
    }
    listed.get("is").cloned()
}

/// What a row says of a text, as the only value and as the only key of a mapping.
fn differences(row: &Row, as_value: Result<Value, String>, as_key: Result<Value, String>) -> Vec<String> {
    let mut found = Vec::new();
    let read =
        as_value.ok().and_then(|spec| spec.get("a").filter(|value| !value.is_object() && !value.is_array()).cloned());
    if read != row.value {
        found.push(format!("{} {:?}: {read:?}, not {:?}", row.class, row.written, row.value));
    }
    let read = as_key.ok().and_then(|spec| {
        let map = spec.as_object().filter(|map| map.len() == 1)?;
        map.keys().next().cloned()
    });
    if read != row.key {
        found.push(format!("{} {:?} as a key: {read:?}, not {:?}", row.class, row.written, row.key));
    }
    found
}

fn texts(row: &Row) -> [String; 2] {
    [format!("{HEAD}  a: {}\n", row.written), format!("{HEAD}  {}: a\n", row.written)]
}

#[test]
fn the_library_reads_what_kubernetes_reads() {
    let spec = |text: &str| reading::library(text).map(|objects| objects[0]["spec"].clone());
    let found: Vec<_> = rows()
        .iter()
        .flat_map(|row| {
            let [value, key] = texts(row);
            differences(row, spec(&value), spec(&key))
        })
        .collect();
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
}

/// The emulator's answers are JSON, whose floats this test's reader rounds: they are compared as rounded.
#[tokio::test]
async fn the_emulator_reads_what_kubernetes_reads() {
    let server = reading::Server::start().await.unwrap();
    let mut found = Vec::new();
    for mut row in rows() {
        let [value, key] = texts(&row);
        let spec = |thing: Result<String, String>| {
            let thing: Value = serde_json::from_str(&thing?).map_err(|err| err.to_string())?;
            Ok(thing["spec"].clone())
        };
        row.value = row.value.map(|value| serde_json::from_str(&value.to_string()).unwrap_or(json!(null)));
        let (value, key) = (spec(server.thing(&value).await), spec(server.thing(&key).await));
        found.extend(differences(&row, value, key));
    }
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
}
