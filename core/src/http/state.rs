//! In what state a resource of Azure is, by its word. A word that nobody knows here, or none, is never the end of anything.

/// Words of work on a resource that is made already. Azure has no list of them for clusters; these are those of its documentation.
const AT_WORK: [&str; 8] =
    ["updating", "upgrading", "scaling", "starting", "stopping", "stopped", "migrating", "rotatingclustercertificates"];

/// What a provisioning state means for who wants the resource to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Provisioned {
    /// It is made, whatever is done to it now.
    Yes,
    /// It is being made, or Azure says what is not understood.
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

/// What is told of a state: that there is none, where the service names none.
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
