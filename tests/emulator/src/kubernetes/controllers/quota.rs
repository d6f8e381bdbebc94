//! Quotas: what is used of them.

use serde_json::json;

use super::super::Kubernetes;
use super::super::object::map;
use super::MANAGER;

impl Kubernetes {
    pub(in super::super) fn sync_quotas(&mut self) {
        for quota in self.snapshot("resourcequotas") {
            let used = self.used_of_quota(&quota);
            let mut after = quota.clone();
            let status = map(&mut after, &["status"]);
            status.insert("hard".to_owned(), quota["spec"]["hard"].clone());
            status.insert("used".to_owned(), json!(used));
            self.change_as(MANAGER, "resourcequotas", "status", &quota, after);
        }
    }
}
