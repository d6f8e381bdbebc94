//! What keeps the API server from compiling an expression, and the emulator from evaluating it.

use cel::Program;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, SelectExpr};
use cel::parser::Expression;

/// Functions that the evaluator has and that do the same in the API server. Operators and macros have names without a first letter.
const FUNCTIONS: [&str; 8] = ["contains", "double", "endsWith", "int", "matches", "size", "startsWith", "string"];
/// The names that the emulator gives a value.
const VARIABLES: [&str; 4] = ["namespaceObject", "object", "oldObject", "request"];
/// Names that mean something in the API server only.
const UNKNOWN: [&str; 17] = [
    "authorizer",
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "google",
    "int",
    "kubernetes",
    "list",
    "map",
    "net",
    "null_type",
    "string",
    "timestamp",
    "type",
    "uint",
];
/// The fields of `request`: `BuildRequestType` in `k8s.io/apiserver/pkg/admission/plugin/cel/compile.go` (v0.33.3).
const FIELDS: [&str; 10] = [
    "dryRun",
    "kind",
    "name",
    "namespace",
    "operation",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "resource",
    "subResource",
];
/// Those that the emulator does not know.
const UNKNOWN_FIELDS: [&str; 2] = ["options", "userInfo"];

const MOST_COMPREHENSIONS: usize = 8;
const MOST_NESTED: usize = 3;

/// Why an expression cannot be used; `None` if it can.
pub(super) fn obstacle(text: &str, program: &Program) -> Option<String> {
    let mut review = Review { program, scopes: Vec::new(), comprehensions: 0, obstacle: None, errors: Vec::new() };
    review.visit(program.expression());
    if review.comprehensions > MOST_COMPREHENSIONS {
        review
            .cannot(&format!("more than {MOST_COMPREHENSIONS} comprehensions (all, exists, exists_one, filter, map)"));
    }
    review.errors.sort();
    let errors: Vec<_> = review.errors.iter().map(|(at, message)| shown(text, *at, message)).collect();
    let errors = (!errors.is_empty()).then(|| format!("compilation failed: {}", errors.join("\n")));
    review.obstacle.or(errors)
}

struct Review<'a> {
    program: &'a Program,
    /// The variables of each comprehension around.
    scopes: Vec<Vec<&'a str>>,
    comprehensions: usize,
    obstacle: Option<String>,
    /// Errors of the API server, with where they begin.
    errors: Vec<(usize, String)>,
}

impl<'a> Review<'a> {
    fn cannot(&mut self, what: &str) {
        self.obstacle.get_or_insert_with(|| format!("the emulator cannot evaluate {what}"));
    }

    fn error(&mut self, expression: &Expression, message: String) {
        let at = self.program.source_info().offset_for(expression.id).map_or(0, |(start, _)| start as usize);
        self.errors.push((at, message));
    }

    fn visit(&mut self, expression: &'a Expression) {
        match &expression.expr {
            Expr::Call(call) => self.visit_call(call),
            Expr::Comprehension(one) => self.visit_comprehension(one),
            Expr::Ident(name) => self.visit_name(expression, name),
            Expr::List(list) => list.elements.iter().for_each(|element| self.visit(element)),
            Expr::Map(map) => map.entries.iter().for_each(|entry| self.visit_entry(&entry.expr)),
            Expr::Select(select) => self.visit_select(expression, select),
            Expr::Struct(fields) => self.cannot(&format!("the type {}", fields.type_name)),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn visit_call(&mut self, call: &'a CallExpr) {
        let is_operator = !call.func_name.starts_with(|letter: char| letter.is_ascii_alphabetic());
        if !is_operator && !FUNCTIONS.contains(&call.func_name.as_str()) {
            self.cannot(&format!("the function {}", call.func_name));
        }
        call.target.iter().for_each(|target| self.visit(target));
        call.args.iter().for_each(|argument| self.visit(argument));
    }

    fn visit_comprehension(&mut self, comprehension: &'a ComprehensionExpr) {
        self.comprehensions += 1;
        self.visit(&comprehension.iter_range);
        self.visit(&comprehension.accu_init);
        let names = [Some(&comprehension.iter_var), comprehension.iter_var2.as_ref(), Some(&comprehension.accu_var)];
        self.scopes.push(names.into_iter().flatten().map(String::as_str).collect());
        if self.scopes.len() > MOST_NESTED {
            self.cannot(&format!("comprehensions that are nested more than {MOST_NESTED} deep"));
        }
        for part in [&comprehension.loop_cond, &comprehension.loop_step, &comprehension.result] {
            self.visit(part);
        }
        self.scopes.pop();
    }

    fn visit_entry(&mut self, entry: &'a EntryExpr) {
        match entry {
            EntryExpr::StructField(field) => self.visit(&field.value),
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key);
                self.visit(&entry.value);
            }
        }
    }

    /// The name of a variable of the policy, or `None` for a comprehension's. A dot before it passes over those.
    fn global<'name>(&self, name: &'name str) -> Option<&'name str> {
        let bare = name.trim_start_matches('.');
        let is_of_comprehension = self.scopes.iter().flatten().any(|one| *one == name);
        (bare.len() < name.len() || !is_of_comprehension).then_some(bare)
    }

    fn visit_name(&mut self, expression: &Expression, name: &str) {
        match self.global(name) {
            None => {}
            Some("request") => self.cannot("request without the name of a field"),
            Some(name) if VARIABLES.contains(&name) => {}
            Some(name) if UNKNOWN.contains(&name) => self.cannot(name),
            Some(name) => self.error(expression, format!("undeclared reference to '{name}' (in container '')")),
        }
    }

    fn visit_select(&mut self, expression: &'a Expression, select: &'a SelectExpr) {
        let is_request = matches!(&select.operand.expr, Expr::Ident(name) if self.global(name) == Some("request"));
        match select.field.as_str() {
            _ if !is_request => self.visit(&select.operand),
            field if FIELDS.contains(&field) => {}
            field if UNKNOWN_FIELDS.contains(&field) => self.cannot(&format!("request.{field}")),
            field => self.error(expression, format!("undefined field '{field}'")),
        }
    }
}

/// An error as `github.com/google/cel-go/common/error.go` shows it.
fn shown(text: &str, at: usize, message: &str) -> String {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next().unwrap_or_default().replace('\t', " ");
    let column = before[start..].chars().count();
    let mark = |letter: char, narrow: char, wide: char| if letter.len_utf8() > 1 { wide } else { narrow };
    let dots: String = line.chars().take(column).map(|letter| mark(letter, '.', '．')).collect();
    let end = mark(line.chars().nth(column).unwrap_or(' '), '^', '＾');
    let number = before.matches('\n').count() + 1;
    format!("ERROR: <input>:{number}:{}: {message}\n | {line}\n | {dots}{end}", column + 1)
}
