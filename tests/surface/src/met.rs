//! The types that a caller meets: results, options, errors, events, and what is in them.

use crate::{
    operations::Operation,
    source::{Field, Form, Source},
};

/// What callers meet besides the results and options of operations: by errors, events, hooks, and the functions beside the client.
const BESIDES: [&str; 11] = [
    "Event",
    "ErrorKind",
    "RefusalKind",
    "DenyingPolicy",
    "EligibleRole",
    "PullFailure",
    "PullRetry",
    "ImportSide",
    "Operation",
    "RequiredRight",
    "Write",
];

/// Their names, each before those that it has within.
pub fn met(source: &Source, operations: &[Operation<'_>]) -> Vec<String> {
    let mut met = Vec::new();
    for operation in operations {
        for (_, ty) in &operation.arguments {
            // A plan is a result too; what else an argument is made of is the caller's.
            if ty.core().name.ends_with("Plan") {
                add(source, ty, &mut met);
            }
        }
        operation.choices.iter().for_each(|choice| add(source, &choice.field.ty, &mut met));
        add(source, &operation.result, &mut met);
    }
    let besides = BESIDES.map(|name| Form { name: name.to_owned(), inner: Vec::new() });
    for ty in &besides {
        add(source, ty, &mut met);
    }
    met
}

fn add(source: &Source, ty: &Form, met: &mut Vec<String>) {
    let core = ty.core();
    if core != ty {
        return add(source, core, met);
    }
    if core.name.ends_with("Options") || met.contains(&core.name) {
        return;
    }
    let fields: Vec<&Field> = match (source.structs.get(&core.name), source.enums.get(&core.name)) {
        (Some(of), _) if !of.fields.is_empty() => of.fields.iter().collect(),
        (_, Some(variants)) => variants.iter().flat_map(|variant| &variant.fields).collect(),
        // Text with a meaning, such as a resource id.
        _ => return,
    };
    met.push(core.name.clone());
    for field in fields {
        add(source, &field.ty, met);
    }
}

/// Whether a type is an enum whose variants are one word each.
pub fn is_word(source: &Source, name: &str) -> bool {
    source.enums.get(name).is_some_and(|variants| variants.iter().all(|variant| variant.fields.is_empty()))
        && !source.tagged.contains(name)
}
