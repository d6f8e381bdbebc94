//! The command of a next step, as it is copied into a shell.

use std::fmt::Display;

/// What a shell takes as it stands, beside letters and digits.
const PLAIN: &str = "-_./:@=,+%";
/// What a shell takes in double quotes: names of resource groups may have parentheses, names of roles have spaces.
const QUOTED: &str = "() ";

/// An `az` or `kubectl` command. Its words are ours, and each value that a service returned is one argument, whatever it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// `None`: a value would do something else in a shell.
    line: Option<String>,
}

impl Command {
    pub fn new(words: &'static str) -> Self {
        Self { line: Some(words.to_owned()) }
    }

    /// Adds an option with its value.
    pub fn with(self, option: &'static str, value: impl Display) -> Self {
        self.words(option).value(value)
    }

    /// Adds words without a value.
    pub fn words(self, words: &'static str) -> Self {
        Self { line: self.line.map(|line| format!("{line} {words}")) }
    }

    /// Adds a value.
    pub fn value(self, value: impl Display) -> Self {
        let argument = argument(&value.to_string());
        Self { line: self.line.zip(argument).map(|(line, argument)| format!("{line} {argument}")) }
    }

    /// Names the subscription of a resource that is not in the cluster's.
    pub fn at<T: Copy + Display + PartialEq>(self, subscription: T, of_cluster: T) -> Self {
        if subscription == of_cluster { self } else { self.with("--subscription", subscription) }
    }

    pub fn into_line(self) -> Option<String> {
        self.line
    }
}

/// A value as a shell reads it. `None` if it is empty, begins as an option does or (in zsh) as the path of a program, or has a character
/// that a shell interprets.
fn argument(value: &str) -> Option<String> {
    let has_only = |allowed: &[&str]| {
        value.chars().all(|letter| letter.is_alphanumeric() || allowed.iter().any(|all| all.contains(letter)))
    };
    if value.trim().is_empty() || value.starts_with(['-', '=']) {
        None
    } else if has_only(&[PLAIN]) {
        Some(value.to_owned())
    } else {
        has_only(&[PLAIN, QUOTED]).then(|| format!("\"{value}\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_one_argument_or_there_is_no_command() {
        let of = |name: &str| Command::new("az acr show").with("--name", name).words("--yes").into_line();
        for plain in ["myregistry", "team/app:v1", "app@sha256:0a", "gr\u{f6}\u{df}e", "a=b,c"] {
            assert_eq!(of(plain).unwrap(), format!("az acr show --name {plain} --yes"));
        }
        for quoted in ["rg-1_(two)", "Container Registry Repository Reader", "a --subscription b"] {
            assert_eq!(of(quoted).unwrap(), format!("az acr show --name \"{quoted}\" --yes"));
        }
        for odd in [
            "",
            " ",
            "-x",
            "=ls",
            "--yes",
            "a;reboot",
            "$(reboot)",
            "`reboot`",
            "a|b",
            "a&b",
            "a>b",
            "a\nb",
            "a'b",
            "a\"b",
            "a\\b",
            "a*",
            "a?",
            "~",
            "#",
            "!!",
            "a{b,c}",
            "[a]",
            "a\u{1b}[0m",
        ] {
            assert_eq!(of(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn a_resource_in_another_subscription_is_named_with_it() {
        let of = |subscription| Command::new("az acr show").at(subscription, "own").into_line().unwrap();
        assert_eq!(of("own"), "az acr show");
        assert_eq!(of("other"), "az acr show --subscription other");
    }
}
