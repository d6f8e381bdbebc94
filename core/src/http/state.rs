//! The provisioning state of an Azure resource. An unknown or missing state never counts as an end.

/// States of work on an existing resource. Azure has no list of them for clusters; these are from its documentation.
const AT_WORK: [&str; 8] =
    ["updating", "upgrading", "scaling", "starting", "stopping", "stopped", "migrating", "rotatingclustercertificates"];

/// What a provisioning state says about the existence of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provisioned {
    /// It is created, whatever is done to it now.
    Yes,
    /// It is being created, or the state is unknown.
    NotYet,
    Failed,
    Deleting,
}

impl Provisioned {
    pub fn of(state: &str) -> Self {
        let is = |word: &str| state.eq_ignore_ascii_case(word);
        if is("succeeded") || AT_WORK.iter().any(|word| is(word)) {
            Self::Yes
        } else if is("failed") || is("canceled") || is("cancelled") {
            Self::Failed
        } else if is("deleting") {
            Self::Deleting
        } else {
            Self::NotYet
        }
    }
}

/// The state for display, also if the service reports none.
pub(crate) fn shown(state: &str) -> String {
    if state.is_empty() { "no state".to_owned() } else { state.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_end_a_wait() {
        for word in ["Succeeded", "SUCCEEDED", "Updating", "upgrading"] {
            assert_eq!(Provisioned::of(word), Provisioned::Yes, "{word}");
        }
        for word in ["", "Creating", "Accepted", "Odd", "succeeded-ish", "null", "5", "(an object)"] {
            assert_eq!(Provisioned::of(word), Provisioned::NotYet, "{word}");
        }
        assert_eq!(Provisioned::of("Cancelled"), Provisioned::Failed);
        assert_eq!(Provisioned::of("deleting"), Provisioned::Deleting);
    }
}
