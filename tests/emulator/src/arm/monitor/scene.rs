//! What a test says of resource logs.

use serde_json::json;

use crate::emulator::Emulator;

#[expect(clippy::must_use_candidate, reason = "callers may need only the change to the scene")]
impl Emulator {
    /// Sends the resource logs of a registry to a Log Analytics workspace in the registry's resource group from now on, by a diagnostic setting with
    /// the category group `audit` and the name of the workspace. The workspace is made if it does not exist. Returns its ID.
    ///
    /// # Panics
    /// If the registry does not exist.
    pub fn send_registry_logs(&self, group: &str, registry: &str, workspace: &str) -> String {
        self.act(|world| {
            let Some(at) = world.registry_named(group, registry) else { panic!("no registry {registry} in {group}") };
            let one = &world.registries[at];
            let (scope, location) = (one.id(), one.location.clone());
            let (above, _) = scope.split_once("/providers/").unwrap_or_default();
            let id = format!("{above}/providers/Microsoft.OperationalInsights/workspaces/{workspace}");
            world.monitor.put_workspace(&id, &json!({"location": location}));
            let logs = json!([{"categoryGroup": "audit", "enabled": true}]);
            world.monitor.put_setting(&scope, workspace, &json!({"workspaceId": id, "logs": logs}));
            id
        })
    }

    /// Sets the access control mode of a workspace so that permissions on a resource are not enough to read its logs.
    pub fn require_workspace_permissions(&self, workspace: &str) {
        let features = json!({"properties": {"features": {"enableLogAccessUsingOnlyResourcePermissions": false}}});
        self.act(|world| world.monitor.put_workspace(workspace, &features));
    }
}
