//! Conditions of role assignments: as much of their language as pull rights and delegated rights use.
//!
//! `ActionMatches{'…'}`, `@Request[…]` and `@Resource[…]` compared with strings and GUIDs, `AND`, `OR`, `!` and brackets.
//! An expression with anything else is not understood, and grants nothing.

/// What is known of the request that a condition judges.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    pub(crate) action: &'a str,
    pub(crate) attributes: &'a [(&'a str, &'a str)],
    /// Whether the service knows `@Resource` attributes of repositories.
    pub(crate) knows_repositories: bool,
}

/// A condition, read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    ActionMatches(String),
    Compare { source: Source, attribute: String, operator: Operator, values: Vec<String> },
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// Where an attribute is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Request,
    Resource,
}

/// How an attribute is compared with the values beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    test: Test,
    ignore_case: bool,
    negated: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Equals,
    StartsWith,
    Like,
}

impl Condition {
    /// Reads an expression; `None` when it is not understood.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text, deep: 0 };
        let condition = reader.any()?;
        reader.rest.trim().is_empty().then_some(condition)
    }

    /// Whether it holds. An attribute that the request does not have equals nothing.
    /// What cannot be judged grants nothing.
    pub(crate) fn holds(&self, facts: &Facts<'_>) -> bool {
        self.judge(facts) == Some(true)
    }

    /// `None` if it depends on an attribute that the service may not know.
    fn judge(&self, facts: &Facts<'_>) -> Option<bool> {
        match self {
            Self::ActionMatches(pattern) => Some(super::matches(pattern, facts.action)),
            Self::Not(inner) => inner.judge(facts).map(|holds| !holds),
            Self::All(parts) => decided(parts, facts, false),
            Self::Any(parts) => decided(parts, facts, true),
            Self::Compare { source: Source::Resource, attribute, .. }
                if !facts.knows_repositories && is_of_repositories(attribute) =>
            {
                None
            }
            Self::Compare { attribute, operator, values, .. } => {
                let known = facts.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
                Some(known.is_some_and(|(_, value)| operator.judge(value, values)))
            }
        }
    }
}

/// The judgment of several parts, of which one with this judgment decides.
fn decided(parts: &[Condition], facts: &Facts<'_>, by: bool) -> Option<bool> {
    let judged: Vec<_> = parts.iter().map(|part| part.judge(facts)).collect();
    if judged.contains(&Some(by)) {
        return Some(by);
    }
    (!judged.contains(&None)).then_some(!by)
}

fn is_of_repositories(attribute: &str) -> bool {
    attribute.to_ascii_lowercase().starts_with("microsoft.containerregistry/registries/repositories")
}

impl Operator {
    fn named(name: &str) -> Option<Self> {
        let name = name.trim_start_matches("ForAnyOfAnyValues:").trim_start_matches("ForAnyOfAllValues:");
        let (test, ignore_case, negated) = match name {
            "StringEquals" => (Test::Equals, false, false),
            "StringNotEquals" => (Test::Equals, false, true),
            "StringEqualsIgnoreCase" | "GuidEquals" => (Test::Equals, true, false),
            "StringNotEqualsIgnoreCase" | "GuidNotEquals" => (Test::Equals, true, true),
            "StringStartsWith" => (Test::StartsWith, false, false),
            "StringNotStartsWith" => (Test::StartsWith, false, true),
            "StringStartsWithIgnoreCase" => (Test::StartsWith, true, false),
            "StringNotStartsWithIgnoreCase" => (Test::StartsWith, true, true),
            "StringLike" => (Test::Like, false, false),
            "StringLikeIgnoreCase" => (Test::Like, true, false),
            _ => return None,
        };
        Some(Self { test, ignore_case, negated })
    }

    fn judge(self, value: &str, wanted: &[String]) -> bool {
        wanted.iter().any(|wanted| self.meets(value, wanted)) != self.negated
    }

    fn meets(self, value: &str, wanted: &str) -> bool {
        let folded = |text: &str| {
            if self.ignore_case { text.to_lowercase() } else { text.to_owned() }
        };
        let (value, wanted) = (folded(value), folded(wanted));
        match self.test {
            Test::Equals => value == wanted,
            Test::StartsWith => value.starts_with(&wanted),
            Test::Like => super::matches(&wanted, &value),
        }
    }
}

/// Reads from the left, one rule of the grammar a function.
struct Reader<'a> {
    rest: &'a str,
    /// How many brackets and negations are open.
    deep: usize,
}

/// So many brackets no condition of Azure's own comes near; without a limit they would use up the stack.
const DEEPEST: usize = 100;

impl Reader<'_> {
    fn any(&mut self) -> Option<Condition> {
        let mut parts = vec![self.all()?];
        while self.take("OR") || self.take("||") {
            parts.push(self.all()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self) -> Option<Condition> {
        let mut parts = vec![self.one()?];
        while self.take("AND") || self.take("&&") {
            parts.push(self.one()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self) -> Option<Condition> {
        if self.deep == DEEPEST {
            return None;
        }
        self.deep += 1;
        let read = self.part();
        self.deep -= 1;
        read
    }

    fn part(&mut self) -> Option<Condition> {
        if self.take("!") || self.take("NOT") {
            return Some(Condition::Not(Box::new(self.one()?)));
        }
        if self.take("(") {
            let inner = self.any()?;
            return self.take(")").then_some(inner);
        }
        if self.take("ActionMatches") {
            return self.values().map(|mut values| Condition::ActionMatches(values.remove(0)));
        }
        if self.take("@Request[") {
            return self.compare(Source::Request);
        }
        self.take("@Resource[").then(|| self.compare(Source::Resource))?
    }

    fn compare(&mut self, source: Source) -> Option<Condition> {
        let (attribute, rest) = self.rest.split_once(']')?;
        // `Microsoft.X/y/z:name` and `Microsoft.X/y/z:name&key` speak of the same attribute.
        let attribute = attribute.trim().to_owned();
        let rest = rest.trim_start();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':')?;
        let operator = Operator::named(&rest[..end])?;
        self.rest = &rest[end..];
        let values = self.values()?;
        Some(Condition::Compare { source, attribute, operator, values })
    }

    /// `'a'`, `{'a', 'b'}`, or GUIDs in braces without quotes.
    fn values(&mut self) -> Option<Vec<String>> {
        if !self.take("{") {
            return self.quoted().map(|value| vec![value]);
        }
        let (inside, rest) = self.rest.split_once('}')?;
        self.rest = rest;
        let values: Vec<String> = inside.split(',').map(|value| value.trim().trim_matches('\'').to_owned()).collect();
        values.iter().all(|value| !value.is_empty()).then_some(values)
    }

    fn quoted(&mut self) -> Option<String> {
        let rest = self.rest.trim_start().strip_prefix('\'')?;
        let (value, rest) = rest.split_once('\'')?;
        self.rest = rest;
        Some(value.to_owned())
    }

    fn take(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(word) else {
            return false;
        };
        self.rest = rest;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "Microsoft.ContainerRegistry/registries/repositories:name";
    const READ: &str = "Microsoft.ContainerRegistry/registries/repositories/content/read";

    fn on_repository(comparison: &str) -> Condition {
        Condition::parse(&text_on_repository(comparison)).unwrap()
    }

    fn text_on_repository(comparison: &str) -> String {
        format!(
            "((!(ActionMatches{{'{READ}'}}) AND !(ActionMatches{{'Microsoft.ContainerRegistry/registries/repositories/metadata/read'}})) \
             OR (@Request[{NAME}] {comparison}))"
        )
    }

    fn reads(condition: &Condition, repository: &str) -> bool {
        condition.holds(&Facts { action: READ, attributes: &[(NAME, repository)], knows_repositories: false })
    }

    #[test]
    fn brackets_without_end_are_not_understood() {
        let deep = |count: usize| format!("{}ActionMatches{{'a'}}{}", "(".repeat(count), ")".repeat(count));
        assert!(Condition::parse(&deep(50)).is_some());
        assert!(Condition::parse(&deep(100_000)).is_none());
        assert!(Condition::parse(&"!".repeat(100_000)).is_none());
    }

    #[test]
    fn one_repository_is_meant_in_whatever_case() {
        let condition = on_repository("StringEqualsIgnoreCase 'hello-world'");
        assert!(reads(&condition, "Hello-World"));
        assert!(!reads(&condition, "hello-world2"));
    }

    #[test]
    fn a_prefix_without_a_slash_means_more_than_its_folder() {
        let condition = on_repository("StringStartsWithIgnoreCase 'backend'");
        assert!(reads(&condition, "backend2/x"));
        assert!(!reads(&on_repository("StringStartsWithIgnoreCase 'backend/'"), "backend2/x"));
    }

    #[test]
    fn an_action_that_the_condition_does_not_name_is_free() {
        let condition = on_repository("StringEqualsIgnoreCase 'a'");
        let facts = Facts {
            action: "Microsoft.ContainerRegistry/registries/catalog/read",
            attributes: &[],
            knows_repositories: false,
        };
        assert!(condition.holds(&facts));
    }

    #[test]
    fn a_repository_as_a_resource_grants_nothing_unless_the_service_knows_it() {
        let condition = text_on_repository("StringEqualsIgnoreCase 'a'").replace("@Request", "@Resource");
        let judged = |text: &str, action, knows_repositories| {
            Condition::parse(text).unwrap().holds(&Facts { action, attributes: &[(NAME, "a")], knows_repositories })
        };
        assert!(!judged(&condition, READ, false) && judged(&condition, READ, true));
        let not = condition.replace("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase");
        assert!(!judged(&not, READ, false) && !judged(&not, READ, true));
        let catalog = "Microsoft.ContainerRegistry/registries/catalog/read";
        assert!(judged(&condition, catalog, false), "the condition does not concern it");
        let delegation = "@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] GuidEquals {7f951dda-4ed3-4680-a7ca-43fe172d538d}";
        let attributes =
            &[("Microsoft.Authorization/roleAssignments:RoleDefinitionId", "7f951dda-4ed3-4680-a7ca-43fe172d538d")];
        let facts = Facts { action: "a", attributes, knows_repositories: false };
        assert!(Condition::parse(delegation).unwrap().holds(&facts));
    }

    #[test]
    fn a_delegation_is_limited_to_the_roles_it_lists() {
        let text = "@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] \
                    ForAnyOfAnyValues:GuidEquals {7f951dda-4ed3-4680-a7ca-43fe172d538d, b93aa761-3e63-49ed-ac28-beffa264f7ac}";
        let condition = Condition::parse(text).unwrap();
        let with = |role| {
            let attributes = [("Microsoft.Authorization/roleAssignments:RoleDefinitionId", role)];
            condition.holds(&Facts {
                action: "Microsoft.Authorization/roleAssignments/write",
                attributes: &attributes,
                knows_repositories: false,
            })
        };
        assert!(with("7F951DDA-4ed3-4680-a7ca-43fe172d538d"));
        assert!(!with("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"));
    }

    #[test]
    fn what_is_not_understood_is_no_condition() {
        assert_eq!(Condition::parse("ActionMatches{'a'} XOR ActionMatches{'b'}"), None);
        assert_eq!(Condition::parse("(ActionMatches{'a'}"), None);
        assert_eq!(Condition::parse(""), None);
    }
}
