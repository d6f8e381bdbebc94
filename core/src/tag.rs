//! The rules for the names of tags.

use crate::error::{Error, Result};

/// The characters that a name cannot have, and its length: see [limitations of
/// tags](https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations).
const FORBIDDEN: [char; 7] = ['<', '>', '%', '&', '\\', '?', '/'];
const LONGEST: usize = 512;

/// Rejects names that no resource can have.
pub(crate) fn check<'a>(names: impl Iterator<Item = &'a str>) -> Result<()> {
    for name in names {
        if name.trim().is_empty() || name.chars().count() > LONGEST || name.contains(FORBIDDEN) {
            let text = format!("a tag's name has 1 to {LONGEST} characters, and none of < > % & \\ ? /");
            return Err(Error::invalid(text, "tags", name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_that_azure_forbids_is_rejected() {
        assert!(super::check(["team", "cost center", "a:b", "tag.1"].into_iter()).is_ok());
        for name in ["", " ", "a/b", "a?", "50%", "<x>", &"a".repeat(513)] {
            assert!(super::check([name].into_iter()).is_err(), "{name}");
        }
    }
}
