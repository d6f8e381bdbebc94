//! The Python surface: words, methods, exports, stubs, and the glue of each operation in Rust.

mod glue;
mod modules;
mod options;
mod prose;
mod stub;
mod values;

use crate::{
    source::Form,
    surface::{MAPPED, Surface},
};
use std::ops::Deref;

/// The templates' language. What they are filled with is behind it.
pub struct Python<'a>(&'a Surface<'a>);

impl<'a> Deref for Python<'a> {
    type Target = Surface<'a>;

    fn deref(&self) -> &Surface<'a> {
        self.0
    }
}

impl<'a> Python<'a> {
    pub fn new(surface: &'a Surface<'a>) -> Self {
        Self(surface)
    }

    /// Every file below the project's root, with its text.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        vec![
            ("bindings-python/python/aks_acr/_words.py", self.words_module()),
            ("bindings-python/python/aks_acr/_operations.py", self.operations_module()),
            ("bindings-python/python/aks_acr/__init__.py", self.exports()),
            ("bindings-python/python/aks_acr/_native.pyi", self.stub()),
            ("bindings-python/src/values.rs", self.values()),
            ("bindings-python/src/calls/operations.rs", self.glue()),
        ]
    }

    /// A value as Python gets it.
    fn returned(&self, ty: &Form) -> String {
        self.python(ty, &|name| if self.has_forms(name) { format!("_{name}") } else { name.to_owned() }, &|one| {
            format!("tuple[{one}, ...]")
        })
    }

    /// A value as Python gives it: a word as text too, and several by anything that can be iterated.
    fn given(&self, ty: &Form, many: &str) -> String {
        let named = |name: &str| {
            if self.has_forms(name) || self.is_word(name) { format!("_{name}") } else { name.to_owned() }
        };
        self.python(ty, &named, &|one| format!("{many}[{one}]"))
    }

    fn python(&self, ty: &Form, named: &dyn Fn(&str) -> String, several: &dyn Fn(&str) -> String) -> String {
        let inner = |at: usize| self.python(&ty.inner[at], named, several);
        match ty.name.as_str() {
            "Option" => match inner(0).as_str() {
                "Any" => "Any".to_owned(),
                one => format!("{one} | None"),
            },
            "Vec" => several(&inner(0)),
            "BTreeMap" => format!("dict[{}, {}]", inner(0), inner(1)),
            "bool" => "bool".to_owned(),
            "u16" | "u32" | "u64" | "usize" => "int".to_owned(),
            "Duration" => "timedelta".to_owned(),
            "SystemTime" => "datetime".to_owned(),
            MAPPED => MAPPED.to_owned(),
            "Value" => "Any".to_owned(),
            name if self.source.enums.contains_key(name)
                || self.is_result(name)
                || matches!(name, "ImportHandle" | "Kubeconfig" | "RegistryToken") =>
            {
                named(name)
            }
            _ => "str".to_owned(),
        }
    }
}

/// The name of a field: one of Python's own words has a line behind it.
fn python_name(name: &str) -> String {
    if matches!(name, "from" | "import" | "in" | "is" | "class" | "global" | "lambda" | "with") {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}
