//! The single error type of this crate.

mod construct;
mod kind;
mod service;
mod words;

#[cfg(test)]
pub(crate) use kind::STATUSES;
pub use kind::{ErrorKind, ImportSide};
pub use service::ServiceError;
pub(crate) use words::{from_words, words};

use crate::{
    diagnosis::finding::Finding,
    quoted::Quoted,
    refusal::{DenyingPolicy, EligibleRole, Refusal, RefusalKind},
};
use std::{any::Any, error::Error as StdError, fmt, time::Duration};

/// A result with [`Error`] as its error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

type Source = Box<dyn StdError + Send + Sync>;

/// An error: a message, its kind, and the details that a caller needs to act.
///
/// `{err}` is the message with its context, on one line. `{err:#}` appends the sources, including the service's own message.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> aks_acr::Result<()> {
/// # use aks_acr::{AttachOptions, Client, ClusterRef, ErrorKind};
/// # let azure = aks_acr_emulator::Emulator::new();
/// # let client = Client::builder(azure.credential(), azure.subscription()).transport(azure.transport()).build()?;
/// # let (cluster, registry) = (ClusterRef::new("group", "dev")?, "myregistry".parse()?);
/// match client.attach(&cluster, &registry, AttachOptions::default()).await {
///     Ok(attachment) => println!("{:?}", attachment.outcome),
///     Err(err) if err.kind() == ErrorKind::Forbidden => println!("ask for {:?} at {:?}", err.smallest_role(), err.scope()),
///     Err(err) if err.is_transient() => println!("again in {:?}: {err:#}", err.retry_after()),
///     Err(err) => println!("{err:#}"),
/// }
/// # Ok(()) }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    service: Option<ServiceError>,
    refusal: Option<Refusal>,
    retry_after: Option<Duration>,
    claims: Option<String>,
    pull_failure: Option<crate::diagnosis::text::PullFailure>,
    finding: Option<Finding>,
    /// What the error is about, of a type that is not known here.
    details: Option<Box<dyn Any + Send + Sync>>,
    failed_side: Option<ImportSide>,
    transient: Option<bool>,
    created: Created,
    source: Option<Source>,
}

/// What a failed call has created.
#[derive(Default)]
enum Created {
    #[default]
    Unknown,
    /// Azure reports that nothing exists.
    Nothing,
    /// Its resource ID.
    There(String),
}

impl Error {
    /// The kind of the error, which says what a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether retrying the same call later may succeed without any other change.
    ///
    /// The kinds [`RateLimited`](ErrorKind::RateLimited), [`Unavailable`](ErrorKind::Unavailable) and
    /// [`DeadlineExceeded`](ErrorKind::DeadlineExceeded) are transient. Individual errors can differ from their kind: a lock that
    /// another program holds is transient, an untrusted certificate is not. The library has already retried what is listed under
    /// *Retries* in the crate's docs. [`retry_after`](Self::retry_after) says how long to wait, if the service named a time.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.0.transient.unwrap_or_else(|| self.0.kind.is_transient())
    }

    /// The resource ID of a resource that Azure has started to create although the call failed.
    ///
    /// It is the cluster of [`create_cluster`](crate::Client::create_cluster), which costs money from then on, or the registry of
    /// [`create_registry`](crate::Client::create_registry). Call again to continue. `None` does not prove that nothing exists: the
    /// response may have been lost.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        match &self.0.created {
            Created::There(id) => Some(id),
            Created::Unknown | Created::Nothing => None,
        }
    }

    /// The details in the message, as names and values. They are for people, and new ones may be added.
    pub fn context(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.context.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The service's error response, if a service responded.
    #[must_use]
    pub fn service(&self) -> Option<&ServiceError> {
        self.0.service.as_ref()
    }

    /// The HTTP status of the service's response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.service().map(|service| service.status)
    }

    /// The service's own code, such as `AuthorizationFailed`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.service().and_then(|service| service.code.as_deref())
    }

    /// Whether Azure refuses the token because the subscription is in another tenant. The message names both tenants: see
    /// [an example](https://github.com/Azure/azure-sdk-for-python/issues/38382).
    pub(crate) fn is_of_another_tenant(&self) -> bool {
        self.code() == Some("InvalidAuthenticationTokenTenant")
    }

    /// `x-ms-request-id` of the service's response.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.service().and_then(|service| service.request_id.as_deref())
    }

    /// `x-ms-correlation-request-id` of the service's response.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.service().and_then(|service| service.correlation_id.as_deref())
    }

    /// What refused the call, if known.
    ///
    /// It is set for the kind [`Forbidden`](ErrorKind::Forbidden), and for
    /// [`Unauthenticated`](ErrorKind::Unauthenticated) if conditional access is the reason.
    #[must_use]
    pub fn refusal(&self) -> Option<RefusalKind> {
        self.0.refusal.as_ref().map(|refusal| refusal.kind)
    }

    /// The policies that denied the call.
    ///
    /// They are set if [`refusal`](Self::refusal) is [`Policy`](RefusalKind::Policy) and Azure names them.
    #[must_use]
    pub fn policies(&self) -> &[DenyingPolicy] {
        self.0.refusal.as_ref().map_or(&[], |refusal| &refusal.policies)
    }

    /// The roles at the [`scope`](Self::scope), or above it, that the caller can activate in Privileged Identity Management.
    ///
    /// They are read after a write was refused because the caller's roles do not contain the action. The role that is named first is the
    /// smallest one that contains it, if the caller is eligible for that; whether another one does is not checked.
    #[must_use]
    pub fn eligible_roles(&self) -> &[EligibleRole] {
        self.0.refusal.as_ref().map_or(&[], |refusal| &refusal.eligible)
    }

    /// The action that the caller lacks, such as `Microsoft.Authorization/roleAssignments/write`.
    ///
    /// `None` if the call was refused for a reason other than the caller's roles.
    #[must_use]
    pub fn missing_action(&self) -> Option<&str> {
        let missing = self.0.refusal.as_ref().filter(|refusal| refusal.kind == RefusalKind::MissingRight);
        missing.map(|refusal| refusal.action.as_ref())
    }

    /// The resource ID at which the caller was refused. If the resource was to be created, this is the ID of its resource group.
    #[must_use]
    pub fn scope(&self) -> Option<&str> {
        self.0.refusal.as_ref().map(|refusal| refusal.scope.as_str()).filter(|scope| !scope.is_empty())
    }

    /// The smallest built-in role with [`missing_action`](Self::missing_action).
    #[must_use]
    pub fn smallest_role(&self) -> Option<&str> {
        self.0.refusal.as_ref().and_then(|refusal| refusal.smallest_role)
    }

    /// How long the service asked the client to wait.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The side of an import that is at fault, if known.
    #[must_use]
    pub fn failed_side(&self) -> Option<ImportSide> {
        self.0.failed_side
    }

    /// The claims that Azure requires in a token before it continues, as JSON.
    ///
    /// They are set if conditional access requires more than the caller's token has. Sign in with them to get such a token:
    /// Azure's libraries take them as `claims`, and `az login --claims-challenge` takes them in base64.
    #[must_use]
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// Why pods cannot pull an image, if that is why the call failed.
    #[must_use]
    pub fn pull_failure(&self) -> Option<&crate::diagnosis::text::PullFailure> {
        self.0.pull_failure.as_ref()
    }

    /// Why an image cannot be pulled, and the next step, if that is why the call failed.
    #[must_use]
    pub fn finding(&self) -> Option<&Finding> {
        self.0.finding.as_ref()
    }

    /// What [`with_details`](Self::with_details) has added.
    pub(crate) fn details<T: 'static>(&self) -> Option<&T> {
        self.0.details.as_ref()?.downcast_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        self.fmt_facts(f)?;
        if f.alternate() {
            if let Some(failure) = &self.0.pull_failure {
                // What it means goes before the kubelet's own words, which are long.
                let meaning = failure.finding.to_string();
                if !self.0.message.contains(&meaning) {
                    write!(f, ": {meaning}")?;
                }
                write!(f, ": {}", Quoted(&failure.message))?;
            }
            fmt_sources(self.source(), &self.0.context, f)?;
            self.0.finding.iter().try_for_each(|finding| write!(f, "; see {}", Quoted(&finding.docs)))?;
        }
        Ok(())
    }
}

impl Error {
    fn fmt_facts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut facts: Vec<(&str, &str)> = self.0.context.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if let Some(refusal) = &self.0.refusal {
            facts.extend(refusal.facts());
        }
        for (index, (name, value)) in facts.iter().enumerate() {
            let open = if index == 0 { " (" } else { ", " };
            write!(f, "{open}{name}: {}", Quoted(value))?;
        }
        if facts.is_empty() { Ok(()) } else { f.write_str(")") }
    }
}

fn fmt_sources(
    mut source: Option<&(dyn StdError + 'static)>,
    context: &[(&'static str, String)],
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut last = String::new();
    while let Some(err) = source {
        let mut text = err.to_string();
        // Some errors quote what lies behind them, and some facts are quoted from it.
        let is_fact = |quoted: &str| !quoted.is_empty() && context.iter().any(|(_, value)| value == quoted);
        let before = text.split_once(": ").filter(|(_, quoted)| is_fact(quoted)).map(|(before, _)| before.len());
        text.truncate(before.unwrap_or(text.len()));
        if !adds_nothing(&text) && !last.contains(&text) {
            write!(f, ": {}", Quoted(&text))?;
            last = text;
        }
        source = err.source();
    }
    Ok(())
}

/// An error and its sources, each on separate lines.
#[cfg(feature = "identity")]
pub(crate) fn lines(err: &(dyn StdError + 'static)) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(err) = source {
        text = format!("{text}\n{err}");
        source = err.source();
    }
    text
}

/// An error and its sources, on one line.
#[cfg(feature = "identity")]
pub(crate) fn chain(err: &(dyn StdError + 'static)) -> String {
    struct Chain<'a>(&'a (dyn StdError + 'static));
    impl fmt::Display for Chain<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{}", self.0)?;
            fmt_sources(self.0.source(), &[], f)
        }
    }
    Chain(err).to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The pipeline's retry policy wraps an error in a sentence about itself, which hides the cause from a reader.
fn adds_nothing(text: &str) -> bool {
    text.ends_with("will not be retried") || text.ends_with("will no longer be retried")
}

/// The kind and the long form, so that the output of `unwrap` and of a failing `main` is readable.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self:#}", self.0.kind)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // A given source contains the response, if there was one.
        match (&self.0.source, &self.0.service) {
            (Some(source), _) => Some(source.as_ref()),
            (None, Some(service)) => Some(service),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }

    #[test]
    fn every_kind_has_a_unique_name() {
        let names: std::collections::HashSet<_> = ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn the_plain_form_is_our_sentence_and_the_long_form_adds_the_service() {
        let service = ServiceError { status: 404, code: Some("ResourceNotFound".into()), ..ServiceError::default() };
        let err =
            Error::new(ErrorKind::NotFound, "no such cluster").with_context("cluster", "dev").with_service(service);
        assert_eq!(err.to_string(), "no such cluster (cluster: dev)");
        assert_eq!(format!("{err:#}"), "no such cluster (cluster: dev): HTTP 404 ResourceNotFound");
    }

    #[test]
    fn a_text_that_is_a_fact_already_is_not_repeated() {
        let service = |message: &str| ServiceError {
            status: 400,
            code: Some("Bad".to_owned()),
            message: Some(message.to_owned()),
            ..ServiceError::default()
        };
        let err = Error::new(ErrorKind::InvalidInput, "rejected").with_context("Kubernetes says", "no: such field");
        let shown = format!("{:#}", err.with_service(service("no: such field")));
        assert_eq!(shown, "rejected (Kubernetes says: no: such field): HTTP 400 Bad");
        let err = Error::new(ErrorKind::InvalidInput, "rejected").with_context("Kubernetes says", "no");
        let shown = format!("{:#}", err.with_service(service("another text")));
        assert_eq!(shown, "rejected (Kubernetes says: no): HTTP 400 Bad: another text");
    }

    #[test]
    fn an_external_text_stays_on_one_short_line() {
        let text = format!("a\nb\u{1b}[2J{}", "c".repeat(10_000));
        let service = ServiceError { status: 400, message: Some(text.clone()), ..ServiceError::default() };
        let err = Error::new(ErrorKind::InvalidInput, "refused").with_context("it says", text).with_service(service);
        let (plain, whole) = (err.to_string(), format!("{err:#}"));
        assert!(plain.starts_with("refused (it says: a b\\u{1b}[2Jccc") && plain.ends_with("…)"), "{plain}");
        assert!(!whole.contains(char::is_control) && whole.len() < 2 * plain.len() + 100, "{whole}");
    }

    #[test]
    fn a_refusal_names_action_scope_and_role() {
        let refusal =
            Refusal { smallest_role: Some("Small"), ..Refusal::of(RefusalKind::MissingRight, "a/write", "/s") };
        let err = Error::new(ErrorKind::Forbidden, "may not grant").refused(refusal);
        assert_eq!(
            err.to_string(),
            "may not grant (missing action: a/write, scope: /s, smallest role that has it: Small)"
        );
        assert_eq!(err.smallest_role(), Some("Small"));
    }
}
