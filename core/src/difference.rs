//! How an existing resource differs from the requested one.

use crate::quoted::Quoted;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A property in which an existing resource differs from the requested one. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Difference {
    /// The property, such as `sku` or `location`.
    pub property: String,
    /// The requested value.
    pub asked: String,
    /// The existing value.
    pub found: String,
}

impl Difference {
    /// A difference in one property.
    #[must_use]
    pub fn new(property: impl Into<String>, asked: impl Into<String>, found: impl Into<String>) -> Self {
        Self { property: property.into(), asked: asked.into(), found: found.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: asked for {}, found {}", self.property, Quoted(&self.asked), Quoted(&self.found))
    }
}

/// Collects differences. Values are compared without regard to case, as in Azure.
#[derive(Default)]
pub(crate) struct Differences(Vec<Difference>);

impl Differences {
    /// Adds the property unless it is as requested.
    pub fn check(&mut self, property: &str, asked: &str, found: &str) {
        if !asked.eq_ignore_ascii_case(found) {
            self.0.push(Difference::new(property, asked, found));
        }
    }

    /// Adds the property, which was compared already.
    pub fn add(&mut self, property: &str, asked: &str, found: &str) {
        self.0.push(Difference::new(property, asked, found));
    }

    /// The same for a region, which has a name with spaces and one without.
    pub fn check_location(&mut self, asked: Option<&str>, found: &str) {
        let plain = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        if let Some(asked) = asked.filter(|asked| !plain(asked).eq_ignore_ascii_case(&plain(found))) {
            self.0.push(Difference::new("location", asked, found));
        }
    }

    pub fn into_vec(self) -> Vec<Difference> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_has_two_names() {
        let mut differences = Differences::default();
        differences.check_location(Some("West Europe"), "westeurope");
        differences.check_location(None, "northeurope");
        differences.check("sku", "Basic", "basic");
        assert_eq!(differences.into_vec(), []);
    }

    #[test]
    fn a_difference_reads_as_a_line() {
        let mut differences = Differences::default();
        differences.check("sku", "Basic", "Premium");
        assert_eq!(differences.into_vec()[0].to_string(), "sku: asked for Basic, found Premium");
    }
}
