//! Azure Monitor: workspaces, diagnostic settings of registries, and the resource logs that these bring into workspaces.

pub(crate) mod logs;
mod scene;
pub(crate) mod setting;
mod workspace;

use std::collections::BTreeMap;

use serde_json::Value;

use super::Call;
use crate::reply::Reply;
use crate::world::World;

/// What Azure Monitor has.
#[derive(Debug, Default)]
pub(crate) struct Monitor {
    /// The Log Analytics workspaces, by their ids in lower case.
    workspaces: BTreeMap<String, Value>,
    /// The diagnostic settings, by the ids of their registries and their names in lower case.
    settings: BTreeMap<(String, String), Value>,
    rows: Vec<logs::Row>,
}

impl Monitor {
    /// Forgets the settings of a resource that was removed. Its logs stay.
    pub(crate) fn remove_settings(&mut self, id: &str) {
        self.settings.retain(|(of, _), _| !of.eq_ignore_ascii_case(id));
    }
}

pub(super) fn route(world: &mut World, call: &Call<'_>, segments: &[&str], lower: &[&str]) -> Option<Reply> {
    let answer = match lower {
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            "microsoft.operationalinsights",
            "workspaces",
            rest @ ..,
        ] => workspace::route(world, call, segments, rest)?,
        [.., "providers", "microsoft.insights", "diagnosticsettings"] => {
            setting::route(world, call, &scope(segments, 3), None)?
        }
        [.., "providers", "microsoft.insights", "diagnosticsettings", _] => {
            setting::route(world, call, &scope(segments, 4), segments.last().copied())?
        }
        [.., "providers", "microsoft.insights", "logs"] => logs::route(world, call, &scope(segments, 3))?,
        _ => return None,
    };
    Some(answer.unwrap_or_else(|refusal| refusal))
}

/// The id of the resource, without the last segments of a path.
fn scope(segments: &[&str], without: usize) -> String {
    format!("/{}", segments[..segments.len() - without].join("/"))
}
