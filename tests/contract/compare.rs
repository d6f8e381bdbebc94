//! What was wanted against what came. `<any>` stands for whatever is there: in JSON for a whole value, in a line for a part.

use serde_json::Value;

const ANY: &str = "<any>";

/// Equal, except for what is masked.
pub fn values(place: &str, wanted: &Value, got: &Value) -> Result<(), String> {
    match (wanted, got) {
        (Value::String(mask), got) if mask == ANY && !got.is_null() => Ok(()),
        (Value::Object(wanted), Value::Object(got)) => {
            let names = |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            if wanted.len() != got.len() {
                return Err(format!("{place} has {:?}, wanted {:?}", names(got), names(wanted)));
            }
            wanted.iter().try_for_each(|(name, value)| field(place, name, value, got))
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            let pairs = wanted.iter().zip(got).enumerate();
            pairs.into_iter().try_for_each(|(at, (wanted, got))| values(&format!("{place}[{at}]"), wanted, got))
        }
        _ if wanted == got => Ok(()),
        _ => Err(format!("{place} is {got}, wanted {wanted}")),
    }
}

/// Whether a finding with the ID is anywhere in a result.
pub fn has_finding(got: &Value, id: &str) -> bool {
    match got {
        Value::Object(fields) => {
            let is_it = fields.contains_key("next_step") && fields.get("id").is_some_and(|one| one == id);
            is_it || fields.values().any(|value| has_finding(value, id))
        }
        Value::Array(values) => values.iter().any(|value| has_finding(value, id)),
        _ => false,
    }
}

/// Every field that is wanted is there and equal; there may be more.
pub fn part(place: &str, wanted: &Value, got: &Value) -> Result<(), String> {
    let (Value::Object(wanted), Value::Object(got)) = (wanted, got) else { return values(place, wanted, got) };
    wanted.iter().try_for_each(|(name, value)| field(place, name, value, got))
}

fn field(place: &str, name: &str, wanted: &Value, got: &serde_json::Map<String, Value>) -> Result<(), String> {
    let place = format!("{place}.{name}");
    values(&place, wanted, got.get(name).ok_or_else(|| format!("{place} is missing"))?)
}

/// The same requests, whatever their order. One that the caller has given up, since another one beside it failed or the call ended,
/// is seen a little later, in the next step perhaps, or never.
pub fn lines(wanted: &[String], got: &[String]) -> Result<(), String> {
    let mut left: Vec<&String> = got.iter().collect();
    for line in wanted {
        let Some(at) = left.iter().position(|one| is_like(line, one)) else {
            return Err(format!("no request {line}; there were\n{}", got.join("\n")));
        };
        left.remove(at);
    }
    left.retain(|line| !line.ends_with(" -"));
    if left.is_empty() { Ok(()) } else { Err(format!("requests that nobody wanted: {left:?}")) }
}

fn is_like(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split(ANY);
    let Some(mut rest) = line.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last = None;
    for part in parts {
        last = Some(part);
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.is_empty() || last == Some("")
}

/// Values that differ from run to run, where they are there.
const VOLATILE: [&str; 8] =
    ["at", "checked_at", "correlation_id", "created", "credentials_until", "etag", "expires", "updated"];

/// What came, with the masks that stand in what was wanted, and over what differs from run to run.
pub fn masked(wanted: Option<&Value>, got: &Value) -> Value {
    match (wanted, got) {
        (Some(Value::String(mask)), _) if mask == ANY => ANY.into(),
        (wanted, Value::Object(got)) => {
            let field = |(name, value): (&String, &Value)| {
                let is_masked = VOLATILE.contains(&name.as_str()) && !value.is_null();
                let wanted = wanted.and_then(|wanted| wanted.get(name));
                (name.clone(), if is_masked { ANY.into() } else { masked(wanted, value) })
            };
            got.iter().map(field).collect()
        }
        (wanted, Value::Array(got)) => {
            let item = |(at, value): (usize, &Value)| masked(wanted.and_then(|wanted| wanted.get(at)), value);
            got.iter().enumerate().map(item).collect()
        }
        _ => got.clone(),
    }
}

/// Parts of a line that differ from run to run: they depend on when it was asked.
const PASSING: [&str; 4] = ["resourceVersion=", "timeoutSeconds=", "/operationResults/registries-", "/operations/"];

/// Masks those.
pub fn mask_line(line: &str) -> String {
    PASSING.iter().fold(line.to_owned(), |line, name| {
        let Some(at) = line.find(name) else { return line };
        let (head, tail) = line.split_at(at + name.len());
        let end = tail.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').unwrap_or(tail.len());
        format!("{head}{ANY}{}", &tail[end..])
    })
}

#[test]
fn masks_match_what_is_there() {
    assert!(is_like("GET a/<any>/b 200", "GET a/x-y/b 200"));
    assert!(is_like("GET a?v=<any>", "GET a?v=12"));
    assert!(!is_like("GET a/<any>/b 200", "GET a/x-y/b 404"));
}
