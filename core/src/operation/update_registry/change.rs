//! A setting that was changed.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SettingChange {
    /// The name of the option. For tags, the name of the tag follows: `tags.team`.
    pub setting: String,
    /// The value before; `None` if Azure reported none.
    pub before: Option<String>,
    /// The value after; `None` if it was removed.
    pub after: Option<String>,
}

impl fmt::Display for SettingChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| String::from("nothing"));
        write!(f, "{}: {}, before {}", self.setting, shown(&self.after), shown(&self.before))
    }
}
