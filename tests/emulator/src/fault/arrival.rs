//! How an answer's body comes: whole, cut off, slowly, or not to its end.

use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::Response;
use http::header::CONTENT_LENGTH;
use http_body::Body as _;

/// How a body comes. It travels with an answer to the door that the answer leaves by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Arrival {
    #[default]
    Whole,
    /// Its length is promised, and the connection ends halfway.
    Truncated,
    /// The head and one half come at once, the other half after this time.
    Slow(Duration),
    /// The head and one half come at once, and then nothing. A response without a length, a watch, continues for this time first.
    Silent(Duration),
}

/// Lets the body of an answer come as it was said.
pub(crate) fn arrive(answer: Response<Body>) -> Response<Body> {
    let arrival = answer.extensions().get::<Arrival>().copied().unwrap_or_default();
    if arrival == Arrival::Whole {
        return answer;
    }
    let (mut head, body) = answer.into_parts();
    if let (Arrival::Silent(time), None) = (arrival, body.size_hint().exact()) {
        return Response::from_parts(head, Body::from_stream(silent_after(time, body)));
    }
    // A watch has no length: it is one event that comes, or is late.
    let length = body.size_hint().exact();
    if let Some(length) = length.filter(|length| *length > 0) {
        head.headers.insert(CONTENT_LENGTH, length.into());
    }
    let half = length.map_or(usize::MAX, |length| usize::try_from(length / 2).unwrap_or(usize::MAX));
    Response::from_parts(head, Body::from_stream(parts(body, half, length == Some(0), arrival)))
}

/// A watch: what comes within the time, and then nothing, not even an end.
fn silent_after(time: Duration, body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let data = body.into_data_stream().map(|part| part.map_err(io::Error::other));
    // Begun when it is first polled: a body is read after its head.
    let end = async move { tokio::time::sleep(time).await };
    let heard = if time.is_zero() { stream::empty().boxed() } else { data.take_until(Box::pin(end)).boxed() };
    heard.chain(stream::pending())
}

/// One half, then what the arrival says; a body without a length is cut after its first part.
fn parts(body: Body, half: usize, is_empty: bool, arrival: Arrival) -> impl Stream<Item = io::Result<Bytes>> + Send {
    let data = body.into_data_stream().map(|part| part.map_err(io::Error::other));
    let begin = stream::once(async move {
        let mut data = Box::pin(data);
        let first = if is_empty { None } else { data.next().await };
        (first, data)
    });
    begin.flat_map(move |(first, rest)| {
        let (first, kept) = match first {
            Some(Ok(mut part)) => {
                let kept = part.split_off(half.min(part.len()));
                (Some(Ok(part)), kept)
            }
            first => (first, Bytes::new()),
        };
        let first = stream::iter(first);
        let then = match arrival {
            Arrival::Truncated if !is_empty => stream::once(async { Err(cut()) }).boxed(),
            Arrival::Slow(time) => {
                let late = async move {
                    tokio::time::sleep(time).await;
                    Ok(kept)
                };
                stream::once(late).chain(rest).boxed()
            }
            Arrival::Silent(_) if !is_empty => stream::pending().boxed(),
            Arrival::Whole | Arrival::Truncated | Arrival::Silent(_) => stream::iter([Ok(kept)]).chain(rest).boxed(),
        };
        first.chain(then)
    })
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the connection ended before the body did, by the emulator")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;
    use tokio::time::Instant;

    fn answer(text: &'static str, arrival: Arrival) -> Response<Body> {
        let mut answer = Response::new(Body::from(text));
        answer.extensions_mut().insert(arrival);
        arrive(answer)
    }

    #[tokio::test]
    async fn half_of_what_is_promised_comes_and_then_the_end() {
        let answer = answer("12345678", Arrival::Truncated);
        assert_eq!(answer.headers()[CONTENT_LENGTH], "8");
        let mut data = answer.into_body().into_data_stream();
        assert_eq!(data.next().await.unwrap().unwrap(), "1234");
        assert!(data.next().await.unwrap().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_body_is_whole_in_the_end() {
        let begun = Instant::now();
        let body = answer("12345678", Arrival::Slow(Duration::from_secs(9))).into_body().collect().await;
        assert_eq!(body.unwrap().to_bytes(), "12345678");
        assert_eq!(begun.elapsed(), Duration::from_secs(9));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_body_has_a_half_and_no_end() {
        let mut data = answer("12345678", Arrival::Silent(Duration::ZERO)).into_body().into_data_stream();
        assert_eq!(data.next().await.unwrap().unwrap(), "1234");
        assert!(tokio::time::timeout(Duration::from_secs(24 * 3600), data.next()).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_watch_goes_silent_after_its_time() {
        let ticks = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            Some((Ok::<_, io::Error>(Bytes::from_static(b"tick")), ()))
        });
        let mut answer = Response::new(Body::from_stream(ticks));
        answer.extensions_mut().insert(Arrival::Silent(Duration::from_secs(5)));
        let mut data = arrive(answer).into_body().into_data_stream();
        assert!(data.next().await.is_some() && data.next().await.is_some());
        assert!(tokio::time::timeout(Duration::from_secs(24 * 3600), data.next()).await.is_err());
    }

    #[tokio::test]
    async fn what_has_no_body_is_not_cut() {
        let body = answer("", Arrival::Truncated).into_body().collect().await;
        assert!(body.unwrap().to_bytes().is_empty());
    }
}
