//! The forms of `$filter` that clients send to Graph.

use crate::principal::Principal;

/// What a filter asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    All,
    /// One of the names of a service principal: its application's id among them.
    Name(String),
    Equals(String, String),
    StartsWith(String, String),
    Both(Box<Filter>, Box<Filter>),
}

impl Filter {
    /// Reads a filter; `None` for a form that no client here sends.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::All);
        }
        // The word may be part of a name as well; then one half is no filter.
        if let Some((first, second)) = text.split_once(" and ")
            && let (Some(first), Some(second)) = (Self::parse(first), Self::parse(second))
        {
            return Some(Self::Both(Box::new(first), Box::new(second)));
        }
        let inside = |function: &str| text.strip_prefix(function)?.strip_suffix(')');
        if let Some(inner) = inside("servicePrincipalNames/any(") {
            let (_, value) = inner.split_once(" eq ")?;
            return Some(Self::Name(quoted(value)?));
        }
        if let Some(inner) = inside("startswith(").or_else(|| inside("startsWith(")) {
            let (member, value) = inner.split_once(',')?;
            return Some(Self::StartsWith(member.trim().to_ascii_lowercase(), quoted(value)?));
        }
        let (member, value) = text.split_once(" eq ")?;
        let plain = member.trim().chars().all(|letter| letter.is_ascii_alphanumeric());
        plain.then_some(())?;
        Some(Self::Equals(member.trim().to_ascii_lowercase(), quoted(value)?))
    }

    /// Whether this principal is meant. A member that no principal here has is equal to nothing.
    pub(super) fn meets(&self, one: &Principal) -> bool {
        match self {
            Self::All => true,
            Self::Name(name) => one.client_id.eq_ignore_ascii_case(name),
            Self::Equals(member, value) => {
                member_of(one, member).is_some_and(|known| known.eq_ignore_ascii_case(value))
            }
            Self::Both(first, second) => first.meets(one) && second.meets(one),
            Self::StartsWith(member, value) => {
                let known = member_of(one, member).map(str::to_lowercase);
                known.is_some_and(|known| known.starts_with(&value.to_lowercase()))
            }
        }
    }
}

fn member_of<'a>(one: &'a Principal, member: &str) -> Option<&'a str> {
    match member {
        "appid" => Some(&one.client_id),
        "id" => Some(&one.object_id),
        "displayname" => Some(&one.name),
        "mailnickname" => (one.kind == "Group").then_some(one.name.as_str()),
        "userprincipalname" | "mail" => (one.kind == "User").then_some(one.name.as_str()),
        _ => None,
    }
}

/// A text between quotes, where two quotes stand for one.
fn quoted(text: &str) -> Option<String> {
    let inner = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    let single = inner.replace("''", "").contains('\'');
    (!single).then(|| inner.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_clients_send_are_read() {
        let name = Filter::parse("servicePrincipalNames/any(c:c eq 'x')");
        assert_eq!(name, Some(Filter::Name(String::from("x"))));
        let starts = Filter::parse("startswith(displayName,'O''Neil')");
        assert_eq!(starts, Some(Filter::StartsWith(String::from("displayname"), String::from("O'Neil"))));
        let equals = Filter::parse("userPrincipalName eq 'a@b'");
        assert_eq!(equals, Some(Filter::Equals(String::from("userprincipalname"), String::from("a@b"))));
        let both = Filter::parse("displayName eq 'a' and mailNickname eq 'b'");
        assert!(matches!(both, Some(Filter::Both(..))));
        let named = Filter::parse("displayName eq 'rock and roll'");
        assert_eq!(named, Some(Filter::Equals(String::from("displayname"), String::from("rock and roll"))));
        assert_eq!(Filter::parse("displayName eq 'a' or displayName eq 'b'"), None);
    }
}
