//! Requests to Azure: the `azure_core` pipelines, and the responses of Azure Resource Manager.

mod authorize;
mod credential_failure;
mod deadline;
mod deletion;
mod exchange;
mod failure;
mod foreign;
mod group;
mod guard;
mod header;
mod items;
mod missing_provider;
mod missing_reads;
mod no_connection;
mod paging;
mod poll;
mod provider;
mod read_body;
mod refusal;
mod request;
mod retry_after;
mod service_error;
mod service_time;
mod sign_in_trouble;
mod state;
mod throttle;
mod token;
#[cfg(feature = "identity")]
mod token_transport;
mod trace;
mod weight;

pub use credential_failure::CredentialFailure;
#[cfg(feature = "identity")]
pub(crate) use deadline::log_try;
pub(crate) use deletion::{Deletion, Seen};
pub(crate) use failure::{from_azure, from_service, from_the_way, from_transport};
#[cfg(feature = "identity")]
pub(crate) use failure::{innermost, is_final};
#[cfg(feature = "identity")]
pub(crate) use foreign::is_foreign;
#[cfg(any(feature = "identity", feature = "kubernetes"))]
pub(crate) use foreign::{Head, foreign, redirected};
pub(crate) use group::group_location;
pub(crate) use header::CORRELATION_ID;
#[cfg(feature = "kubernetes")]
pub(crate) use items::each_item;
pub(crate) use missing_reads::MissingReads;
#[cfg(feature = "identity")]
pub(crate) use no_connection::is_transient_if_no_connection;
pub(crate) use paging::read_item;
pub(crate) use poll::{Operation, Progressed};
pub(crate) use provider::Provider;
pub(crate) use read_body::BodyKind;
#[cfg(feature = "kubernetes")]
pub(crate) use read_body::{Kept, MOST_PAGES, ReadError, TooLarge, read_http_body};
pub(crate) use request::{Answer, ArmRequest, RegistryRequest};
#[cfg(feature = "identity")]
pub(crate) use retry_after::retry_after;
#[cfg(feature = "kubernetes")]
pub(crate) use retry_after::{http_date, retry_after_in};
pub(crate) use service_error::service_error;
pub(crate) use service_time::ServiceTime;
#[cfg(feature = "identity")]
pub(crate) use sign_in_trouble::{SignInTrouble, is_trouble};
pub(crate) use state::{Provisioned, shown};
pub(crate) use token::{Caller, Tokens};
#[cfg(feature = "identity")]
pub(crate) use token_transport::TokenTransport;
#[cfg(feature = "identity")]
pub(crate) use trace::token as trace_token;
pub(crate) use trace::{GivenCredential, Try};
#[cfg(feature = "kubernetes")]
pub(crate) use weight::{of as weight_of, of_part as weight_of_part};

use crate::{
    call::Call,
    cloud::Cloud,
    error::{Error, ErrorKind, Result},
    write::{Guard, Intent},
};
use authorize::Authorize;
use azure_core::http::{
    ClientOptions, Context, ExponentialRetryOptions, HttpClient, Pipeline, PipelineStreamOptions, Request,
    RetryOptions, Transport, policies::Policy,
};
use deadline::DeadlineGuard;
use exchange::Exchange;
use guard::WriteGuard;
use std::{fmt, sync::Arc, time::Duration};
use throttle::Pauses;
use url::Url;

/// This library's user agent for every service. In Azure's pipelines `azure_core` adds its own.
#[cfg(any(feature = "identity", feature = "kubernetes"))]
pub(crate) const USER_AGENT_VALUE: &str = concat!("aks-acr/", env!("CARGO_PKG_VERSION"));

/// A call's deadline limits its retries, not `azure_core`'s minute and 8 tries: a throttled subscription asks for waits of several
/// minutes. More tries than these would overflow the policy's arithmetic.
const LONGEST_RETRYING: Duration = Duration::from_secs(24 * 3600);
const MOST_TRIES: u32 = 50;
const LONGEST_OWN_WAIT: Duration = Duration::from_secs(20);

/// Creates the pipelines to Azure: the transport, and what all pipelines have in common.
#[derive(Clone, Debug)]
pub(crate) struct PipelineFactory {
    transport: Arc<dyn HttpClient>,
    guard: Guard,
    pauses: Arc<Pauses>,
}

impl PipelineFactory {
    pub fn new(transport: Arc<dyn HttpClient>, guard: Guard) -> Self {
        Self { transport, guard, pauses: Arc::default() }
    }

    fn pipeline(&self, retry: RetryOptions, policies: Vec<Arc<dyn Policy>>) -> Pipeline {
        let transport = Some(Transport::new(self.transport.clone()));
        let options = ClientOptions { retry, transport, ..ClientOptions::default() };
        let per_call: Vec<Arc<dyn Policy>> = vec![Arc::new(WriteGuard(self.guard.clone()))];
        let mut per_try: Vec<Arc<dyn Policy>> = vec![Arc::new(DeadlineGuard(self.pauses.clone()))];
        per_try.extend(policies);
        per_try.push(Arc::new(Exchange));
        Pipeline::new(Some("aks-acr"), Some(env!("CARGO_PKG_VERSION")), options, per_call, per_try, None)
    }
}

fn retrying() -> RetryOptions {
    RetryOptions::exponential(ExponentialRetryOptions {
        max_retries: MOST_TRIES,
        max_total_elapsed: LONGEST_RETRYING.try_into().unwrap_or_default(),
        max_delay: LONGEST_OWN_WAIT.try_into().unwrap_or_default(),
        ..ExponentialRetryOptions::default()
    })
}

/// Azure Resource Manager of one cloud, for one caller. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Arm {
    cloud: Cloud,
    /// Retries transient failures.
    pipeline: Pipeline,
    /// Sends once: for requests that are not safe to repeat.
    once: Pipeline,
    guard: Guard,
    time: ServiceTime,
}

impl Arm {
    pub fn new(door: &PipelineFactory, cloud: Cloud, tokens: Tokens) -> Self {
        let scope = cloud.arm_scope().to_owned();
        let policies: Vec<Arc<dyn Policy>> = vec![Arc::new(Authorize { tokens, scope })];
        Self {
            pipeline: door.pipeline(retrying(), policies.clone()),
            once: door.pipeline(RetryOptions::none(), policies),
            guard: door.guard.clone(),
            time: ServiceTime::default(),
            cloud,
        }
    }

    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Azure's clock, as its responses report it.
    pub fn time(&self) -> &ServiceTime {
        &self.time
    }

    /// Sends a request. An error status is an error.
    pub async fn send(&self, request: ArmRequest, call: &Call) -> Result<Answer> {
        let url = request.url(self.cloud.arm())?;
        let pipeline = if request.repeatable { &self.pipeline } else { &self.once };
        let intent = request.intent(&url);
        let mut wire = request.wire(url)?;
        let watch =
            deadline::Watch::new(call.clone(), &request.step, request.repeatable, intent).reading(request.body_kind);
        let answer = send(pipeline, &mut wire, watch).await?;
        if !answer.is_success() {
            return Err(from_azure(&request, &answer));
        }
        self.time.read(&answer);
        Ok(answer)
    }

    /// Rejects a write of a read-only client early, before local work is done for it.
    pub fn check_read_only(&self, request: &ArmRequest) -> Result<()> {
        match request.intent(&request.url(self.cloud.arm())?) {
            Intent::Write(write) => self.guard.check_read_only(&write),
            Intent::Read => Ok(()),
        }
    }

    /// Sends a request whose response may be that the resource does not exist.
    pub async fn send_opt(&self, request: ArmRequest, call: &Call) -> Result<Option<Answer>> {
        match self.send(request, call).await {
            Ok(answer) => Ok(Some(answer)),
            Err(err) if err.kind() == ErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
    }

    /// Checks that a link in a response leads back to Resource Manager: a token must not be sent to any other host.
    fn check_link(&self, link: &str) -> Result<Url> {
        let wrong = || Error::new(ErrorKind::Unexpected, "Azure returned a link to another host; it is not followed");
        let home = Url::parse(self.cloud.arm()).map_err(|err| wrong().with_source(err))?;
        let url = home.join(link).map_err(|err| wrong().with_source(err))?;
        if url.origin() == home.origin() && url.username().is_empty() && url.password().is_none() {
            return Ok(url);
        }
        Err(wrong().with_context("host", url.host_str().unwrap_or_default()))
    }
}

/// The pipelines contain the caller's credential, whose own `Debug` might show secrets.
impl fmt::Debug for Arm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Arm").field("cloud", &self.cloud).finish_non_exhaustive()
    }
}

/// The data plane of Azure and other registries, and Microsoft Graph: each host has its own tokens, which the calling code adds.
#[derive(Clone, Debug)]
pub(crate) struct Registries {
    pipeline: Pipeline,
}

impl Registries {
    pub fn new(door: &PipelineFactory) -> Self {
        Self { pipeline: door.pipeline(retrying(), Vec::new()) }
    }

    /// Sends a request. An error status is a response here: a registry uses it to ask for a sign-in.
    pub async fn send(&self, request: RegistryRequest, call: &Call) -> Result<Answer> {
        let watch =
            deadline::Watch::new(call.clone(), &request.step, true, request.intent.clone()).reading(request.body_kind);
        send(&self.pipeline, &mut request.wire()?, watch).await
    }
}

async fn send(pipeline: &Pipeline, request: &mut Request, watch: deadline::Watch) -> Result<Answer> {
    let watch = Arc::new(watch);
    let (step, call) = (watch.step(), watch.call());
    let context = Context::new().with_value(watch.clone());
    // Streamed, because the pipeline's own buffer has no limit. The body was already read, with a limit.
    let options = PipelineStreamOptions { skip_checks: true, ..PipelineStreamOptions::default() };
    let work = async {
        let answer = match pipeline.stream(&context, request, Some(options)).await {
            Ok(answer) => answer.try_into_raw_response().await,
            Err(err) => Err(err),
        };
        match (answer, watch.verdict()) {
            (_, Some(verdict)) => Err(verdict),
            (Ok(answer), None) => Ok(Answer { is_repeated: watch.may_have_had_effect(), ..Answer::from(answer) }),
            (Err(err), None) => Err(from_transport(err, step)),
        }
    };
    call.run(step, work).await.map_err(|err| watch.explain(err))
}
