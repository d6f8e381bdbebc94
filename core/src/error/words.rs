//! Enums of named values, parsed from their names.

use super::ImportSide;
use crate::{
    diagnosis::{catalogue::PullRetry, stage::PullStage},
    refusal::RefusalKind,
};

/// Gives an enum its names, `ALL`, `Display`, and a `FromStr` whose error lists the known names.
macro_rules! words {
    ($name:ident, $part:literal: $($variant:ident => $word:expr),+ $(,)?) => {
        $crate::words::word_names!($name: $($variant => $word),+);
        $crate::error::from_words!($name, $part);
    };
}

/// Gives an enum with names a `FromStr`.
macro_rules! from_words {
    ($name:ident, $part:literal) => {
        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            /// Parses one of the names of [`ALL`](Self::ALL), case-sensitively.
            ///
            /// # Errors
            /// [`InvalidInput`](crate::ErrorKind::InvalidInput), with the known names.
            fn from_str(text: &str) -> $crate::error::Result<Self> {
                let words: Vec<&str> = Self::ALL.iter().map(|one| one.as_str()).collect();
                let known = Self::ALL.iter().find(|known| known.as_str() == text);
                known.copied().ok_or_else(|| {
                    $crate::error::Error::invalid(format!("expected one of: {}", words.join(", ")), $part, text)
                })
            }
        }
    };
}

pub(crate) use {from_words, words};

// The enums inside an error cannot refer to it.
from_words!(RefusalKind, "refusal");
from_words!(PullRetry, "retry");
from_words!(PullStage, "stage");
from_words!(ImportSide, "failed_side");

#[cfg(test)]
mod tests {
    use crate::{
        Access, DetachOutcome, KubernetesReads, MergeOutcome, OnConditionMismatch, OnExistingEntry, OnExistingTag,
        OnInheritedGrant, OnMissingGrant, Operation, PrincipalState, PullRetry, PullRole, PullStage, RefusalKind,
        RightScope, RoleAssignmentMode, Sku, WriteService,
    };
    use serde::{Serialize, de::DeserializeOwned};
    use std::{fmt::Display, str::FromStr};

    fn is_one_word_everywhere<T>(all: &[T])
    where
        T: Serialize + DeserializeOwned + Display + FromStr + PartialEq + std::fmt::Debug,
    {
        for one in all {
            let word = one.to_string();
            assert_eq!(serde_json::to_value(one).unwrap(), word);
            assert_eq!(serde_json::from_value::<T>(word.clone().into()).unwrap(), *one);
            assert_eq!(word.parse::<T>().ok().as_ref(), Some(one));
        }
    }

    #[test]
    fn each_word_is_the_same_in_text_and_in_json() {
        is_one_word_everywhere(Access::ALL);
        is_one_word_everywhere(DetachOutcome::ALL);
        is_one_word_everywhere(OnExistingEntry::ALL);
        is_one_word_everywhere(OnExistingTag::ALL);
        is_one_word_everywhere(OnMissingGrant::ALL);
        is_one_word_everywhere(KubernetesReads::ALL);
        is_one_word_everywhere(OnInheritedGrant::ALL);
        is_one_word_everywhere(MergeOutcome::ALL);
        is_one_word_everywhere(Operation::ALL);
        is_one_word_everywhere(OnConditionMismatch::ALL);
        is_one_word_everywhere(PullRetry::ALL);
        is_one_word_everywhere(PullStage::ALL);
        is_one_word_everywhere(PrincipalState::ALL);
        is_one_word_everywhere(PullRole::ALL);
        is_one_word_everywhere(RefusalKind::ALL);
        is_one_word_everywhere(RightScope::ALL);
        is_one_word_everywhere(RoleAssignmentMode::ALL);
        is_one_word_everywhere(WriteService::ALL);
        is_one_word_everywhere(Sku::ALL);
    }

    #[test]
    fn another_word_is_refused_with_those_that_are_known() {
        let err = "basic".parse::<Sku>().unwrap_err();
        assert!(err.to_string().contains("Basic, Standard, Premium"), "{err}");
    }
}
