//! The arithmetic of a rollout: how many replicas the sets of a deployment should have next.

use serde_json::Value;

use super::super::object::{bounded, number, text};

/// How many pods there may be above, and how many may be missing below, what is wanted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Bounds {
    pub(super) surge: i64,
    pub(super) unavailable: i64,
}

/// Bounds of a deployment; a share is rounded up for the surge and down for what may be missing.
pub(super) fn bounds(deployment: &Value, wanted: i64) -> Bounds {
    if is_recreate(deployment) {
        return Bounds { surge: 0, unavailable: wanted };
    }
    let part = |field: &str, up: bool| {
        let value = deployment.pointer(&format!("/spec/strategy/rollingUpdate/{field}"));
        value.map_or(0, |value| resolved(value, wanted, up))
    };
    let (surge, unavailable) = (part("maxSurge", true), part("maxUnavailable", false).min(wanted));
    // With both at zero nothing could ever move.
    Bounds { surge, unavailable: if surge == 0 && unavailable == 0 { 1 } else { unavailable } }
}

pub(super) fn is_recreate(deployment: &Value) -> bool {
    text(deployment, "/spec/strategy/type") == "Recreate"
}

fn resolved(value: &Value, wanted: i64, up: bool) -> i64 {
    if let Some(number) = value.as_i64() {
        return bounded(number);
    }
    let percent: i64 = value.as_str().and_then(|text| text.strip_suffix('%')?.parse().ok()).unwrap_or(0);
    let product = wanted * bounded(percent);
    if up { (product + 99) / 100 } else { product / 100 }
}

/// What one set has and gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Size {
    pub(super) wanted: i64,
    pub(super) available: i64,
}

impl Size {
    pub(super) fn of(set: &Value) -> Self {
        Self {
            wanted: number(set, "/spec/replicas").unwrap_or(0),
            available: number(set, "/status/availableReplicas").unwrap_or(0),
        }
    }
}

/// The size of the new set: as much as the surge leaves room for.
pub(super) fn new_size(wanted: i64, bounds: Bounds, new: i64, old: &[Size]) -> i64 {
    let total = new + old.iter().map(|set| set.wanted).sum::<i64>();
    let room = (wanted + bounds.surge - total).max(0);
    if new >= wanted { wanted } else { (new + room).min(wanted) }
}

/// The sizes of the old sets, oldest first: pods that do not work go first, then as many as can be missed.
pub(super) fn old_sizes(wanted: i64, bounds: Bounds, new: Size, old: &[Size]) -> Vec<i64> {
    let total = new.wanted + old.iter().map(|set| set.wanted).sum::<i64>();
    let least = wanted - bounds.unavailable;
    let mut removable = (total - least - (new.wanted - new.available)).max(0);
    let mut sizes: Vec<i64> = old.iter().map(|set| set.wanted).collect();
    for (size, set) in sizes.iter_mut().zip(old) {
        let broken = (set.wanted - set.available).clamp(0, removable);
        *size -= broken;
        removable -= broken;
    }
    let available = new.available + old.iter().map(|set| set.available).sum::<i64>();
    let mut spare = (available - least).max(0).min(removable);
    for size in &mut sizes {
        let gone = spare.min(*size);
        *size -= gone;
        spare -= gone;
    }
    sizes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rolling(surge: &Value, unavailable: &Value) -> Value {
        json!({"spec": {"strategy": {"type": "RollingUpdate",
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}}})
    }

    #[test]
    fn shares_are_rounded_so_that_a_wait_for_rollout_can_move() {
        let quarter = rolling(&json!("25%"), &json!("25%"));
        assert_eq!(bounds(&quarter, 2), Bounds { surge: 1, unavailable: 0 });
        assert_eq!(bounds(&quarter, 10), Bounds { surge: 3, unavailable: 2 });
        assert_eq!(bounds(&rolling(&json!(0), &json!(0)), 3), Bounds { surge: 0, unavailable: 1 });
    }

    #[test]
    fn working_pods_stay_until_new_ones_work() {
        let bounds = Bounds { surge: 1, unavailable: 0 };
        let old = [Size { wanted: 2, available: 2 }];
        assert_eq!(new_size(2, bounds, 0, &old), 1);
        assert_eq!(old_sizes(2, bounds, Size { wanted: 1, available: 0 }, &old), [2]);
        assert_eq!(old_sizes(2, bounds, Size { wanted: 1, available: 1 }, &old), [1]);
    }

    #[test]
    fn broken_old_pods_go_at_once() {
        let bounds = Bounds { surge: 1, unavailable: 0 };
        let old = [Size { wanted: 2, available: 0 }];
        assert_eq!(old_sizes(2, bounds, Size { wanted: 1, available: 1 }, &old), [1]);
    }
}
