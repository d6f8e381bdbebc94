//! Which clusters and registries are listed.

use crate::{
    error::{Error, ErrorKind, Result},
    id::{ResourceId, SubscriptionId, check_not_empty, group_name},
};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Selects clusters. A cluster matches if it matches every field that is set.
///
/// A field with several values matches any of them, except for [`tags`](Self::tags). Names, resource groups, locations and tag names
/// are compared case-insensitively, as Azure does; tag values are compared exactly. The default selects every cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterFilter {
    /// Tags; a cluster must have all of them. A tag without a value matches every value.
    pub tags: BTreeMap<String, Option<String>>,
    /// The subscriptions to read; by default all enabled ones that the caller can see.
    pub subscriptions: Vec<SubscriptionId>,
    /// Reads the subscriptions of a management group, by its ID.
    /// Not supported yet.
    pub management_group: Option<String>,
    /// The resource groups.
    pub resource_groups: Vec<String>,
    /// Patterns for the name: `*` stands for any characters and `?` for exactly one.
    pub names: Vec<String>,
    /// The regions, such as `westeurope` or `West Europe`.
    pub locations: Vec<String>,
    /// Resource ID of an Azure Kubernetes Fleet Manager, whose members are selected.
    /// Not supported yet.
    pub fleet: Option<ResourceId>,
}

/// Selects registries. A registry matches if it matches every field that is set.
///
/// A field with several values matches any of them, except for [`tags`](Self::tags). Names, resource groups, locations and tag names
/// are compared case-insensitively, as Azure does; tag values are compared exactly. The default selects every registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistryFilter {
    /// Tags; a registry must have all of them. A tag without a value matches every value.
    pub tags: BTreeMap<String, Option<String>>,
    /// The subscriptions to read; by default all enabled ones that the caller can see.
    pub subscriptions: Vec<SubscriptionId>,
    /// Reads the subscriptions of a management group, by its ID.
    /// Not supported yet.
    pub management_group: Option<String>,
    /// The resource groups.
    pub resource_groups: Vec<String>,
    /// Patterns for the name: `*` stands for any characters and `?` for exactly one.
    pub names: Vec<String>,
    /// The regions, such as `westeurope` or `West Europe`.
    pub locations: Vec<String>,
}

macro_rules! common {
    ($($filter:ident),*) => {$(
        impl $filter {
            /// Adds one of [`tags`](Self::tags), with its value.
            #[must_use]
            pub fn with_tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
                self.tags.insert(name.into(), Some(value.into()));
                self
            }

            /// Adds one of [`tags`](Self::tags), with any value.
            #[must_use]
            pub fn with_tag_name(mut self, name: impl Into<String>) -> Self {
                self.tags.insert(name.into(), None);
                self
            }

            /// Adds one of [`subscriptions`](Self::subscriptions).
            #[must_use]
            pub fn with_subscription(mut self, subscription: SubscriptionId) -> Self {
                self.subscriptions.push(subscription);
                self
            }

            /// Sets [`management_group`](Self::management_group).
            #[must_use]
            pub fn with_management_group(mut self, id: impl Into<String>) -> Self {
                self.management_group = Some(id.into());
                self
            }

            /// Adds one of [`resource_groups`](Self::resource_groups).
            #[must_use]
            pub fn with_resource_group(mut self, group: impl Into<String>) -> Self {
                self.resource_groups.push(group.into());
                self
            }

            /// Adds one of [`names`](Self::names).
            #[must_use]
            pub fn with_name(mut self, pattern: impl Into<String>) -> Self {
                self.names.push(pattern.into());
                self
            }

            /// Adds one of [`locations`](Self::locations).
            #[must_use]
            pub fn with_location(mut self, region: impl Into<String>) -> Self {
                self.locations.push(region.into());
                self
            }

            /// What is compared with each item.
            pub(crate) fn criteria(&self) -> Criteria<'_> {
                let Self { tags, resource_groups, names, locations, .. } = self;
                Criteria { tags, resource_groups, names, locations }
            }
        }
    )*};
}
common!(ClusterFilter, RegistryFilter);

impl ClusterFilter {
    /// Sets [`fleet`](Self::fleet).
    #[must_use]
    pub fn with_fleet(mut self, fleet: ResourceId) -> Self {
        self.fleet = Some(fleet);
        self
    }
}

/// The fields of a filter that are compared with an item.
#[derive(Clone, Copy)]
pub(crate) struct Criteria<'a> {
    tags: &'a BTreeMap<String, Option<String>>,
    resource_groups: &'a [String],
    names: &'a [String],
    locations: &'a [String],
}

impl Criteria<'_> {
    /// Rejects values that cannot match anything, before the first request.
    pub fn check(&self) -> Result<()> {
        for name in self.tags.keys() {
            check_not_empty("tag", Some(name))?;
        }
        for group in self.resource_groups {
            group_name(group)?;
        }
        for location in self.locations {
            check_not_empty("location", Some(location))?;
        }
        let is_of_pattern = |letter: char| letter.is_ascii_alphanumeric() || "-_*?".contains(letter);
        for name in self.names {
            if name.is_empty() || !name.chars().all(is_of_pattern) {
                let wanted = "expected letters, digits, '-', '_', '*' for any letters, '?' for one";
                return Err(Error::invalid(wanted, "name", name));
            }
        }
        Ok(())
    }

    pub fn matches(&self, item: &Listed) -> Result<bool> {
        let is_any = |wanted: &[String], one: &dyn Fn(&String) -> bool| wanted.is_empty() || wanted.iter().any(one);
        let has_tag = |name: &String, value: &Option<String>| {
            item.tags
                .iter()
                .any(|(mine, has)| mine.eq_ignore_ascii_case(name) && value.as_ref().is_none_or(|value| value == has))
        };
        let is_there = match &item.location {
            Some(location) => is_any(self.locations, &|one| region(one) == region(location)),
            None if self.locations.is_empty() => true,
            None => {
                let err = Error::new(ErrorKind::Unexpected, "Azure listed a resource without a location");
                return Err(err.with_context("resource", item.id.as_str()));
            }
        };
        Ok(is_there
            && is_any(self.resource_groups, &|one| one.eq_ignore_ascii_case(item.id.group()))
            && is_any(self.names, &|one| is_like(one, item.id.name()))
            && self.tags.iter().all(|(name, value)| has_tag(name, value)))
    }
}

/// What every listed resource has.
pub(crate) struct Listed {
    pub id: ResourceId,
    pub location: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Listed {
    pub fn of(item: &Value) -> Result<Self> {
        #[derive(Deserialize)]
        struct Wire {
            id: String,
            location: Option<String>,
            tags: Option<BTreeMap<String, String>>,
        }
        let wire = Wire::deserialize(item).map_err(|_| {
            let err =
                Error::new(ErrorKind::Unexpected, "could not parse the ID, the location or the tags of a resource");
            match item["id"].as_str() {
                Some(id) => err.with_context("resource", id),
                None => err,
            }
        })?;
        let id = wire.id.parse().map_err(|err: Error| err.of_kind(ErrorKind::Unexpected))?;
        // A resource without tags may have none, or null.
        Ok(Self { id, location: wire.location, tags: wire.tags.unwrap_or_default() })
    }
}

/// A region by its name: `West Europe` is shown for `westeurope`.
fn region(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Whether a pattern fits a whole name, ignoring case.
fn is_like(pattern: &str, name: &str) -> bool {
    let lower = |text: &str| text.to_ascii_lowercase().into_bytes();
    let (pattern, name) = (lower(pattern), lower(name));
    let (mut at, mut from, mut star) = (0, 0, None);
    while from < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(one) if *one == b'?' || *one == name[from] => {
                at += 1;
                from += 1;
            }
            // The last star takes one letter more.
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|one| *one == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "made for the call")]
    fn item(location: Value, tags: Value) -> Result<Listed> {
        let id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/Team/providers/a.b/c/Prod-Eu-1";
        Listed::of(&json!({"id": id, "location": location, "tags": tags}))
    }

    fn matches(filter: &ClusterFilter) -> bool {
        let tags = json!({"Env": "prod", "owner": ""});
        filter.criteria().matches(&item(json!("westeurope"), tags).unwrap()).unwrap()
    }

    #[test]
    fn fields_combine_with_and_and_values_with_or() {
        let filter = ClusterFilter::default;
        assert!(matches(&filter()));
        assert!(matches(&filter().with_resource_group("other").with_resource_group("TEAM")));
        assert!(!matches(&filter().with_resource_group("team").with_name("dev")));
        assert!(matches(&filter().with_resource_group("team").with_name("dev").with_name("prod-*")));
        assert!(matches(&filter().with_location("northeurope").with_location("West Europe")));
        assert!(!matches(&filter().with_location("northeurope")));
    }

    #[test]
    fn all_tags_must_match_and_a_name_alone_means_any_value() {
        let filter = ClusterFilter::default;
        assert!(matches(&filter().with_tag("env", "prod").with_tag_name("OWNER")));
        assert!(!matches(&filter().with_tag("env", "Prod")), "values are compared exactly");
        assert!(!matches(&filter().with_tag("env", "prod").with_tag_name("team")));
    }

    #[test]
    fn a_pattern_fits_the_whole_name() {
        for (pattern, name, fits) in [
            ("*", "dev", true),
            ("*", "", true),
            ("dev", "DEV", true),
            ("dev", "dev1", false),
            ("d?v", "dev", true),
            ("d?v", "dv", false),
            ("*-eu-*", "prod-eu-1", true),
            ("*eu", "prod-eu-1", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("**", "x", true),
        ] {
            assert_eq!(is_like(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn what_can_match_nothing_is_rejected_and_named() {
        let filter = ClusterFilter::default;
        for (filter, part) in [
            (filter().with_name(""), "name"),
            (filter().with_name("[a-z]*"), "name"),
            (filter().with_location(" "), "location"),
            (filter().with_resource_group("a/b"), "resource group"),
            (filter().with_tag_name(""), "tag"),
        ] {
            let err = filter.criteria().check().unwrap_err();
            assert_eq!(err.kind(), ErrorKind::InvalidInput);
            assert!(err.to_string().contains(part), "{err}");
        }
    }

    #[test]
    fn an_item_that_cannot_be_compared_is_an_error() {
        assert!(item(json!("x"), json!({"env": 5})).is_err());
        let nowhere = item(Value::Null, Value::Null).unwrap();
        assert!(ClusterFilter::default().criteria().matches(&nowhere).unwrap());
        let filter = ClusterFilter::default().with_location("westeurope");
        assert!(filter.criteria().matches(&nowhere).is_err());
    }
}
