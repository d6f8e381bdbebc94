//! Bounds the time and the memory that the expressions of one write take. The evaluator has no bounds of its own; the API server has
//! `RuntimeCELCostBudget` (`k8s.io/apiserver/pkg/apis/cel/config.go`).
//!
//! Each operation of an expression, each list that is gone through and each entry of a new list or map is passed through a function
//! that counts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cel::common::ast::{CallExpr, EntryExpr, Expr, operators};
use cel::common::types::{CelList, CelMap, CelString};
use cel::common::value::{CowVal, Val};
use cel::parser::Expression;
use cel::{Context, ExecutionError, FunctionContext};

/// No expression can name it.
const COUNT: &str = "@count";
/// What all operations may cost: about bytes of memory.
const MOST: usize = 50_000_000;
/// What an operation and each value within costs.
const VALUE: usize = 64;
/// Operations can cost little and take long, such as a search in a long text.
const TIME: Duration = Duration::from_secs(5);

/// What is left for the expressions of a write.
pub(super) struct Budget {
    left: AtomicUsize,
    ends: Instant,
    is_spent: AtomicBool,
}

type Counter = Box<
    dyn for<'context, 'call> Fn(
            &mut FunctionContext<'context, 'call>,
        ) -> Result<CowVal<'context, 'call>, ExecutionError>
        + Send
        + Sync,
>;

impl Budget {
    /// Counts what is evaluated in a context.
    pub(super) fn of(context: &mut Context<'_, '_>) -> Arc<Self> {
        let budget = Arc::new(Self {
            left: AtomicUsize::new(MOST),
            ends: Instant::now() + TIME,
            is_spent: AtomicBool::new(false),
        });
        let counting = Arc::clone(&budget);
        let counter: Counter = Box::new(move |call| {
            let value = call.args.pop().ok_or_else(ExecutionError::missing_argument_or_target)?;
            if counting.pays(cost(value.as_ref())) { Ok(value) } else { Err(call.error("too much work")) }
        });
        // The name is nobody else's.
        let _ = context.add_function(COUNT, counter);
        budget
    }

    /// Whether an evaluation was ended. Its result says nothing: `true || error` is true.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    fn pays(&self, cost: usize) -> bool {
        let left = self.left.load(Ordering::Relaxed);
        if self.is_spent() || cost > left || Instant::now() > self.ends {
            self.is_spent.store(true, Ordering::Relaxed);
            return false;
        }
        self.left.store(left - cost, Ordering::Relaxed);
        true
    }
}

fn cost(value: &dyn Val) -> usize {
    let within: usize = if let Some(text) = value.downcast_ref::<CelString>() {
        text.inner().len()
    } else if let Some(list) = value.downcast_ref::<CelList>() {
        list.inner().iter().map(|one| cost(one.as_ref())).sum()
    } else if let Some(map) = value.downcast_ref::<CelMap>() {
        map.inner().values().map(|one| VALUE + cost(one.as_ref())).sum()
    } else {
        0
    };
    VALUE + within
}

/// An expression that counts what it does.
pub(super) fn counted(expression: &Expression) -> Expression {
    let mut expression = expression.clone();
    visit(&mut expression);
    expression
}

fn visit(expression: &mut Expression) {
    visit_parts(expression);
    if matches!(expression.expr, Expr::Call(_)) {
        count(expression);
    }
}

/// Counts the value of an expression, which may be no operation.
fn visit_value(expression: &mut Expression) {
    visit_parts(expression);
    count(expression);
}

fn count(expression: &mut Expression) {
    let counted = std::mem::take(expression);
    expression.id = counted.id;
    expression.expr = Expr::Call(CallExpr { func_name: COUNT.to_owned(), target: None, args: vec![counted] });
}

fn visit_parts(expression: &mut Expression) {
    match &mut expression.expr {
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| visit(target));
            call.args.iter_mut().for_each(visit);
        }
        Expr::Comprehension(one) => {
            visit_value(&mut one.iter_range);
            visit(&mut one.accu_init);
            visit(&mut one.loop_cond);
            visit_step(&mut one.loop_step);
            visit(&mut one.result);
        }
        Expr::List(list) => list.elements.iter_mut().for_each(visit_value),
        Expr::Map(map) => map.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr)),
        Expr::Struct(fields) => fields.entries.iter_mut().for_each(|entry| visit_entry(&mut entry.expr)),
        Expr::Select(select) => visit(&mut select.operand),
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

fn visit_entry(entry: &mut EntryExpr) {
    match entry {
        EntryExpr::StructField(field) => visit_value(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            visit_value(&mut entry.key);
            visit_value(&mut entry.value);
        }
    }
}

/// The evaluator knows the steps of macros by their form: `@result && …`, `@result + […]`, `… ? @result + […] : @result`.
fn visit_step(step: &mut Expression) {
    let Expr::Call(call) = &mut step.expr else { return visit(step) };
    for part in &mut call.args {
        if is_append(part) { visit_parts(part) } else { visit(part) }
    }
}

fn is_append(expression: &Expression) -> bool {
    let Expr::Call(call) = &expression.expr else { return false };
    let is_to_result = |first: &Expression| matches!(&first.expr, Expr::Ident(name) if name.starts_with('@'));
    call.func_name == operators::ADD && call.args.first().is_some_and(is_to_result)
}
