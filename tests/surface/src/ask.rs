//! What results are asked for besides their fields: the methods of core's that every language has.

use crate::source::{Form, Method, Source};

/// A method of a result that takes nothing.
pub struct Ask<'a> {
    pub name: &'a str,
    pub method: &'a Method,
    pub gives: Gives,
    /// Whether it may fail.
    pub can_fail: bool,
}

/// What such a method gives.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// Nothing: it only may fail.
    Nothing,
    /// Another value of the same type.
    Same,
    Text,
}

impl Source {
    /// The methods of a result. A plan has none: what is done with it is an operation.
    pub fn asked_of(&self, result: &str) -> Vec<Ask<'_>> {
        let prefix = format!("{result}::");
        let own = self.methods.range(prefix.clone()..);
        let own = own.take_while(|(name, _)| name.starts_with(&prefix) && !result.ends_with("Plan"));
        own.filter_map(|(name, method)| {
            let (can_fail, gives) = gives(method)?;
            Some(Ask { name: &name[prefix.len()..], method, gives, can_fail })
        })
        .collect()
    }
}

fn gives(method: &Method) -> Option<(bool, Gives)> {
    let result = method.result.as_ref().filter(|_| method.has_self && method.arguments.is_empty())?;
    let form: &Form = if result.name == "Result" { &result.inner[0] } else { result };
    let can_fail = result.name == "Result";
    match form.name.as_str() {
        "Self" => Some((can_fail, Gives::Same)),
        "String" => Some((can_fail, Gives::Text)),
        "?" if can_fail => Some((can_fail, Gives::Nothing)),
        _ => None,
    }
}
