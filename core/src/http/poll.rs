//! Long-running operations: polling one, and waiting for its end.

use super::{
    Answer, Arm, ArmRequest, CORRELATION_ID, MissingReads, retry_after::retry_after, service_error::service_error,
};
use crate::{
    call::{Call, Poll, Polling},
    error::{Error, ErrorKind, Result, ServiceError},
    lenient::as_word,
};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::Mutex;
use url::Url;

/// A service that asks to be polled again at once is not polled more often than this.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// The progress of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progressed {
    /// Still running, with the service's own status, which is free text.
    Running(String),
    Done,
}

/// An operation of Azure, identified by the link in its first response. The link is signed: it is a secret.
pub(crate) struct Operation {
    link: Url,
    /// How long the service asked to wait before the next poll, if it did.
    wait: Option<Duration>,
    /// The correlation ID of the request that started it. `None` for a stored one.
    correlation_id: Option<String>,
    step: String,
}

impl Operation {
    /// The operation that a response started, if any: `azure-asyncoperation` has precedence over `location`.
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

    /// The operation of a stored link.
    pub fn resume(arm: &Arm, link: &str, step: impl Into<String>) -> Result<Self> {
        Ok(Self { link: arm.check_link(link)?, wait: None, correlation_id: None, step: step.into() })
    }

    /// Sets the request that started it.
    pub fn begun_with(mut self, correlation_id: Option<String>) -> Self {
        self.correlation_id = correlation_id;
        self
    }

    pub fn link(&self) -> &str {
        self.link.as_str()
    }

    /// How long the service asked to wait before the next poll.
    pub fn asked_wait(&self) -> Option<Duration> {
        self.wait
    }

    /// Polls once. The link can change with each poll.
    pub async fn poll(&mut self, arm: &Arm, call: &Call) -> Result<(Progressed, Answer)> {
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

    /// Waits until the operation has ended; a failure is an error with Azure's message.
    /// A replica may not know the operation yet.
    pub async fn wait(self, arm: &Arm, call: &Call) -> Result<()> {
        let polling = Polling::new(self.step.clone()).after(self.wait);
        let (operation, missing_reads) = (Mutex::new(self), MissingReads::default());
        let poll = || async {
            let mut operation = operation.lock().await;
            let progressed = match operation.poll(arm, call).await {
                Err(err) if err.status() == Some(404) => return missing_reads.not_found().ok_or(err),
                looked => looked?.0,
            };
            missing_reads.found();
            Ok(match progressed {
                Progressed::Done => Poll::Ready(()),
                Progressed::Running(status) => Poll::Pending { status: Some(status), wait: operation.wait },
            })
        };
        call.poll_until(polling, poll).await
    }
}

fn asked_wait(answer: &Answer) -> Option<Duration> {
    retry_after(&answer.headers).map(|wait| wait.max(SHORTEST_WAIT))
}

/// Some operations report their failure by an error status on their link. A missing permission to poll, or a busy service, is not a
/// failure of the operation.
fn as_failure(err: Error) -> Error {
    match err.kind() {
        ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Conflict => err.of_kind(ErrorKind::OperationFailed),
        _ => err,
    }
}

/// Only three states end an operation, the third in two spellings, all case-insensitive; any other state means that it is running, and
/// so does a body without a state. A 202 means running whatever its body says; without a body, only the HTTP status counts. A body that
/// is not JSON is an error.
fn read_status(answer: &Answer, step: &str) -> Result<Progressed> {
    let is_final = matches!(answer.status, 200 | 201 | 204);
    if answer.body.trim_ascii().is_empty() {
        return Ok(if is_final { Progressed::Done } else { Progressed::Running("Accepted".to_owned()) });
    }
    let body: Value = answer.read("the state of an operation").map_err(|err| err.with_context("while", step))?;
    let state = [&body["status"], &body["properties"]["provisioningState"]].into_iter().find_map(as_word);
    let Some(state) = state else {
        // An error is the end, even without a state.
        let failure = service(answer, &body["error"]);
        let is_failed = is_final && (failure.code.is_some() || failure.message.is_some());
        let told = if is_final { "no state" } else { "Accepted" };
        return if is_failed {
            Err(failed("an error", failure, step))
        } else {
            Ok(Progressed::Running(told.to_owned()))
        };
    };
    let is = |word: &str| state.eq_ignore_ascii_case(word);
    if is("failed") || is("canceled") || is("cancelled") {
        return Err(failed(&state, service(answer, &body["error"]), step));
    }
    Ok(if is("succeeded") && is_final { Progressed::Done } else { Progressed::Running(state) })
}

/// The service's description of a failure: in Resource Manager's format, or as text.
fn service(answer: &Answer, error: &Value) -> ServiceError {
    let text = |value: &Value| as_word(value).filter(|_| !value.is_object() && !value.is_array());
    let (code, message) = match error {
        Value::Object(_) => (text(&error["code"]), text(&error["message"])),
        other => (None, text(other)),
    };
    let read = service_error(answer.status, &answer.headers, &answer.body);
    // If the error is a string, the parser of other responses would use it as the code.
    let (of_code, of_message) = if error.is_object() { (read.code, read.message) } else { (None, None) };
    ServiceError { code: code.or(of_code), message: of_message.or(message), ..read }
}

fn failed(state: &str, service: ServiceError, step: &str) -> Error {
    Error::new(ErrorKind::OperationFailed, format!("Azure's operation ended in state {state}"))
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
        assert_eq!(status(202, "null").unwrap(), Progressed::Running("Accepted".to_owned()));
        assert_eq!(status(202, "").unwrap(), Progressed::Running("Accepted".to_owned()));
        for empty in ["", " \n"] {
            assert_eq!(status(200, empty).unwrap(), Progressed::Done);
            assert_eq!(status(204, empty).unwrap(), Progressed::Done);
        }
    }

    /// Each is a possible response for an operation that has not succeeded, or whose state is unclear.
    #[test]
    fn a_body_that_does_not_say_so_is_never_a_success() {
        let odd = [
            "null",
            "true",
            "5",
            "\"Succeeded\"",
            "[]",
            r#"["Succeeded"]"#,
            r#"[{"status":"Succeeded"}]"#,
            "{}",
            r#"{"status":null}"#,
            r#"{"status":""}"#,
            r#"{"status":" "}"#,
            r#"{"status":5}"#,
            r#"{"status":true}"#,
            r#"{"status":{"value":"Succeeded"}}"#,
            r#"{"status":["Succeeded"]}"#,
            r#"{"status":"Odd"}"#,
            r#"{"status":5,"properties":{"provisioningState":"Succeeded"}}"#,
            r#"{"state":"Succeeded"}"#,
            r#"{"properties":null}"#,
            r#"{"properties":"Succeeded"}"#,
            r#"{"properties":[]}"#,
            r#"{"properties":{}}"#,
            r#"{"properties":{"provisioningState":null}}"#,
            r#"{"properties":{"provisioningState":5}}"#,
            r#"{"properties":{"provisioningState":{"a":1}}}"#,
            r#"{"properties":{"provisioningState":"Odd"}}"#,
            r#"{"error":null}"#,
            r#"{"error":{}}"#,
            r#"{"error":""}"#,
            r#"{"id":"x","name":"y"}"#,
        ];
        for body in odd {
            assert!(matches!(status(200, body), Ok(Progressed::Running(_))), "{body}");
        }
        for body in ["{", "<html>", "Succeeded", "{\"status\":\"Succeeded\"", "\u{feff}{}"] {
            assert_eq!(status(200, body).unwrap_err().kind(), ErrorKind::Unexpected, "{body}");
        }
    }

    #[test]
    fn what_can_be_read_is_read_beside_a_field_of_another_type() {
        let done = [
            r#"{"status":"Succeeded","properties":null}"#,
            r#"{"status":"Succeeded","properties":"text"}"#,
            r#"{"status":"Succeeded","error":null}"#,
            r#"{"status":"Succeeded","error":{"code":7}}"#,
            r#"{"status":null,"properties":{"provisioningState":"Succeeded"}}"#,
            r#"{"status":" succeeded "}"#,
        ];
        for body in done {
            assert_eq!(status(200, body).unwrap(), Progressed::Done, "{body}");
        }
        let failed = [
            (r#"{"status":"Failed","error":"text"}"#, None, Some("text")),
            (r#"{"status":"Failed","properties":null,"error":{"code":42,"message":"m"}}"#, Some("42"), Some("m")),
            (r#"{"status":"Failed","error":{"code":"C","message":7}}"#, Some("C"), Some("7")),
            (r#"{"status":"Failed","error":{"code":"C","message":"m","details":"text"}}"#, Some("C"), Some("m")),
            (r#"{"status":"Failed","error":{"code":["C"],"message":null}}"#, None, None),
            (r#"{"status":"Failed","error":5}"#, None, Some("5")),
            (r#"{"status":"Failed","error":["text"]}"#, None, None),
            (r#"{"status":"Failed"}"#, None, None),
            (r#"{"status":"Canceled","properties":"text","error":null}"#, None, None),
            (r#"{"properties":{"provisioningState":"Failed"},"error":{"code":"C"}}"#, Some("C"), None),
            (r#"{"error":"text"}"#, None, Some("text")),
            (r#"{"error":{"code":"C","message":"m"}}"#, Some("C"), Some("m")),
            (r#"{"status":null,"error":{"code":42}}"#, Some("42"), None),
        ];
        for (body, code, message) in failed {
            let err = status(200, body).unwrap_err();
            assert_eq!((err.kind(), err.code()), (ErrorKind::OperationFailed, code), "{body}");
            assert_eq!(err.service().and_then(|service| service.message.as_deref()), message, "{body}");
        }
    }
}
