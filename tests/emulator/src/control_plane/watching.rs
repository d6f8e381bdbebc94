//! What passes between the nodes and their API server: pods and what they refer to one way, writes the other.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::client::{Client, within};
use super::running::Cluster;
use crate::kubernetes::Write;

/// The wait before a list or a write that failed is tried again.
const PAUSE: Duration = if cfg!(test) { Duration::from_millis(10) } else { Duration::from_secs(1) };
/// How often a write is tried.
const TRIES: usize = 5;
/// Refusals of a write that may be taken later.
const TRANSIENT: [StatusCode; 3] =
    [StatusCode::UNAUTHORIZED, StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
/// How long one watch lasts, and how much later than that it ends at the latest.
const WATCH: Duration = Duration::from_secs(300);
const SLACK: Duration = Duration::from_secs(30);

/// Keeps the nodes informed about a resource until the cluster is gone.
pub(super) async fn follow(cluster: &Cluster, resource: &str, client: &Client) {
    let mut reported = String::new();
    loop {
        match list_and_watch(cluster, resource, client).await {
            // A watch ends from time to time.
            Ok(true) => reported.clear(),
            Ok(false) => return,
            Err(fault) => {
                let fault = fault.to_string();
                if fault != reported {
                    eprintln!("aks-acr-emulator: the nodes of {} cannot watch {resource}: {fault}", cluster.fqdn);
                    reported = fault;
                }
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Lists, and watches until the watch ends. `false` when the cluster is gone.
async fn list_and_watch(cluster: &Cluster, resource: &str, client: &Client) -> io::Result<bool> {
    let answer = client.get(&format!("/api/v1/{resource}")).await?;
    let mut list: Value = serde_json::from_slice(expected(&answer)?)?;
    let version = list["metadata"]["resourceVersion"].as_str().unwrap_or("0").to_owned();
    let Value::Array(items) = list["items"].take() else { return Err(io::Error::other("the list has no items")) };
    if cluster.with(|real, now| real.remote.replace(resource, items, now)).is_none() {
        return Ok(false);
    }
    let seconds = WATCH.as_secs();
    let path = format!("/api/v1/{resource}?watch=1&resourceVersion={version}&timeoutSeconds={seconds}");
    let answer = client.watch(&path).await?;
    if !answer.status().is_success() {
        // The version may be too old by now.
        return Ok(true);
    }
    let (mut body, mut rest) = (answer.into_body(), BytesMut::new());
    let end = Instant::now() + WATCH + SLACK;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let Some(frame) = within(left, async { Ok(body.frame().await) }).await? else { return Ok(true) };
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        rest.extend_from_slice(&data);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = rest.split_to(end + 1);
            let mut event: Value = serde_json::from_slice(&line)?;
            let (kind, object) = (event["type"].take(), event["object"].take());
            if kind == "ERROR" {
                return Ok(true);
            }
            let kind = kind.as_str().unwrap_or_default();
            if cluster.with(|real, now| real.remote.change(resource, kind, object, now)).is_none() {
                return Ok(false);
            }
        }
    }
}

/// The body of an answer, unless it is a refusal.
fn expected(answer: &Response<Bytes>) -> io::Result<&[u8]> {
    if answer.status().is_success() {
        return Ok(answer.body());
    }
    let text = String::from_utf8_lossy(answer.body());
    Err(io::Error::other(format!("{}: {text}", answer.status())))
}

/// Sends what the nodes write, in order, until the cluster is gone.
pub(super) async fn write(cluster: &Cluster, mut writes: UnboundedReceiver<Write>, client: &Client) {
    while let Some(write) = writes.recv().await {
        let (server, subject) = (&cluster.fqdn, write.subject());
        match deliver(client, &write).await {
            Delivery::Done => {}
            Delivery::Rejected(why) => {
                eprintln!("aks-acr-emulator: the API server of {server} rejected {subject}: {why}");
            }
            Delivery::Lost(fault) => {
                eprintln!("aks-acr-emulator: {subject} failed {TRIES} times at the API server of {server}: {fault}");
                if cluster.with(|real, _| real.remote.lost(write)).is_none() {
                    return;
                }
            }
        }
    }
}

/// What came of a write.
#[derive(Debug)]
enum Delivery {
    /// The server has it, or has no place for it any more, which a node expects.
    Done,
    Rejected(String),
    /// No try had a result.
    Lost(io::Error),
}

/// Sends one write, and again after transient errors.
async fn deliver(client: &Client, write: &Write) -> Delivery {
    let mut tries = 1;
    loop {
        match sent(client, write).await {
            Ok(delivery) => return delivery,
            Err(fault) if tries == TRIES => return Delivery::Lost(fault),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        tries += 1;
    }
}

/// Sends one write once. An error is transient.
async fn sent(client: &Client, write: &Write) -> io::Result<Delivery> {
    let mut answer = client.exchange(write.request().map_err(io::Error::other)?).await?;
    if let (StatusCode::NOT_FOUND, Some(instead)) = (answer.status(), write.if_missing()) {
        answer = client.exchange(instead.request().map_err(io::Error::other)?).await?;
    }
    match answer.status() {
        // The object is gone, is another one, or its namespace is going.
        StatusCode::NOT_FOUND | StatusCode::CONFLICT | StatusCode::FORBIDDEN => Ok(Delivery::Done),
        status if status.is_client_error() && !TRANSIENT.contains(&status) => {
            Ok(Delivery::Rejected(String::from_utf8_lossy(answer.body()).into_owned()))
        }
        _ => expected(&answer).map(|_| Delivery::Done),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use serde_json::json;
    use tokio::sync::mpsc::unbounded_channel;

    use super::super::fake::{Fake, reply};
    use super::*;
    use crate::kubernetes::{NodeSpec, Remote};

    /// The first write of a node that joins.
    fn write() -> Write {
        let (queue, mut writes) = unbounded_channel();
        let now = Instant::now();
        let spec = NodeSpec {
            name: String::from("n"),
            pool: String::from("p"),
            os: String::from("linux"),
            architecture: String::from("amd64"),
            containerd: crate::node::USUAL_CONTAINERD,
            identity: Some(crate::kubernetes::NodeIdentity::fake()),
            machine: crate::kubernetes::machine::Machine::default(),
        };
        Remote::new("1.33.3", now, SystemTime::now(), queue).adjust(&[spec], now);
        writes.try_recv().unwrap()
    }

    async fn delivered(status: u16) -> (Delivery, usize) {
        let fake = Fake::start(move |_| Some(reply(status, "why"))).await;
        let delivery = deliver(&fake.clients.admin, &write()).await;
        (delivery, fake.seen().len())
    }

    #[tokio::test]
    async fn a_write_that_fails_again_and_again_is_lost_and_says_so() {
        for status in [401, 429, 500, 503] {
            let (delivery, tries) = delivered(status).await;
            let Delivery::Lost(fault) = delivery else { panic!("{status}: {delivery:?}") };
            assert!(
                fault.to_string().starts_with(&status.to_string()) && fault.to_string().ends_with(": why"),
                "{fault}"
            );
            assert_eq!(tries, TRIES);
        }
    }

    #[tokio::test]
    async fn a_refusal_is_no_transient_error() {
        for status in [400, 405, 413, 422] {
            let (delivery, tries) = delivered(status).await;
            assert!(matches!(delivery, Delivery::Rejected(why) if why == "why"), "{status}");
            assert_eq!(tries, 1);
        }
        for status in [200, 201, 403, 404, 409] {
            let (delivery, tries) = delivered(status).await;
            assert!(matches!(delivery, Delivery::Done) && tries == 1, "{status}");
        }
    }

    #[tokio::test]
    async fn an_event_that_has_expired_is_created_again() {
        let fake = Fake::start(|request| Some(reply(if request.method() == "POST" { 201 } else { 404 }, ""))).await;
        let write =
            Write::count_of_event("/events", "one", &json!({"count": 2}), &json!({"reason": "Failed", "count": 2}));
        assert!(matches!(deliver(&fake.clients.admin, &write).await, Delivery::Done));
        assert_eq!(fake.seen(), ["PATCH /events/one", "POST /events"]);
        let sent: Value = serde_json::from_slice(&fake.requests.lock().unwrap()[1].1).unwrap();
        assert_eq!(sent, json!({"reason": "Failed", "count": 2}));
    }
}
