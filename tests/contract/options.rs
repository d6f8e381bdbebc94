//! The arguments of a step: each is taken once, and none may be left over.

use serde_json::{Map, Value};
use std::{fmt::Display, path::Path, str::FromStr, time::Duration};

/// What is left of a step's arguments.
pub struct Args(Map<String, Value>);

impl Args {
    /// Puts what was kept where an argument says `$name`, and the story's own folder where one says `<folder>`.
    pub fn new(args: &Map<String, Value>, kept: &Map<String, Value>, folder: &Path) -> Result<Self, String> {
        let filled = args.iter().map(|(name, value)| {
            if let Some(file) = value.as_str().and_then(|text| text.strip_prefix("<folder>/")) {
                return Ok((name.clone(), folder.join(file).display().to_string().into()));
            }
            let meant = match value.as_str().and_then(|text| text.strip_prefix('$')) {
                None => value.clone(),
                Some(name) => kept.get(name).cloned().ok_or_else(|| format!("nothing was kept as {name}"))?,
            };
            Ok((name.clone(), meant))
        });
        Ok(Self(filled.collect::<Result<_, String>>()?))
    }

    /// An argument's JSON.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// An argument that is a text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.as_str().expect("a text").to_owned())
    }

    /// An argument that must be there.
    pub fn wanted(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| panic!("{name} is missing"))
    }

    /// An argument that core reads from a text. A refusal of core's is the step's result.
    pub fn parsed<T: FromStr<Err = aks_acr::Error>>(&mut self, name: &str) -> Result<Option<T>, aks_acr::Error> {
        self.text(name).map(|text| text.parse()).transpose()
    }

    /// The same, of one that must be there.
    pub fn needed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<T, T::Err> {
        self.wanted(name).parse()
    }

    /// An argument that is a number of seconds.
    pub fn seconds(&mut self, name: &str) -> Option<Duration> {
        self.value(name).map(|value| Duration::from_secs_f64(value.as_f64().expect("seconds")))
    }

    /// An argument that is a list of texts; an empty one where it is left out.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let list = self.value(name).unwrap_or_default();
        let texts = list.as_array().into_iter().flatten();
        texts.map(|one| one.as_str().expect("a text").to_owned()).collect()
    }

    /// An argument that is a list of objects, each with arguments of its own.
    pub fn objects(&mut self, name: &str) -> Vec<Self> {
        let list = self.value(name).unwrap_or_default();
        let objects = list.as_array().into_iter().flatten();
        objects.map(|one| Self(one.as_object().expect("an object").clone())).collect()
    }

    /// An argument that is a count.
    pub fn number(&mut self, name: &str) -> Option<u32> {
        self.value(name).map(|value| value.as_u64().and_then(|number| number.try_into().ok()).expect("a count"))
    }

    /// An argument that says yes or no; left out, no.
    pub fn is_set(&mut self, name: &str) -> bool {
        self.flag(name).unwrap_or_default()
    }

    /// An argument that says yes or no.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name).map(|value| value.as_bool().expect("yes or no"))
    }

    /// Ends it.
    pub fn done(&self) -> Result<(), String> {
        let left: Vec<&String> = self.0.keys().collect();
        if left.is_empty() { Ok(()) } else { Err(format!("not arguments of this operation: {left:?}")) }
    }
}
