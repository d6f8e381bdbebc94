//! Long-running operations: how far one is, and the wait until it has ended.

use super::{Answer, Arm, ArmRequest, CORRELATION_ID, wait::retry_after};
use crate::{
    call::{Call, Event},
    error::{Error, ErrorKind, Result, ServiceError},
};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// A service that asks to come back at once is not asked more often than this.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
/// The first wait where the service names none; each next one is half as long again.
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15);

/// How far an operation is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progressed {
    /// Still running, in the service's own word, which is free text.
    Running(String),
    Done,
}

/// An operation that Azure works on, known by the link that its first answer named. The link is signed: it is a secret.
pub(crate) struct Operation {
    link: Url,
    /// How long the service asked to wait before the next look, if it did.
    wait: Option<Duration>,
    /// By which Azure's activity log knows the request that began it. `None` for one that was stored.
    correlation_id: Option<String>,
    step: String,
}

impl Operation {
    /// The operation that an answer began, if it began one: `azure-asyncoperation` goes before `location`.
    pub fn begun_by(arm: &Arm, answer: &Answer, step: impl Into<String>) -> Result<Option<Self>> {
        let link = answer
            .header("azure-asyncoperation")
            .or_else(|| answer.header("location").filter(|_| answer.status == 202));
        let Some(link) = link else { return Ok(None) };
        Ok(Some(Self {
            link: arm.check_link(link)?,
            wait: asked_wait(answer),
            correlation_id: answer.header(CORRELATION_ID).map(str::to_owned),
            step: step.into(),
        }))
    }

    /// The operation behind a link that was stored.
    pub fn resume(arm: &Arm, link: &str, step: impl Into<String>) -> Result<Self> {
        Ok(Self { link: arm.check_link(link)?, wait: None, correlation_id: None, step: step.into() })
    }

    /// Says by which request it was begun.
    pub fn begun_with(mut self, correlation_id: Option<String>) -> Self {
        self.correlation_id = correlation_id;
        self
    }

    pub fn link(&self) -> &str {
        self.link.as_str()
    }

    /// How long the service asked to wait before the next look.
    pub fn asked_wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Looks once. The link may change from look to look.
    pub async fn look(&mut self, arm: &Arm, call: &Call) -> Result<(Progressed, Answer)> {
        let answer =
            arm.send(ArmRequest::follow(self.link.clone()).step(self.step.clone()), call).await.map_err(as_failure);
        let answer = answer.map_err(|err| match err.kind() {
            ErrorKind::OperationFailed => err.correlated_with(self.correlation_id.as_deref()),
            _ => err,
        })?;
        if let Some(link) = answer.header("azure-asyncoperation").or_else(|| answer.header("location")) {
            self.link = arm.check_link(link)?;
        }
        self.wait = asked_wait(&answer);
        let begun_by = self.correlation_id.as_deref();
        let progressed = read_status(&answer, &self.step).map_err(|err| err.correlated_with(begun_by))?;
        Ok((progressed, answer))
    }

    /// Waits until the operation has ended; its failure is an error with what Azure said.
    pub async fn wait(mut self, arm: &Arm, call: &Call) -> Result<()> {
        let mut pause = FIRST_WAIT;
        for attempt in 1.. {
            if let Some(asked) = self.wait {
                call.sleep(&self.step, asked).await?;
            } else if attempt > 1 {
                call.sleep(&self.step, pause).await?;
                pause = (pause + pause / 2).min(LONGEST_WAIT);
            }
            match self.look(arm, call).await?.0 {
                Progressed::Done => break,
                Progressed::Running(status) => {
                    call.report(Event::Polling { step: self.step.clone(), attempt, status });
                }
            }
        }
        Ok(())
    }
}

fn asked_wait(answer: &Answer) -> Option<Duration> {
    retry_after(&answer.headers).map(|wait| wait.max(SHORTEST_WAIT))
}

/// Some operations tell their failure by an error status on their link. What says that the caller may not look, or that Azure is
/// busy, is no failure of the operation.
fn as_failure(err: Error) -> Error {
    match err.kind() {
        ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Conflict => err.of_kind(ErrorKind::OperationFailed),
        _ => err,
    }
}

/// Only three words end an operation, the third in two spellings, all without regard to case; any other word means that it is
/// running. A 202 is running whatever its body says; a body without a status is judged by the HTTP status.
fn read_status(answer: &Answer, step: &str) -> Result<Progressed> {
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Body {
        status: Option<String>,
        properties: Properties,
        error: Option<Failure>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Properties {
        #[serde(rename = "provisioningState")]
        provisioning_state: Option<String>,
    }
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let status = body.status.or(body.properties.provisioning_state).unwrap_or_default();
    let is = |word: &str| status.eq_ignore_ascii_case(word);
    if is("failed") || is("canceled") || is("cancelled") {
        return Err(failed(&status, body.error.unwrap_or_default(), answer, step));
    }
    let is_done = is("succeeded") || (status.is_empty() && answer.status != 202);
    Ok(if is_done && answer.status != 202 { Progressed::Done } else { Progressed::Running(status) })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    code: Option<String>,
    message: Option<String>,
}

fn failed(status: &str, failure: Failure, answer: &Answer, step: &str) -> Error {
    let service = super::failure::service_error(answer.status, &answer.headers, &answer.body);
    let service =
        ServiceError { code: failure.code.or(service.code), message: failure.message.or(service.message), ..service };
    Error::new(ErrorKind::OperationFailed, format!("Azure's operation ended as {status}"))
        .with_context("while", step)
        .with_service(service)
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::headers::Headers;

    fn status(status: u16, body: &str) -> Result<Progressed> {
        let answer = Answer { status, headers: Headers::new(), body: body.to_owned().into(), is_repeated: false };
        read_status(&answer, "testing")
    }

    #[test]
    fn free_text_means_running() {
        for word in ["InProgress", "CreatingAgentPools: 1/3 nodes completed", "succeeded-ish"] {
            let running = status(200, &format!(r#"{{"status":"{word}"}}"#)).unwrap();
            assert_eq!(running, Progressed::Running(word.to_owned()));
        }
    }

    #[test]
    fn the_final_words_are_known_in_any_case() {
        assert_eq!(status(200, r#"{"status":"SUCCEEDED"}"#).unwrap(), Progressed::Done);
        for word in ["failed", "Canceled", "CANCELLED"] {
            let err =
                status(200, &format!(r#"{{"status":"{word}","error":{{"code":"C","message":"m"}}}}"#)).unwrap_err();
            assert_eq!((err.kind(), err.code()), (ErrorKind::OperationFailed, Some("C")));
        }
    }

    #[test]
    fn a_202_is_running_and_an_empty_200_is_done() {
        assert_eq!(status(202, r#"{"status":"Succeeded"}"#).unwrap(), Progressed::Running("Succeeded".to_owned()));
        assert_eq!(status(202, "null").unwrap(), Progressed::Running(String::new()));
        assert_eq!(status(200, "").unwrap(), Progressed::Done);
    }
}
