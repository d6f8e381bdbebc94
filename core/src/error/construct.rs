//! Creates errors: for the parts of this crate, and for your own implementations of its traits.

use super::{Created, Error, ErrorKind, ImportSide, Inner, ServiceError, Source};
use crate::{
    diagnosis::{finding::Finding, text::PullFailure},
    quoted::quoted,
    refusal::{EligibleRole, Refusal, RefusalKind},
};
use std::{any::Any, borrow::Cow, time::Duration};

impl Error {
    /// Creates an error, for your own implementation of a trait or for a test.
    ///
    /// ```
    /// use aks_acr::{Error, ErrorKind, ServiceError};
    ///
    /// let err = Error::new(ErrorKind::NotFound, "no such cluster")
    ///     .with_context("cluster", "dev")
    ///     .with_service(ServiceError::new(404, "ResourceNotFound"));
    /// assert_eq!(format!("{err:#}"), "no such cluster (cluster: dev): HTTP 404 ResourceNotFound");
    /// ```
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: quoted(message.into()),
            context: Vec::new(),
            service: None,
            refusal: None,
            retry_after: None,
            claims: None,
            pull_failure: None,
            finding: None,
            details: None,
            failed_side: None,
            transient: None,
            created: Created::default(),
            source: None,
        }))
    }

    /// Adds a fact to the message.
    #[must_use]
    pub fn with_context(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.context.push((name, quoted(value.into())));
        self
    }

    /// Adds a fact to the message, in place of those of the same name.
    #[must_use]
    pub(crate) fn with_only_context(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.context.retain(|(one, _)| *one != name);
        self.with_context(name, value)
    }

    /// Sets the cause, if no service has responded; otherwise [`service`](Self::service) is the source.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Source>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Sets [`service`](Self::service), and with it the status and the code.
    #[must_use]
    pub fn with_service(mut self, service: ServiceError) -> Self {
        self.0.service = Some(service.quoted());
        self
    }

    /// Sets [`refusal`](Self::refusal), for a refusal other than a missing permission.
    #[must_use]
    pub fn with_refusal(self, by: RefusalKind) -> Self {
        self.refused(Refusal::of(by, "", ""))
    }

    /// Marks a missing permission: sets [`missing_action`](Self::missing_action), [`scope`](Self::scope) and, if known,
    /// [`smallest_role`](Self::smallest_role).
    #[must_use]
    pub fn with_missing_action(self, action: impl Into<Cow<'static, str>>, scope: impl Into<String>) -> Self {
        self.refused(Refusal::missing_right(action, scope))
    }

    /// Sets [`retry_after`](Self::retry_after).
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Sets [`failed_side`](Self::failed_side).
    #[must_use]
    pub fn with_failed_side(mut self, failed_side: ImportSide) -> Self {
        self.0.failed_side = Some(failed_side);
        self
    }

    /// Sets [`pull_failure`](Self::pull_failure), and with it the [`finding`](Self::finding).
    #[must_use]
    pub fn with_pull_failure(mut self, failure: PullFailure) -> Self {
        self.0.finding = Some(Finding::of_failure(&failure));
        self.0.pull_failure = Some(failure);
        self
    }

    /// Sets [`finding`](Self::finding).
    #[must_use]
    pub(crate) fn with_finding(mut self, finding: Finding) -> Self {
        self.0.finding = Some(finding);
        self
    }

    /// Adds what the error is about. Its type has a method that returns it.
    #[must_use]
    pub(crate) fn with_details(mut self, details: impl Any + Send + Sync) -> Self {
        self.0.details = Some(Box::new(details));
        self
    }

    /// Overrides the kind's default for [`is_transient`](Self::is_transient).
    #[must_use]
    pub fn with_transient(mut self, is_transient: bool) -> Self {
        self.0.transient = Some(is_transient);
        self
    }

    /// Sets [`created`](Self::created), unless Azure is known to have created nothing.
    #[must_use]
    pub fn with_created(mut self, id: impl Into<String>) -> Self {
        if !matches!(self.0.created, Created::Nothing) {
            self.0.created = Created::There(id.into());
        }
        self
    }

    /// Records that the resource whose creation was started no longer exists.
    #[must_use]
    pub(crate) fn with_nothing_created(mut self) -> Self {
        self.0.created = Created::Nothing;
        self
    }

    /// Invalid input: `message` says what is expected, `part` and `value` what was given.
    pub(crate) fn invalid(message: impl Into<String>, part: &'static str, value: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message).with_context(part, value)
    }

    #[must_use]
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    #[must_use]
    pub(crate) fn saying(mut self, message: impl Into<String>) -> Self {
        self.0.message = quoted(message.into());
        self
    }

    /// Names the request that started an operation, for Azure's activity log, instead of the one that polled it.
    #[must_use]
    pub(crate) fn correlated_with(mut self, begun_by: Option<&str>) -> Self {
        if let (Some(service), Some(begun_by)) = (&mut self.0.service, begun_by) {
            service.correlation_id = Some(begun_by.to_owned());
        }
        self
    }

    /// Names the roles that the caller can activate, the smallest one that contains the action first.
    #[must_use]
    pub(crate) fn with_eligible_roles(mut self, mut roles: Vec<EligibleRole>) -> Self {
        if let Some(refusal) = &mut self.0.refusal {
            roles.sort_by_key(|one| Some(one.role.as_str()) != refusal.smallest_role);
            refusal.eligible = roles;
        }
        self
    }

    #[must_use]
    pub(crate) fn refused(mut self, refusal: Refusal) -> Self {
        self.0.refusal = Some(refusal);
        self
    }

    #[must_use]
    pub(crate) fn with_claims(mut self, claims: String) -> Self {
        self.0.claims = Some(claims);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ResourceId;

    #[test]
    fn an_error_from_outside_has_what_a_caller_acts_on() {
        let action = "Microsoft.Authorization/roleAssignments/write";
        let err = Error::new(ErrorKind::Forbidden, "may not grant").with_missing_action(action, "/s");
        assert_eq!((err.missing_action(), err.scope()), (Some(action), Some("/s")));
        assert_eq!(err.smallest_role(), Some("Role Based Access Control Administrator"));
        let err = Error::new(ErrorKind::Forbidden, "locked").with_refusal(RefusalKind::Lock);
        assert_eq!((err.refusal(), err.missing_action()), (Some(RefusalKind::Lock), None));
    }

    #[test]
    fn what_is_known_of_one_error_goes_before_its_kind() {
        assert!(Error::new(ErrorKind::Unavailable, "").is_transient());
        assert!(!Error::new(ErrorKind::Unavailable, "").with_transient(false).is_transient());
        assert!(Error::new(ErrorKind::Conflict, "").with_transient(true).is_transient());
    }

    #[test]
    fn a_missing_resource_is_not_reported_as_created() {
        let id: ResourceId =
            "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/a/b/c".parse().unwrap();
        let err = || Error::new(ErrorKind::OperationFailed, "");
        assert_eq!(err().with_created(id.clone()).created(), Some(id.as_str()));
        assert_eq!(err().with_nothing_created().with_created(id).created(), None);
    }
}
