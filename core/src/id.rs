//! Azure's identifiers, checked once when they are created.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};
use uuid::Uuid;

/// The object ID of an identity in Entra ID. Not its client ID.
///
/// If a request gives the principal's type, as this library does, Azure accepts a role assignment to a client ID, but it has no
/// effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PrincipalId(Uuid);

impl FromStr for PrincipalId {
    type Err = Error;

    /// Parses `00000000-0000-0000-0000-000000000000`, in upper or lower case.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for any other format.
    fn from_str(text: &str) -> Result<Self> {
        Ok(Self(guid(text, "principal id")?))
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The ID of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SubscriptionId(Uuid);

impl SubscriptionId {
    /// The subscription's path in Azure Resource Manager, `/subscriptions/{id}`.
    pub(crate) fn path(self) -> String {
        format!("/subscriptions/{}", self.0)
    }
}

impl FromStr for SubscriptionId {
    type Err = Error;

    /// Parses `00000000-0000-0000-0000-000000000000`, in upper or lower case.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) for any other format.
    fn from_str(text: &str) -> Result<Self> {
        Ok(Self(guid(text, "subscription")?))
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! as_text {
    ($($id:ident),*) => {$(
        impl TryFrom<String> for $id {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.to_string()
            }
        }
    )*};
}
as_text!(PrincipalId, SubscriptionId);

/// Only the usual format with dashes: the others that a UUID parser accepts are typing errors here.
fn guid(text: &str, part: &'static str) -> Result<Uuid> {
    let parsed = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    parsed.ok_or_else(|| Error::invalid("expected an ID of the form 00000000-0000-0000-0000-000000000000", part, text))
}

/// The ID of a resource in a resource group. Compared case-insensitively, as in Azure.
///
/// ```
/// use aks_acr::ResourceId;
///
/// let id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/Group\
///           /providers/Microsoft.ContainerRegistry/registries/myregistry";
/// let id: ResourceId = id.parse()?;
/// assert_eq!((id.group(), id.name()), ("Group", "myregistry"));
/// # Ok::<(), aks_acr::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceId {
    text: String,
    subscription: SubscriptionId,
    group: String,
    resource_type: String,
    name: String,
}

impl ResourceId {
    pub(crate) fn new(subscription: SubscriptionId, group: &str, resource_type: &str, name: &str) -> Self {
        let text = format!("{}/resourceGroups/{group}/providers/{resource_type}/{name}", subscription.path());
        Self {
            text,
            subscription,
            group: group.to_owned(),
            resource_type: resource_type.to_owned(),
            name: name.to_owned(),
        }
    }

    /// The ID as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The subscription that the resource is in.
    #[must_use]
    pub fn subscription(&self) -> SubscriptionId {
        self.subscription
    }

    /// The resource group's name.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The ID of its resource group.
    pub(crate) fn group_id(&self) -> String {
        format!("{}/resourceGroups/{}", self.subscription.path(), self.group)
    }

    /// The resource's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the resource is of this type, such as `Microsoft.ContainerRegistry/registries`.
    #[must_use]
    pub fn is_of_type(&self, resource_type: &str) -> bool {
        self.resource_type.eq_ignore_ascii_case(resource_type)
    }

    /// Whether this is the same resource as the one that `other` names.
    #[must_use]
    pub fn is(&self, other: &str) -> bool {
        self.text.eq_ignore_ascii_case(other.trim_end_matches('/'))
    }

    /// Checks that the resource is of a type; the error names the expected one.
    pub(crate) fn of_type(self, resource_type: &str, what: &'static str) -> Result<Self> {
        if self.is_of_type(resource_type) {
            return Ok(self);
        }
        let wanted = format!("expected the id of a {what}, of type {resource_type}");
        Err(Error::invalid(wanted, "resource id", self.text))
    }
}

impl FromStr for ResourceId {
    type Err = Error;

    /// Parses `/subscriptions/{id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}`, with the fixed words in upper or lower
    /// case. The ID of a nested resource is rejected.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with what is wrong.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| Error::invalid(format!("invalid resource ID: {why}"), "resource id", text);
        let form = "expected /subscriptions/{id}/resourceGroups/{group}/providers/{namespace}/{type}/{name}";
        let mut segments: Vec<&str> = text.strip_prefix('/').ok_or_else(|| wrong(form))?.split('/').collect();
        // One slash after a whole id is what a copied address has.
        if segments.len() == 9 {
            segments.pop_if(|last| last.is_empty());
        }
        if let Some(odd) = segments.iter().find(|segment| !is_plain_segment(segment)) {
            return Err(wrong(&format!("invalid segment '{}'", odd.escape_debug())));
        }
        let [subscriptions, subscription, groups, group, providers, namespace, kind, name] = segments[..] else {
            return Err(wrong(form));
        };
        let words = [(subscriptions, "subscriptions"), (groups, "resourceGroups"), (providers, "providers")];
        if !words.iter().all(|(given, wanted)| given.eq_ignore_ascii_case(wanted)) {
            return Err(wrong(form));
        }
        Ok(Self {
            text: format!("/{}", segments.join("/")),
            subscription: subscription.parse()?,
            group: group_name(group)?,
            resource_type: format!("{namespace}/{kind}"),
            name: name.to_owned(),
        })
    }
}

/// What is safe between two slashes, in URLs and in logs.
fn is_plain_segment(segment: &str) -> bool {
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_.()".contains(letter);
    !segment.is_empty() && !segment.chars().all(|letter| letter == '.') && segment.chars().all(is_plain)
}

/// Checks the name of a resource group: 1 to 90 letters, digits, `-`, `_`, `.`, `(`, `)`, no dot at the end.
pub(crate) fn group_name(text: &str) -> Result<String> {
    if is_plain_segment(text) && text.chars().count() <= 90 && !text.ends_with('.') {
        return Ok(text.to_owned());
    }
    let wanted = "expected 1 to 90 letters, digits, '-', '_', '.', '(', ')', no dot at the end";
    Err(Error::invalid(wanted, "resource group", text))
}

/// Checks a name that only Azure can validate, such as a region. An empty one must not be sent.
pub(crate) fn check_not_empty(part: &'static str, text: Option<&str>) -> Result<()> {
    match text {
        Some(text) if text.trim().is_empty() => Err(Error::invalid("expected a name, not an empty string", part, text)),
        _ => Ok(()),
    }
}

impl PartialEq for ResourceId {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.text)
    }
}

impl Eq for ResourceId {}

/// Like equality: case-insensitive.
impl Hash for ResourceId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.to_ascii_lowercase().hash(state);
    }
}

impl PartialOrd for ResourceId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ResourceId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.to_ascii_lowercase().cmp(&other.text.to_ascii_lowercase())
    }
}

impl TryFrom<String> for ResourceId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<ResourceId> for String {
    fn from(id: ResourceId) -> Self {
        id.text
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg1";

    #[test]
    fn ids_are_compared_case_insensitively() {
        let id: ResourceId = format!("{GROUP}/providers/Microsoft.X/things/Name").parse().unwrap();
        assert_eq!(id, format!("{}/PROVIDERS/microsoft.x/Things/name", GROUP.to_uppercase()).parse().unwrap());
    }

    #[test]
    fn ids_that_are_equal_are_one_key() {
        let text = format!("{GROUP}/providers/Microsoft.X/things/Name");
        let ids: [ResourceId; 2] =
            [text.parse().unwrap(), text.to_uppercase().replace("PROVIDERS", "providers").parse().unwrap()];
        assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), 1);
        assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 1);
    }

    #[test]
    fn odd_segments_are_refused_and_named() {
        for odd in ["..", ".", "", "a%2fb", "a?b", "a#b", "a b", "a\n", "a\\b"] {
            let err = format!("{GROUP}/providers/Microsoft.X/things/{odd}").parse::<ResourceId>().unwrap_err();
            assert!(err.to_string().contains("segment"), "{odd:?}: {err}");
        }
    }

    #[test]
    fn an_id_of_something_else_is_refused() {
        for text in ["", "/", GROUP, "subscriptions/x", "/subscriptions/1/resourceGroups/g/providers/a/b/c"] {
            assert!(text.parse::<ResourceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_guid_without_dashes_is_refused() {
        assert!("aaaaaaaa000000000000000000000001".parse::<PrincipalId>().is_err());
    }

    #[test]
    fn one_slash_at_the_end_is_taken() {
        let text = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/a.b/c/d";
        let id: ResourceId = format!("{text}/").parse().unwrap();
        assert_eq!(id.as_str(), text);
        assert_eq!(id, text.parse().unwrap());
        assert!(format!("{text}//").parse::<ResourceId>().is_err());
        assert!("/".parse::<ResourceId>().is_err());
    }
}
