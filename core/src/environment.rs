//! Environment variables as a value: tests have their own, and so do programs that serve several callers.

use std::{fmt, sync::Arc};

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The lookup of variables such as `HTTPS_PROXY`.
#[derive(Clone)]
pub(crate) struct Environment(Arc<Lookup>);

impl Environment {
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }

    /// The value of a variable, `None` if it is unset or empty.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of these that is set, with its name: some programs prefer the upper-case name, and no program combines both.
    #[cfg(any(feature = "identity", feature = "kubernetes", feature = "reqwest"))]
    pub fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|name| Some((*name, self.get(name)?)))
    }
}

/// The process's own environment.
impl Default for Environment {
    fn default() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }
}

/// Some values are secrets.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
