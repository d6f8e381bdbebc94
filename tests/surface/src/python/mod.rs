//! The Python surface: words, methods, exports, stubs, and the glue of each operation in Rust.

mod glue;
mod modules;
mod options;
mod prose;
mod stub;
mod values;

use crate::{
    consts::Consts,
    met,
    operations::{self, Operation},
    source::{Form, Method, Source},
};
use std::path::Path;

/// Classes that are written by hand in Rust, since they are more than their fields.
const BY_HAND: [&str; 3] = ["ClusterRef", "ImportHandle", "Kubeconfig"];

/// What has no class of its own: it is given as several arguments.
const ARGUMENTS: [&str; 2] = ["SshKey", "ImportCredentials"];

/// Text that core reads: what cannot be one is refused when it is given.
const PARSED: [&str; 6] =
    ["ClusterRef", "RegistryRef", "ImageReference", "PrincipalId", "SubscriptionId", "WorkloadRef"];

/// What the templates are filled with.
pub struct Python<'a> {
    source: &'a Source,
    operations: Vec<Operation<'a>>,
    consts: Consts,
    /// The enums of one word each, by name.
    words: Vec<String>,
    /// The results: those with fields, and those of several forms.
    results: Vec<String>,
}

impl<'a> Python<'a> {
    pub fn new(source: &'a Source, core: &Path) -> Self {
        let operations = operations::read(source, core);
        let met = met::met(source, &operations).into_iter();
        let (mut words, mut results): (Vec<_>, Vec<_>) = met.partition(|name| met::is_word(source, name));
        words.sort();
        results.retain(|name| !BY_HAND.contains(&&**name) && !ARGUMENTS.contains(&&**name));
        Self { source, operations, consts: Consts::read(core), words, results }
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

    /// What an error is asked for: the methods of core's that every language has.
    fn facts(&self) -> Vec<(&str, &Method)> {
        let all = self.source.methods.iter().filter_map(|(name, method)| Some((name.strip_prefix("Error::")?, method)));
        let facts = all.filter(|(name, method)| method.arguments.is_empty() && !matches!(*name, "context" | "service"));
        facts.collect()
    }

    fn is_word(&self, name: &str) -> bool {
        self.words.iter().any(|word| word == name)
    }

    fn has_forms(&self, name: &str) -> bool {
        self.source.enums.contains_key(name) && !self.is_word(name)
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
            "Value" => "Any".to_owned(),
            name if self.source.enums.contains_key(name)
                || self.results.iter().any(|one| one == name)
                || matches!(name, "ImportHandle" | "Kubeconfig" | "ClusterRef") =>
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
