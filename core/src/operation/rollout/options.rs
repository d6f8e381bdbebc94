//! Options for waiting for a rollout.

use crate::{call::CallOptions, error::words, id::SubscriptionId, registry::RegistryRef, role::PROPAGATION};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Options for waiting for a rollout.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RolloutOptions {
    /// Resource ID of the images' registry, if it is in a subscription that is not searched.
    /// When a registry refuses a pull, its role assignments are read, to distinguish a missing grant from one that is not effective
    /// yet. When a registry does not have an image, or its host name does not exist, the registry itself is read.
    pub registry: Option<RegistryRef>,
    /// Further subscriptions to search for the registry of a refused pull. The client's and the cluster's are always searched. If you name
    /// none, every subscription that the caller can list is searched too.
    pub subscriptions: Vec<SubscriptionId>,
    /// How long an existing grant may take to become effective; 10 minutes by default.
    /// The call waits this long for refused pulls to succeed, counted from the first one. It does not extend the deadline, which may
    /// end the wait earlier.
    pub propagation_timeout: Duration,
    /// What to do if the role assignments were read completely and none of them allows the pull; by default, the wait ends.
    pub missing_grant: OnMissingGrant,
    /// Whether problems that someone else can fix at any time also end the wait; `false` by default. These are an exhausted quota, pods
    /// that fit on no node, a missing ConfigMap, Secret or service account, and containers that keep exiting. Without it they are reported
    /// in [`Event::Rollout`](crate::Event::Rollout) and in the error at the deadline. With it, the call also does not wait for the replicas
    /// of a Premium registry to catch up, or for the host names of a new registry to exist.
    pub fail_fast: bool,
    /// Deadline (15 minutes by default), cancellation, progress.
    pub call: CallOptions,
}

impl RolloutOptions {
    /// Sets [`registry`](Self::registry).
    #[must_use]
    pub fn with_registry(mut self, registry: RegistryRef) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Adds one of [`subscriptions`](Self::subscriptions).
    #[must_use]
    pub fn with_subscription(mut self, subscription: SubscriptionId) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Sets [`propagation_timeout`](Self::propagation_timeout).
    #[must_use]
    pub fn with_propagation_timeout(mut self, propagation_timeout: Duration) -> Self {
        self.propagation_timeout = propagation_timeout;
        self
    }

    /// Sets [`missing_grant`](Self::missing_grant).
    #[must_use]
    pub fn with_missing_grant(mut self, missing_grant: OnMissingGrant) -> Self {
        self.missing_grant = missing_grant;
        self
    }

    /// Sets [`fail_fast`](Self::fail_fast).
    #[must_use]
    pub fn with_fail_fast(mut self, fail_fast: bool) -> Self {
        self.fail_fast = fail_fast;
        self
    }

    /// Sets [`call`](Self::call).
    #[must_use]
    pub fn with_call(mut self, call: CallOptions) -> Self {
        self.call = call;
        self
    }
}

impl Default for RolloutOptions {
    fn default() -> Self {
        Self {
            registry: None,
            subscriptions: Vec::new(),
            propagation_timeout: PROPAGATION,
            missing_grant: OnMissingGrant::default(),
            fail_fast: false,
            call: CallOptions::default(),
        }
    }
}

/// What a wait for a rollout does if no role assignment allows the nodes to pull.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum OnMissingGrant {
    /// The wait ends, with the missing grant as the cause.
    #[default]
    Fail,
    /// The wait continues for the propagation timeout. For deployments that run at the same time as the tool that makes the grant, such as
    /// Terraform.
    Wait,
}

words!(OnMissingGrant, "missing_grant": Fail => "fail", Wait => "wait");
