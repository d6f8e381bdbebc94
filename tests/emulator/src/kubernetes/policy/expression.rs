//! Expressions of policies, in CEL. Whatever the emulator cannot evaluate as the API server does is refused when the policy is written,
//! so that no policy lets something pass by accident.

use std::sync::Arc;

use cel::{Context, ExecutionError, Program, Value as Cel};
use serde_json::Value;

use super::budget::{Budget, counted};
use super::review;

/// The parser takes no more than 96 expressions within each other, and a chain of operators is as deep as it is long: both need more
/// stack than a thread of the server has.
const STACK: usize = 256 << 20;
const MOST_LETTERS: usize = 4000;

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

/// Runs the evaluator on a stack of its own. `None` if it panics.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.ok()?.join().ok()
    })
}

/// Why an expression cannot be used; `None` if it can.
pub(super) fn obstacle(text: &str) -> Option<String> {
    if text.len() > MOST_LETTERS {
        return Some(format!("the emulator cannot read more than {MOST_LETTERS} letters"));
    }
    let found = apart(|| match compile(text) {
        Ok(program) => review::obstacle(text, &program),
        Err(why) => Some(why),
    });
    found.unwrap_or_else(|| Some("the emulator cannot read the expression".to_owned()))
}

fn compile(text: &str) -> Result<Program, String> {
    Program::compile(text)
        .map_err(|error| format!("the emulator cannot read the expression: {error}").replace('\n', " "))
}

/// Evaluates the expressions of one write, within one budget. Belongs to the thread of [`apart`].
pub(super) struct Evaluator {
    context: Context<'static, 'static>,
    budget: Arc<Budget>,
}

impl Evaluator {
    /// With the values that expressions name.
    pub(super) fn new(variables: &[(&str, Value)]) -> Self {
        let mut context = Context::default();
        for (name, value) in variables {
            context.add_variable_from_value(*name, cel_of(value));
        }
        let budget = Budget::of(&mut context);
        Self { context, budget }
    }

    /// Evaluates an expression.
    pub(super) fn evaluate(&self, text: &str) -> Result<Outcome, Failure> {
        self.evaluate_in(text, &self.context)
    }

    /// Evaluates a condition.
    pub(super) fn holds(&self, text: &str) -> Result<bool, Failure> {
        condition(text, &self.evaluate(text)?)
    }

    /// Evaluates a condition of `matchConditions`, where `namespaceObject` is null: `Match` in
    /// `k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go` (v0.33.3).
    pub(super) fn matches(&self, text: &str) -> Result<bool, Failure> {
        let mut context = self.context.new_inner_scope();
        context.add_variable_from_value("namespaceObject", Cel::Null);
        condition(text, &self.evaluate_in(text, &context)?)
    }

    fn evaluate_in(&self, text: &str, context: &Context<'_, '_>) -> Result<Outcome, Failure> {
        let unsupported = |why: &str| Failure::Unsupported(format!("the emulator cannot evaluate '{text}': {why}"));
        let program = compile(text).map_err(Failure::Unsupported)?;
        let value = Cel::resolve(&counted(program.expression()), context);
        if self.budget.is_spent() {
            return Err(unsupported("the expressions of the policies take too much work for this object"));
        }
        let value = value.map_err(|error| match error {
            ExecutionError::NoSuchKey(key) => {
                Failure::Error(format!("expression '{text}' resulted in error: no such key: {key}"))
            }
            other => unsupported(&other.to_string()),
        })?;
        Ok(match value {
            Cel::Bool(holds) => Outcome::Condition(holds),
            Cel::String(text) => Outcome::Text(text.to_string()),
            _ => Outcome::Other,
        })
    }
}

fn condition(text: &str, outcome: &Outcome) -> Result<bool, Failure> {
    match outcome {
        Outcome::Condition(holds) => Ok(*holds),
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
    use std::time::{Duration, Instant};

    use serde_json::json;

    use super::*;

    fn with(object: Value, text: &str) -> Result<bool, Failure> {
        let request = json!({"name": "web", "kind": {"group": "", "version": "v1", "kind": "Pod"}});
        let variables = [("object", object), ("oldObject", Value::Null), ("request", request)];
        apart(|| Evaluator::new(&variables).holds(text)).unwrap()
    }

    fn of(text: &str) -> Result<bool, Failure> {
        let object = json!({"metadata": {"name": "web", "labels": {"app": "a"}}, "spec": {"replicas": 3, "containers": [
            {"name": "c", "image": "r.azurecr.io/app:1"}, {"name": "d", "image": "r.azurecr.io/tool@sha256:1"}]}});
        with(object, text)
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
            "object.spec.containers.map(c, c.name != 'c', c.name + '!') == ['d!']",
            "object.spec.containers.filter(c, c.image.contains('@')).size() == 1",
            "object.spec.containers.exists_one(c, c.name == 'c')",
            "object.spec.containers.exists(c, c.missing == 1 || c.name == 'd')",
            "object.spec.containers.all(c, object.spec.containers.exists(d, d.name == c.name && [c, d].all(e, e.image != '')))",
            "object.metadata.labels.all(key, key == 'app' && object.metadata.labels[key] == 'a')",
            "{'a': object.metadata.name}.a == 'web' && {'b': [1, 2]}.b[1] + 1 == 3",
            "object.metadata.name.matches('^[a-z]+$')",
            "(object.spec.replicas > 5 ? 'many' : 'few') == 'few'",
            "object.metadata.labels['app'] == 'a'",
            "has(object.spec.paused) ? object.spec.paused : true",
            "request.name == 'web' && request.kind.kind == 'Pod' && !has(request.subResource)",
            "object.spec.containers.all(request, request.userInfo == 'x') || [1].all(nothing, nothing == 1)",
            "object.metadata.name != 'params, authorizer and request.userInfo' // request.options",
            "'((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((' != ''",
            &format!("{}1{} == 1", "(".repeat(90), ")".repeat(90)),
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
    fn what_cannot_be_evaluated_is_refused() {
        let nested = |inner: &str| format!("[1].all(a, [1].all(b, [1].all(c, {inner})))");
        assert_eq!(obstacle(&nested("true")), None);
        assert_eq!(obstacle(&["[1].all(a, true)"; 8].join(" && ")), None);
        for (text, part) in [
            ("quantity(object.spec.cpu).isLessThan(quantity('1'))", "the function "),
            ("object.metadata.name.lowerAscii() == 'web'", "the function lowerAscii"),
            ("isURL(object.metadata.name)", "the function isURL"),
            ("authorizer.group('').resource('pods').check('get').allowed()", "the function "),
            ("authorizer == null", "authorizer"),
            ("object == string", "string"),
            ("Object{a: 1} == object", "the type Object"),
            ("request.userInfo.username == 'x'", "request.userInfo"),
            ("has(request.userInfo)", "request.userInfo"),
            ("has(request.options.dryRun)", "request.options"),
            ("[1].all(request, .request.options == null)", "request.options"),
            ("request['userInfo'].username == 'x'", "request without the name of a field"),
            ("request[\"uid\"] == 'x'", "request without the name of a field"),
            ("[request].all(r, r.userInfo.username == 'x')", "request without the name of a field"),
            ("'userInfo' in request", "request without the name of a field"),
            (&nested("[1].all(d, true)"), "comprehensions that are nested more than 3 deep"),
            (&["[1].all(a, true)"; 9].join(" && "), "more than 8 comprehensions"),
        ] {
            let why = obstacle(text).unwrap_or_default();
            assert!(why.starts_with(&format!("the emulator cannot evaluate {part}")), "{text}: {why}");
        }
        for text in [
            "object.spec.",
            "request.?options == 1",
            "request.`userInfo` == 1",
            &"(".repeat(3999),
            &"[".repeat(4000),
            &"-(".repeat(1900),
            &format!("{}1{} == 1", "(".repeat(100), ")".repeat(100)),
            &"1+".repeat(5000),
        ] {
            assert!(obstacle(text).is_some_and(|why| why.contains("the emulator cannot read")), "{text}");
        }
        for text in ["object.metadata.name > 3", "object.spec.replicas", "object.metadata.name + 1 == 2"] {
            assert!(matches!(of(text), Err(Failure::Unsupported(_))), "{text}: {:?}", of(text));
        }
    }

    /// As `k8s.io/apiserver/pkg/admission/plugin/policy/validating/typechecking_test.go` has them.
    #[test]
    fn names_that_do_not_exist_are_errors_of_the_compiler() {
        for (text, errors) in [
            (
                "nothing == 1",
                "ERROR: <input>:1:1: undeclared reference to 'nothing' (in container '')\n | nothing == 1\n | ^",
            ),
            (
                "params.a == 1",
                "ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.a == 1\n | ^",
            ),
            ("request.uid == ''", "ERROR: <input>:1:8: undefined field 'uid'\n | request.uid == ''\n | .......^"),
            (
                "'é' == a ||\n\t[1].all(x, x == 1) && x",
                "ERROR: <input>:1:8: undeclared reference to 'a' (in container '')\n | 'é' == a ||\n | .．.....^\n\
              ERROR: <input>:2:24: undeclared reference to 'x' (in container '')\n |  [1].all(x, x == 1) && x\n | .......................^",
            ),
        ] {
            assert_eq!(obstacle(text), Some(format!("compilation failed: {errors}")), "{text}");
        }
    }

    #[test]
    fn an_evaluation_is_bounded_in_time_and_memory() {
        let many: Vec<usize> = (0..20_000).collect();
        let object = json!({"many": many, "long": "x".repeat(500_000)});
        let start = Instant::now();
        for text in [
            "object.many.all(a, object.many.all(b, object.many.all(c, a + b + c >= 0)))",
            "object.many.map(a, object).size() > 0 || true",
            "object.many.all(a, object.long.contains('y') == false && object.long.matches('^[xy]*$'))",
            "object.many.map(a, object).size() > 0",
            "object.many.map(a, object.many.map(b, object.long)).size() > 0",
            "object.many.map(a, {'a': object.long}).size() > 0",
            &format!("[object.long].all(s, {}s != '')", "s+".repeat(1900)),
            &format!("[object.many].all(s, ({}s).size() > 0)", "s+".repeat(1900)),
        ] {
            assert_eq!(obstacle(text), None, "{text}");
            let found = with(object.clone(), text);
            assert!(
                matches!(&found, Err(Failure::Unsupported(why)) if why.contains("too much work")),
                "{text}: {found:?}"
            );
        }
        let took = start.elapsed();
        assert!(took < Duration::from_secs(60), "{took:?}");
        // What takes less is evaluated.
        let few: Vec<usize> = (0..2_000).collect();
        let object = json!({"few": few, "long": "x".repeat(500_000)});
        for text in [
            "object.few.all(a, a >= 0) && object.few.exists(a, a == 1999 && object.long.endsWith('x'))",
            "object.few.filter(a, a > 10).map(a, a + 1).size() == 1989",
        ] {
            assert_eq!(with(object.clone(), text), Ok(true), "{text}");
        }
    }
}
