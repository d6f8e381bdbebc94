//! The arguments of an operation as JSON, by the names that they have in Python.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::panic,
    reason = "for tests only"
)]

use aks_acr::Error;
use serde_json::{Map, Value};
use std::{str::FromStr, time::Duration};

/// The arguments that were not read yet.
#[derive(Clone, Debug)]
pub struct Arguments {
    values: Map<String, Value>,
    /// Whether each of them has to be read.
    is_exact: bool,
}

impl Arguments {
    /// Exactly those of one call: one that the operation does not know is an error.
    #[must_use]
    pub fn exact(values: Map<String, Value>) -> Self {
        Self { values, is_exact: true }
    }

    /// Those of a scene for many operations: each operation reads those that it knows.
    #[must_use]
    pub fn shared(values: &Value) -> Self {
        Self { values: values.as_object().cloned().unwrap_or_default(), is_exact: false }
    }

    /// Whether they are those of a scene.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        !self.is_exact
    }

    /// Sets an argument; `null` removes it.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Null => drop(self.values.remove(name)),
            value => drop(self.values.insert(name.to_owned(), value)),
        }
        self
    }

    /// An argument's JSON.
    pub fn value(&mut self, name: &str) -> Option<Value> {
        self.values.remove(name)
    }

    /// An argument that is a text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.value(name).map(|value| value.as_str().expect("a text").to_owned())
    }

    /// A required argument that is a text.
    pub fn required_text(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| panic!("{name} is missing"))
    }

    /// An argument that core parses. Core's error is the result of the call.
    pub fn parsed<T: FromStr<Err = Error>>(&mut self, name: &str) -> Result<Option<T>, Error> {
        self.text(name).map(|text| text.parse()).transpose()
    }

    /// A required argument that core parses.
    pub fn required<T: FromStr<Err = Error>>(&mut self, name: &str) -> Result<T, Error> {
        self.required_text(name).parse()
    }

    /// A list whose elements core parses; empty if it is left out.
    pub fn all_parsed<T: FromStr<Err = Error>>(&mut self, name: &str) -> Result<Vec<T>, Error> {
        self.texts(name).iter().map(|one| one.parse()).collect()
    }

    /// A required argument that was stored as JSON.
    pub fn stored<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> T {
        let value = self.value(name).unwrap_or_else(|| panic!("{name} is missing"));
        serde_json::from_value(value).unwrap_or_else(|err| panic!("{name}: {err}"))
    }

    /// An argument that is a number of seconds.
    pub fn seconds(&mut self, name: &str) -> Option<Duration> {
        self.value(name).map(|value| Duration::from_secs_f64(value.as_f64().expect("seconds")))
    }

    /// An argument that is a list of texts; empty if it is left out.
    pub fn texts(&mut self, name: &str) -> Vec<String> {
        let list = self.value(name).unwrap_or_default();
        let texts = list.as_array().into_iter().flatten();
        texts.map(|one| one.as_str().expect("a text").to_owned()).collect()
    }

    /// An argument that is a list of objects with arguments.
    pub fn objects(&mut self, name: &str) -> Vec<Self> {
        let list = self.value(name).unwrap_or_default();
        let objects = list.as_array().into_iter().flatten();
        objects.map(|one| Self::exact(one.as_object().expect("an object").clone())).collect()
    }

    /// An argument that is a count.
    pub fn number(&mut self, name: &str) -> Option<u32> {
        self.value(name).map(|value| value.as_u64().and_then(|number| number.try_into().ok()).expect("a count"))
    }

    /// An argument that is a boolean; false if it is left out.
    pub fn is_set(&mut self, name: &str) -> bool {
        self.flag(name).unwrap_or_default()
    }

    /// An argument that is a boolean.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name).map(|value| value.as_bool().expect("a boolean"))
    }

    /// Checks that no exact argument is left.
    pub fn done(&self) {
        let left: Vec<&String> = self.values.keys().filter(|_| self.is_exact).collect();
        assert!(left.is_empty(), "not arguments of this operation: {left:?}");
    }
}
