//! Core's public surface, as every language has it.

use crate::{
    consts::Consts,
    met,
    operations::{self, Operation, is_given_by_fields},
    source::{Field, Form, Method, Source},
};
use std::path::Path;

/// Classes that each language has by hand, since they are more than their fields.
pub const BY_HAND: [&str; 3] = ["ImportHandle", "Kubeconfig", "RegistryToken"];

/// What has no separate type: it is given as several arguments.
const ARGUMENTS: [&str; 4] = ["SshKey", "ImportCredentials", "RegistryCredential", MAPPED];

/// An option that is a mapping in other languages.
pub const MAPPED: &str = "NewNodePool";

/// Text that core reads: what is invalid is refused when it is given.
const PARSED: [&str; 8] = [
    "ClusterRef",
    "ExplainTarget",
    "RegistryRef",
    "ImageReference",
    "PrincipalId",
    "ResourceId",
    "SubscriptionId",
    "WorkloadRef",
];

/// What the templates are filled with.
pub struct Surface<'a> {
    pub source: &'a Source,
    pub operations: Vec<Operation<'a>>,
    pub consts: Consts,
    /// The enums of one word each, by name.
    pub words: Vec<String>,
    /// The results: those with fields, and those of several forms.
    pub results: Vec<String>,
}

impl<'a> Surface<'a> {
    pub fn new(source: &'a Source, core: &Path) -> Self {
        let operations = operations::read(source, core);
        let met = met::met(source, &operations).into_iter();
        let (mut words, mut results): (Vec<_>, Vec<_>) = met.partition(|name| met::is_word(source, name));
        words.sort();
        results.retain(|name| !BY_HAND.contains(&&**name) && !ARGUMENTS.contains(&&**name));
        Self { source, operations, consts: Consts::read(core), words, results }
    }

    /// What an error is asked for: the methods of core's that every language has.
    pub fn facts(&self) -> Vec<(&str, &Method)> {
        let all = self.source.methods.iter().filter_map(|(name, method)| Some((name.strip_prefix("Error::")?, method)));
        let facts = all.filter(|(name, method)| method.arguments.is_empty() && !matches!(*name, "context" | "service"));
        let mut facts: Vec<_> = facts.collect();
        // What every error has comes first.
        facts.sort_by_key(|(name, _)| (*name != "kind", *name != "is_transient"));
        facts
    }

    pub fn is_word(&self, name: &str) -> bool {
        self.words.iter().any(|word| word == name)
    }

    pub fn is_result(&self, name: &str) -> bool {
        self.results.iter().any(|one| one == name)
    }

    pub fn has_forms(&self, name: &str) -> bool {
        self.source.enums.contains_key(name) && !self.is_word(name)
    }

    /// The doc comment of a type.
    pub fn docs_of(&self, name: &str) -> &str {
        let of_struct = self.source.structs.get(name).map(|of| &of.docs);
        of_struct.or_else(|| self.source.docs_of_enums.get(name)).map_or("", String::as_str)
    }

    /// The fields of an argument that are options in other languages.
    pub fn parts(&self, name: &str) -> impl Iterator<Item = &Field> {
        let fields = self.source.structs.get(name).map(|of| &of.fields[..]).unwrap_or_default();
        let name = name.to_owned();
        // Kind and name of a workload are read from text.
        fields
            .iter()
            .filter(move |field| is_given_by_fields(&name) || (name == "WorkloadRef" && field.name == "namespace"))
    }

    /// The deadline of a call that states none.
    pub fn deadline(&self, operation: &Operation<'_>) -> String {
        match self.consts.seconds(&operation.row.deadline) {
            seconds @ 7200.. => format!("{} hours", seconds / 3600),
            60 => "1 minute".to_owned(),
            seconds => format!("{} minutes", seconds / 60),
        }
    }
}

/// Whether core reads a type from text.
pub fn is_parsed(name: &str) -> bool {
    PARSED.contains(&name)
}

/// Whether an option is a list, or may be one.
pub fn is_list(ty: &Form) -> bool {
    ty.name == "Vec" || (ty.name == "Option" && ty.inner[0].name == "Vec")
}

/// A map of texts, as the glue has it.
pub fn map(ty: &Form) -> String {
    let value = if ty.inner[1].name == "Option" { "Option<String>" } else { "String" };
    format!("std::collections::BTreeMap<String, {value}>")
}

/// Whether an argument by place may be left out: its type has a default.
pub fn is_optional(name: &str) -> bool {
    name == "ExplainTarget"
}

/// Whether a type is a list of others' results, of which each may have failed.
pub fn is_list_of_outcomes(ty: &Form) -> bool {
    ty.name == "Vec" && ty.inner[0].name == "Result"
}
