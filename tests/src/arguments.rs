//! The arguments of an operation as JSON, by the names that they have in Python.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::missing_errors_doc,
    clippy::panic,
    reason = "for tests only"
)]

use aks_acr::{
    ImportCredentials, ImportHandle, ImportItem, Manifest, NewNodePool, RegistryCredential, Result, SshKey,
    azure_core::credentials::Secret,
};
use serde_json::{Map, Value};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

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

    /// A required argument. Core's error is the result of the call.
    pub fn needed<T: Given>(&mut self, name: &str) -> Result<T> {
        T::given(self.value(name).unwrap_or_else(|| panic!("{name} is missing")))
    }

    /// Sets an option, if it is given.
    pub fn set<T: Given>(&mut self, name: &str, option: &mut T) -> Result<()> {
        if let Some(value) = self.value(name) {
            *option = T::given(value)?;
        }
        Ok(())
    }

    /// The two parts of credentials, of which the user may be missing.
    pub fn credentials(&mut self, option: &mut Option<ImportCredentials>) -> Result<()> {
        let (mut username, mut password) = (None::<String>, None::<String>);
        self.set("username", &mut username)?;
        self.set("password", &mut password)?;
        *option = password.map(Secret::from).map(|password| match username {
            Some(username) => ImportCredentials::user(username, password),
            None => ImportCredentials::token(password),
        });
        Ok(())
    }

    /// The handle of an import, alone or in the result of `start_import`.
    pub fn handle(&mut self, name: &str) -> ImportHandle {
        let given: Value = self.stored(name);
        let handle = given.get("handle").cloned().unwrap_or(given);
        serde_json::from_value(handle).unwrap_or_else(|err| panic!("{name}: {err}"))
    }

    /// A required argument that was stored as JSON.
    pub fn stored<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> T {
        let value = self.value(name).unwrap_or_else(|| panic!("{name} is missing"));
        serde_json::from_value(value).unwrap_or_else(|err| panic!("{name}: {err}"))
    }

    /// Checks that no exact argument is left.
    pub fn done(&self) {
        let left: Vec<&String> = self.values.keys().filter(|_| self.is_exact).collect();
        assert!(left.is_empty(), "not arguments of this operation: {left:?}");
    }
}

/// A value that JSON gives. A form that no caller would send ends the test.
pub trait Given: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// Those of core's parsers.
    fn given(value: Value) -> Result<Self>;
}

impl Given for String {
    fn given(value: Value) -> Result<Self> {
        Ok(value.as_str().expect("a text").to_owned())
    }
}

impl Given for bool {
    fn given(value: Value) -> Result<Self> {
        Ok(value.as_bool().expect("yes or no"))
    }
}

impl Given for u32 {
    fn given(value: Value) -> Result<Self> {
        Ok(value.as_u64().and_then(|number| number.try_into().ok()).expect("a count"))
    }
}

impl Given for usize {
    fn given(value: Value) -> Result<Self> {
        u32::given(value).map(|count| count as Self)
    }
}

impl Given for Duration {
    fn given(value: Value) -> Result<Self> {
        Ok(Self::from_secs_f64(value.as_f64().expect("seconds")))
    }
}

impl Given for PathBuf {
    fn given(value: Value) -> Result<Self> {
        String::given(value).map(Into::into)
    }
}

impl Given for SshKey {
    fn given(value: Value) -> Result<Self> {
        String::given(value).map(Self::Public)
    }
}

impl<T: Given> Given for Option<T> {
    fn given(value: Value) -> Result<Self> {
        if value.is_null() { Ok(None) } else { T::given(value).map(Some) }
    }
}

impl<T: Given> Given for Vec<T> {
    fn given(value: Value) -> Result<Self> {
        let Value::Array(list) = value else { panic!("a list: {value}") };
        list.into_iter().map(T::given).collect()
    }
}

impl<T: Given> Given for BTreeMap<String, T> {
    fn given(value: Value) -> Result<Self> {
        let Value::Object(map) = value else { panic!("an object: {value}") };
        map.into_iter().map(|(name, value)| Ok((name, T::given(value)?))).collect()
    }
}

impl Given for RegistryCredential {
    fn given(value: Value) -> Result<Self> {
        let text = |name: &str| value[name].as_str().expect("a text").to_owned();
        Ok(Self::new(text("registry"), text("username"), Secret::from(text("password"))))
    }
}

impl Given for NewNodePool {
    fn given(value: Value) -> Result<Self> {
        value.to_string().parse()
    }
}

impl Given for ImportItem {
    fn given(value: Value) -> Result<Self> {
        let Value::Object(map) = value else { panic!("an object: {value}") };
        let mut args = Arguments::exact(map);
        let source = args.needed("source")?;
        let options = crate::calls::import_options(&mut args)?;
        args.done();
        Ok(Self::new(source, options))
    }
}

/// Manifests are text that core reads as a whole.
pub(crate) struct Manifests(pub(crate) Vec<Manifest>);

impl Given for Manifests {
    fn given(value: Value) -> Result<Self> {
        Manifest::parse_all(&String::given(value)?).map(Self)
    }
}

/// What core reads from a text.
macro_rules! parsed {
    ($($name:ident),* $(,)?) => {
        $(impl $crate::arguments::Given for aks_acr::$name {
            fn given(value: serde_json::Value) -> aks_acr::Result<Self> {
                String::given(value)?.parse()
            }
        })*
    };
}
pub(crate) use parsed;
