//! Conditions of role assignments, evaluated for a pull. What is not understood is unknown, never true.
//!
//! See [Conditions format](https://learn.microsoft.com/azure/role-based-access-control/conditions-format).

use crate::role::action_matches;

/// The attribute that conditions on repositories compare.
const REPOSITORY: &str = "Microsoft.ContainerRegistry/registries/repositories:name";

/// What a condition is evaluated for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pull<'a> {
    /// The action or data action of a pull.
    pub action: &'a str,
    /// The repository. `None`: any, so that a comparison with it is unknown.
    pub repository: Option<&'a str>,
}

/// The result of an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    True,
    False,
    /// The condition depends on the repository, and none is given.
    DependsOnRepository,
    /// The condition uses something that is not understood, or an attribute that is not known here.
    Unknown,
}

impl Truth {
    fn of(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            open => open,
        }
    }

    /// Three-valued AND.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, rest) | (rest, Self::True) => rest,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::DependsOnRepository, Self::DependsOnRepository) => Self::DependsOnRepository,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// Whether a condition allows the pull.
pub(crate) fn evaluate(condition: &str, pull: Pull<'_>) -> Truth {
    let mut parser = Parser { rest: condition, pull, depth: 0 };
    match parser.any() {
        Some(truth) if parser.rest.trim().is_empty() => truth,
        _ => Truth::Unknown,
    }
}

/// No condition of Azure's own tools is nested so deep; without a limit a long one would use up the stack.
const MOST_NESTED: usize = 100;

/// Parses and evaluates from left to right. `None`: the syntax is not understood.
struct Parser<'a> {
    rest: &'a str,
    pull: Pull<'a>,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Option<Truth> {
        let mut truth = self.all()?;
        while self.word("OR") || self.sign("||") {
            truth = truth.or(self.all()?);
        }
        Some(truth)
    }

    fn all(&mut self) -> Option<Truth> {
        let mut truth = self.one()?;
        while self.word("AND") || self.sign("&&") {
            truth = truth.and(self.one()?);
        }
        Some(truth)
    }

    fn one(&mut self) -> Option<Truth> {
        self.depth += 1;
        let truth = if self.depth > MOST_NESTED { None } else { self.part() };
        self.depth -= 1;
        truth
    }

    fn part(&mut self) -> Option<Truth> {
        if self.sign("!") || self.word("NOT") {
            return self.one().map(Truth::not);
        }
        if self.sign("(") {
            let truth = self.any()?;
            return self.sign(")").then_some(truth);
        }
        if self.word("ActionMatches") {
            let patterns = self.list()?;
            return Some(Truth::of(patterns.iter().any(|pattern| action_matches(pattern, self.pull.action))));
        }
        // Pulls have no suboperations.
        if self.word("SubOperationMatches") {
            return self.list().map(|_| Truth::False);
        }
        if self.word("Exists") {
            return self.attribute().map(|found| if found == Found::Repository { Truth::True } else { Truth::Unknown });
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Truth> {
        let found = self.attribute()?;
        let operator = self.name()?;
        let values = self.list()?;
        let (Found::Repository, Some(operator)) = (found, Operator::parse(operator)) else {
            return Some(Truth::Unknown);
        };
        Some(match self.pull.repository {
            Some(repository) => operator.compare(repository, &values),
            None => Truth::DependsOnRepository,
        })
    }

    /// `@Request[…]`. Whether the registry evaluates the name in `@Resource` is not established, so that one is unknown.
    fn attribute(&mut self) -> Option<Found> {
        if !self.sign("@") {
            return None;
        }
        let source = self.name()?;
        if !self.sign("[") {
            return None;
        }
        let (name, rest) = self.rest.split_once(']')?;
        self.rest = rest;
        let is_repository = source.eq_ignore_ascii_case("Request") && name.trim().eq_ignore_ascii_case(REPOSITORY);
        Some(if is_repository { Found::Repository } else { Found::Other })
    }

    /// `'a'`, or `{'a', 'b'}`. Values that are not texts, and other attributes, are not understood.
    fn list(&mut self) -> Option<Vec<String>> {
        if !self.sign("{") {
            return self.quoted().map(|value| vec![value]);
        }
        let mut values = vec![self.quoted()?];
        while self.sign(",") {
            values.push(self.quoted()?);
        }
        self.sign("}").then_some(values)
    }

    /// A text in single quotes; a backslash escapes the character after it.
    fn quoted(&mut self) -> Option<String> {
        let inner = self.rest.trim_start().strip_prefix('\'')?;
        let mut value = String::new();
        let mut letters = inner.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '\'' => {
                    self.rest = &inner[at + 1..];
                    return Some(value);
                }
                '\\' => value.push(letters.next()?.1),
                plain => value.push(plain),
            }
        }
        None
    }

    fn name(&mut self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != ':').unwrap_or(rest.len());
        self.rest = &rest[end..];
        (end > 0).then(|| &rest[..end])
    }

    fn sign(&mut self, sign: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(sign) else { return false };
        self.rest = rest;
        true
    }

    /// A keyword, in any case, that is not the beginning of a longer name.
    fn word(&mut self, word: &str) -> bool {
        let before = self.rest;
        if self.name().is_some_and(|name| name.eq_ignore_ascii_case(word)) {
            return true;
        }
        self.rest = before;
        false
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Repository,
    Other,
}

/// A comparison of texts.
#[derive(Clone, Copy)]
struct Operator {
    test: fn(&str, &str) -> bool,
    ignores_case: bool,
    is_negated: bool,
    /// Whether all values must match instead of one.
    of_all: bool,
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        let (set, plain) = name.split_once(':').unwrap_or(("ForAnyOfAnyValues", name));
        // The attribute has one value, so only the second half matters.
        let of_all = match set {
            "ForAnyOfAnyValues" | "ForAllOfAnyValues" => false,
            "ForAnyOfAllValues" | "ForAllOfAllValues" => true,
            _ => return None,
        };
        let plain = plain.strip_prefix("String")?;
        let (plain, ignores_case) = plain.strip_suffix("IgnoreCase").map_or((plain, false), |plain| (plain, true));
        let (plain, is_negated) = plain.strip_prefix("Not").map_or((plain, false), |plain| (plain, true));
        let test: fn(&str, &str) -> bool = match plain {
            "Equals" => |value, wanted| value == wanted,
            "StartsWith" => |value, wanted| value.starts_with(wanted),
            "Like" => is_like,
            _ => return None,
        };
        Some(Self { test, ignores_case, is_negated, of_all })
    }

    fn compare(self, value: &str, wanted: &[String]) -> Truth {
        let fold = |text: &str| if self.ignores_case { text.to_lowercase() } else { text.to_owned() };
        let value = fold(value);
        let holds = |wanted: &String| (self.test)(&value, &fold(wanted)) != self.is_negated;
        let (all, any) = (wanted.iter().all(holds), wanted.iter().any(holds));
        match (self.of_all, self.is_negated) {
            (true, _) => Truth::of(all),
            (false, false) => Truth::of(any),
            // "Differs from any of several" is written for "differs from each", and documented as "from at least one".
            (false, true) if all == any => Truth::of(all),
            (false, true) => Truth::Unknown,
        }
    }
}

/// `*` stands for any text, `?` for one character.
fn is_like(value: &str, pattern: &str) -> bool {
    let (value, pattern): (Vec<char>, Vec<char>) = (value.chars().collect(), pattern.chars().collect());
    let mut row: Vec<bool> = std::iter::once(true).chain(value.iter().map(|_| false)).collect();
    for letter in pattern {
        let mut next = vec![letter == '*' && row[0]];
        for (at, of_value) in value.iter().enumerate() {
            next.push(match letter {
                '*' => row[at + 1] || next[at],
                '?' => row[at],
                plain => row[at] && plain == *of_value,
            });
        }
        row = next;
    }
    row.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::READ_CONTENT;
    use Truth::{DependsOnRepository, False, True, Unknown};

    fn of(condition: &str, repository: Option<&str>) -> Truth {
        evaluate(condition, Pull { action: READ_CONTENT, repository })
    }

    /// The form that Azure's portal writes.
    fn portal(comparison: &str) -> String {
        format!(
            "(\n (\n  !(ActionMatches{{'{READ_CONTENT}'}})\n )\n OR\n (\n  @Request[{REPOSITORY}] {comparison}\n )\n)"
        )
    }

    #[test]
    fn a_condition_names_repositories_or_prefixes() {
        for (comparison, repository, truth) in [
            ("StringEqualsIgnoreCase 'team/app'", "team/app", True),
            ("StringEqualsIgnoreCase 'Team/App'", "team/app", True),
            ("StringEquals 'Team/App'", "team/app", False),
            ("StringEqualsIgnoreCase 'team/app'", "team/app2", False),
            ("StringStartsWithIgnoreCase 'team/'", "team/app", True),
            ("StringStartsWith 'team/'", "teams/app", False),
            ("StringNotStartsWith 'team/'", "team/app", False),
            ("StringNotEquals 'team/app'", "web", True),
            ("StringLike 'team/*'", "team/app", True),
            ("StringLike 'team/?pp'", "team/app", True),
            ("StringNotLike '*'", "team/app", False),
            ("ForAnyOfAnyValues:StringEqualsIgnoreCase {'web', 'team/app'}", "team/app", True),
            ("ForAnyOfAllValues:StringEquals {'web', 'team/app'}", "team/app", False),
            ("ForAnyOfAllValues:StringNotEquals {'web', 'api'}", "team/app", True),
            ("ForAnyOfAnyValues:StringStartsWith {'a/', 'b/'}", "c/d", False),
            ("ForAnyOfAnyValues:StringNotEquals {'web', 'api'}", "team/app", True),
            ("ForAnyOfAnyValues:StringNotEquals {'web', 'team/app'}", "team/app", Unknown),
            (r"StringEquals 'o\'neil'", "o'neil", True),
        ] {
            assert_eq!(of(&portal(comparison), Some(repository)), truth, "{comparison} for {repository}");
        }
    }

    #[test]
    fn without_a_repository_a_comparison_is_open() {
        assert_eq!(of(&portal("StringEquals 'a'"), None), DependsOnRepository);
        assert_eq!(of("ActionMatches{'*'} OR @Request[x:y] StringEquals 'a'", None), True);
        assert_eq!(
            of(&format!("@Request[{REPOSITORY}] StringEquals 'a' AND @Request[x:y] StringEquals 'a'"), None),
            Unknown
        );
    }

    #[test]
    fn other_actions_are_free_and_patterns_match() {
        let pull = |action| Pull { action, repository: Some("web") };
        assert_eq!(
            evaluate(&portal("StringEquals 'a'"), pull("Microsoft.ContainerRegistry/registries/pull/read")),
            True
        );
        assert_eq!(
            of("!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/*/READ'})", Some("a")),
            False
        );
        assert_eq!(of("not ActionMatches{'*'} && ActionMatches{'*'} || ActionMatches{'*'}", Some("a")), True);
        assert_eq!(of("ActionMatches{'a'} or (ActionMatches{'*'} and NOT SubOperationMatches{'b'})", Some("a")), True);
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        let resource = portal("StringEquals 'a'").replace("@Request", "@Resource");
        let nested = format!("{}ActionMatches{{'*'}}{}", "(".repeat(100_000), ")".repeat(100_000));
        for condition in [
            resource.as_str(),
            &nested,
            "",
            "ActionMatches{'*'",
            "ActionMatches{'*'} XOR ActionMatches{'*'}",
            "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringMatches 'a'",
            "@Request[Microsoft.ContainerRegistry/registries/repositories:name] ForSomeValues:StringEquals 'a'",
            "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals @Principal[x:y]",
            "@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00Z'",
            "@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringEquals 'a",
        ] {
            assert_eq!(of(condition, Some("a")), Unknown, "{condition:.120}");
        }
        // What decides without it is decided.
        assert_eq!(of(&format!("{resource} OR ActionMatches{{'*'}}"), Some("a")), True);
        assert_eq!(of("@Environment[isPrivateLink] BoolEquals 'true' AND !(ActionMatches{'*'})", Some("a")), False);
    }
}
