//! Expressions of policies, in CEL. Whatever the emulator cannot evaluate as the API server does is refused when the policy is written,
//! so that no policy lets something pass by accident.

use cel::{Context, ExecutionError, Program, Value as Cel};
use serde_json::Value;

/// Functions that the evaluator has and that do the same in the API server. Operators and macros have names without a first letter.
const FUNCTIONS: [&str; 8] = ["contains", "double", "endsWith", "int", "matches", "size", "startsWith", "string"];
/// What an expression of a policy can name in the API server, and the emulator does not know.
const UNKNOWN: [&str; 4] = ["authorizer", "request.userInfo", "request.options", "params"];

/// The parser needs up to 100 kB of stack for each bracket, and more for each operator than a thread of the server has.
const STACK: usize = 256 << 20;
const MOST_LETTERS: usize = 4000;
const MOST_BRACKETS: usize = 40;

/// The values that expressions name.
pub(super) struct Variables(pub(super) Vec<(&'static str, Value)>);

/// How an evaluation ended.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    /// The API server ends in the same error: the failure policy decides.
    Error(String),
    /// The emulator cannot evaluate it, so that nobody knows.
    Unsupported(String),
}

/// A result that policies use.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Condition(bool),
    Text(String),
    Other,
}

/// Whether the parser can take an expression.
fn is_small(text: &str) -> bool {
    let mut open = 0_usize;
    text.len() <= MOST_LETTERS
        && text.chars().all(|letter| {
            match letter {
                '(' | '[' | '{' => open += 1,
                ')' | ']' | '}' => open = open.saturating_sub(1),
                _ => {}
            }
            open <= MOST_BRACKETS
        })
}

/// Runs the evaluator on a stack of its own. `None` if it panics.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// Why an expression cannot be evaluated here; `None` if it can.
pub(super) fn obstacle(text: &str) -> Option<String> {
    if !is_small(text) {
        return Some(format!(
            "the emulator cannot read more than {MOST_LETTERS} letters or {MOST_BRACKETS} open brackets"
        ));
    }
    apart(|| obstacle_in(text)).unwrap_or_else(|| Some("the emulator cannot read the expression".to_owned()))
}

fn obstacle_in(text: &str) -> Option<String> {
    let program = match compile(text) {
        Ok(program) => program,
        Err(why) => return Some(why),
    };
    let references = program.references();
    let is_operator = |name: &str| !name.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let strange = references.functions().into_iter().find(|name| !is_operator(name) && !FUNCTIONS.contains(name));
    let unknown = UNKNOWN.into_iter().find(|name| text.contains(name));
    let why = |what: &str| format!("the emulator cannot evaluate {what}");
    strange.map(|name| why(&format!("the function {name}"))).or_else(|| unknown.map(why))
}

fn compile(text: &str) -> Result<Program, String> {
    Program::compile(text)
        .map_err(|error| format!("the emulator cannot read the expression: {error}").replace('\n', " "))
}

/// Evaluates an expression.
pub(super) fn evaluate(text: &str, variables: &Variables) -> Result<Outcome, Failure> {
    let outcome = if is_small(text) { apart(|| evaluate_in(text, variables)) } else { None };
    outcome.unwrap_or_else(|| Err(Failure::Unsupported(format!("the emulator cannot evaluate '{text}'"))))
}

fn evaluate_in(text: &str, variables: &Variables) -> Result<Outcome, Failure> {
    let program = compile(text).map_err(Failure::Unsupported)?;
    let mut context = Context::default();
    for (name, value) in &variables.0 {
        context.add_variable_from_value(*name, cel_of(value));
    }
    let value = program.execute(&context).map_err(|error| match error {
        ExecutionError::NoSuchKey(key) => {
            Failure::Error(format!("expression '{text}' resulted in error: no such key: {key}"))
        }
        other => Failure::Unsupported(format!("the emulator cannot evaluate '{text}': {other}")),
    })?;
    Ok(match value {
        Cel::Bool(holds) => Outcome::Condition(holds),
        Cel::String(text) => Outcome::Text(text.to_string()),
        _ => Outcome::Other,
    })
}

/// Evaluates a condition.
pub(super) fn holds(text: &str, variables: &Variables) -> Result<bool, Failure> {
    match evaluate(text, variables)? {
        Outcome::Condition(holds) => Ok(holds),
        _ => Err(Failure::Unsupported(format!("the emulator cannot evaluate '{text}': it is no condition"))),
    }
}

/// A value of JSON. Whole numbers are integers, as in the API server, which knows the types of fields.
fn cel_of(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(value) => Cel::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Cel::Int(number),
            (None, Some(number)) => Cel::Float(number),
            (None, None) => Cel::Null,
        },
        Value::String(text) => Cel::from(text.as_str()),
        Value::Array(items) => Cel::from(items.iter().map(cel_of).collect::<Vec<Cel>>()),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), cel_of(value)));
            Cel::from(entries.collect::<std::collections::HashMap<String, Cel>>())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(text: &str) -> Result<bool, Failure> {
        let object = json!({"metadata": {"name": "web", "labels": {"app": "a"}}, "spec": {"replicas": 3, "containers": [
            {"name": "c", "image": "r.azurecr.io/app:1"}, {"name": "d", "image": "r.azurecr.io/tool@sha256:1"}]}});
        holds(text, &Variables(vec![("object", object), ("oldObject", Value::Null)]))
    }

    #[test]
    fn expressions_of_usual_policies_are_evaluated() {
        for text in [
            "object.spec.containers.all(c, c.image.startsWith('r.azurecr.io/'))",
            "!object.spec.containers.exists(c, c.image.endsWith(':latest'))",
            "has(object.metadata.labels) && 'app' in object.metadata.labels",
            "object.spec.replicas <= 3 && object.spec.replicas > 2",
            "oldObject == null || object.metadata.name == oldObject.metadata.name",
            "size(object.spec.containers) == 2 && object.spec.containers.size() == 2",
            "object.spec.containers.map(c, c.name) == ['c', 'd']",
            "object.spec.containers.filter(c, c.image.contains('@')).size() == 1",
            "object.metadata.name.matches('^[a-z]+$')",
            "(object.spec.replicas > 5 ? 'many' : 'few') == 'few'",
            "object.metadata.labels['app'] == 'a'",
            "has(object.spec.paused) ? object.spec.paused : true",
            &format!("{}1{} == 1", "(".repeat(40), ")".repeat(40)),
            &format!("{}1 == 1000", "1+".repeat(999)),
            &format!("{}true", "true && ".repeat(400)),
        ] {
            assert_eq!((obstacle(text), of(text)), (None, Ok(true)), "{text}");
        }
        assert_eq!(of("object.spec.replicas > 3"), Ok(false));
        let missing = "object.spec.paused == true";
        let error = format!("expression '{missing}' resulted in error: no such key: paused");
        assert_eq!(of(missing), Err(Failure::Error(error)));
    }

    #[test]
    fn what_cannot_be_evaluated_is_never_true() {
        for text in [
            "quantity(object.spec.cpu).isLessThan(quantity('1'))",
            "authorizer.group('').resource('pods').check('get').allowed()",
            "request.userInfo.username == 'x'",
            "params.maximum > 3",
            "object.spec.",
            "object.metadata.name.lowerAscii() == 'web'",
            "isURL(object.metadata.name)",
            &"(".repeat(5000),
            &format!("{}1{} == 1", "(".repeat(41), ")".repeat(41)),
            &"1+".repeat(5000),
        ] {
            assert!(obstacle(text).is_some(), "{text}");
        }
        for text in
            ["nothing == 1", "object.metadata.name > 3", "object.spec.replicas", "object.metadata.name + 1 == 2"]
        {
            assert!(matches!(of(text), Err(Failure::Unsupported(_))), "{text}: {:?}", of(text));
        }
    }
}
