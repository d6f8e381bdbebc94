//! Reads the body of a response up to a limit. The limit counts decoded bytes, so that compression gets around it as little as a missing
//! length does.

use crate::error::{Error, ErrorKind};
use azure_core::{
    error::ErrorKind as Azure,
    http::{AsyncRawResponse, headers::CONTENT_LENGTH},
};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use std::fmt;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a body holds, which decides how long it may be.
///
/// Each limit is several times the largest body of its kind that is known: Entra's tokens reach some 20 KB, Resource Manager's objects
/// some 100 KB and its pages about 2 MB, a registry takes manifests up to 4 MiB, and etcd objects up to 1.5 MB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// A token, of Entra, a machine or a registry.
    Token,
    /// The body of an error status, whoever sends it.
    Error,
    /// An object of Resource Manager, or the state of an operation.
    Object,
    /// A page of a list.
    ListPage,
    /// A registry's manifest.
    Manifest,
    /// An object of Kubernetes, also a single event of a watch.
    #[cfg_attr(not(any(feature = "kubernetes", test)), expect(dead_code, reason = "only clusters have these"))]
    KubernetesObject,
    /// A page of a list of Kubernetes.
    #[cfg_attr(not(any(feature = "kubernetes", test)), expect(dead_code, reason = "only clusters have these"))]
    KubernetesList,
}

impl BodyKind {
    /// The most bytes that are read.
    pub const fn limit(self) -> usize {
        match self {
            Self::Token => 256 * KIB,
            Self::Error => 512 * KIB,
            Self::Object | Self::Manifest | Self::KubernetesObject => 4 * MIB,
            Self::ListPage => 8 * MIB,
            Self::KubernetesList => 16 * MIB,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Token => "a token",
            Self::Error => "an error",
            Self::Object => "a resource",
            Self::ListPage => "a page of a list",
            Self::Manifest => "a manifest",
            Self::KubernetesObject => "a Kubernetes object",
            Self::KubernetesList => "a page of a Kubernetes list",
        }
    }
}

/// A body is longer than its kind may be. Reading ended there; a second try would end the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLong(pub BodyKind);

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(kind) = self;
        match (kind.limit() / MIB, kind.limit() / KIB) {
            (0, kib) => write!(f, "longer than {kib} KiB, the limit for {}", kind.name()),
            (mib, _) => write!(f, "longer than {mib} MiB, the limit for {}", kind.name()),
        }
    }
}

impl std::error::Error for TooLong {}

impl TooLong {
    /// The caller's error.
    pub fn error(self, step: &str) -> Error {
        Error::new(ErrorKind::Unexpected, "the response body is too long and was not read")
            .with_context("while", step)
            .with_context("body", self.to_string())
    }

    fn in_pipeline(self) -> azure_core::Error {
        azure_core::Error::new(Azure::Other, self)
    }
}

/// The parts of a body that have come so far.
#[derive(Debug)]
pub(crate) struct BodyReader {
    kind: BodyKind,
    parts: Vec<Bytes>,
    length: usize,
}

impl BodyReader {
    pub fn new(kind: BodyKind) -> Self {
        Self { kind, parts: Vec::new(), length: 0 }
    }

    /// Refuses a body by its announced length, before any of it is read.
    pub fn check_length(&self, announced: Option<u64>) -> Result<(), TooLong> {
        let limit = self.kind.limit() as u64;
        if announced.is_some_and(|length| length > limit) { Err(TooLong(self.kind)) } else { Ok(()) }
    }

    /// Takes the next part. What is over the limit is not kept.
    pub fn push(&mut self, part: Bytes) -> Result<(), TooLong> {
        self.length = self.length.saturating_add(part.len());
        if self.length > self.kind.limit() {
            return Err(TooLong(self.kind));
        }
        if !part.is_empty() {
            self.parts.push(part);
        }
        Ok(())
    }

    /// The whole body.
    pub fn finish(mut self) -> Bytes {
        match self.parts.len() {
            0 => Bytes::new(),
            1 => self.parts.swap_remove(0),
            _ => self.parts.concat().into(),
        }
    }
}

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError<E> {
    TooLong(TooLong),
    /// The connection broke off.
    Broken(E),
}

/// Reads a body to its end.
pub(crate) async fn read_body<E>(
    mut parts: impl Stream<Item = Result<Bytes, E>> + Unpin,
    kind: BodyKind,
) -> Result<Bytes, ReadError<E>> {
    let mut reader = BodyReader::new(kind);
    while let Some(part) = parts.next().await {
        reader.push(part.map_err(ReadError::Broken)?).map_err(ReadError::TooLong)?;
    }
    Ok(reader.finish())
}

/// The same of the body that `kube` gives.
#[cfg(feature = "kubernetes")]
pub(crate) async fn read_http_body<B>(mut body: B, kind: BodyKind) -> Result<Bytes, ReadError<B::Error>>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let data = futures::stream::poll_fn(move |context| {
        std::pin::Pin::new(&mut body).poll_frame(context).map_ok(|frame| frame.into_data().unwrap_or_default()) // Trailers hold nothing of the body.
    });
    read_body(data, kind).await
}

/// Reads the response of a transport. A body that breaks off is a lost connection, which the retry policy repeats.
pub(super) async fn read_response(
    response: AsyncRawResponse,
    kind: BodyKind,
) -> azure_core::Result<(AsyncRawResponse, Bytes)> {
    let (status, headers, body) = response.deconstruct();
    let kind = if status.is_success() { kind } else { BodyKind::Error };
    // The length of a compressed body says less than what it becomes, never more.
    let announced = headers.get_optional_str(&CONTENT_LENGTH).and_then(|text| text.trim().parse().ok());
    BodyReader::new(kind).check_length(announced).map_err(TooLong::in_pipeline)?;
    let body = read_body(body, kind).await.map_err(|err| match err {
        ReadError::TooLong(err) => err.in_pipeline(),
        ReadError::Broken(err) => azure_core::Error::with_error(Azure::Io, err, "the response body broke off"),
    })?;
    Ok((AsyncRawResponse::from_bytes(status, headers, body.clone()), body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::http::{StatusCode, headers::Headers};
    use futures::stream;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    const ALL: [BodyKind; 7] = [
        BodyKind::Token,
        BodyKind::Error,
        BodyKind::Object,
        BodyKind::ListPage,
        BodyKind::Manifest,
        BodyKind::KubernetesObject,
        BodyKind::KubernetesList,
    ];

    fn endless(part: usize, taken: &Arc<AtomicUsize>) -> AsyncRawResponse {
        let taken = taken.clone();
        let parts = stream::repeat_with(move || {
            taken.fetch_add(part, Ordering::Relaxed);
            Ok(Bytes::from(vec![b' '; part]))
        });
        AsyncRawResponse::new(StatusCode::Ok, Headers::new(), Box::pin(parts))
    }

    #[tokio::test]
    async fn a_body_without_end_is_read_up_to_its_limit_and_no_further() {
        for kind in ALL {
            let taken = Arc::default();
            let err = read_response(endless(64 * KIB, &taken), kind).await.unwrap_err();
            assert!(err.to_string().contains("limit for"), "{err}");
            assert!(taken.load(Ordering::Relaxed) <= kind.limit() + 128 * KIB, "{kind:?}");
        }
    }

    #[tokio::test]
    async fn a_body_of_just_the_limit_is_whole() {
        for kind in ALL {
            let half = Bytes::from(vec![b'x'; kind.limit() / 2]);
            let whole = stream::iter([Ok::<_, ()>(half.clone()), Ok(half.clone())]);
            assert_eq!(read_body(whole, kind).await.unwrap().len(), kind.limit());
            let more = stream::iter([Ok::<_, ()>(half.clone()), Ok(half), Ok(Bytes::from_static(b"x"))]);
            assert!(matches!(read_body(more, kind).await, Err(ReadError::TooLong(TooLong(named))) if named == kind));
        }
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_before_a_byte_is_read() {
        let taken: Arc<AtomicUsize> = Arc::default();
        let (status, mut headers, body) = endless(1, &taken).deconstruct();
        headers.insert("content-length", "10737418240");
        let response = AsyncRawResponse::new(status, headers, Box::pin(body));
        assert!(read_response(response, BodyKind::Object).await.is_err());
        assert_eq!(taken.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn an_error_status_has_a_limit_of_its_own() {
        let taken = Arc::default();
        let (_, headers, body) = endless(64 * KIB, &taken).deconstruct();
        let response = AsyncRawResponse::new(StatusCode::BadGateway, headers, Box::pin(body));
        let err = read_response(response, BodyKind::ListPage).await.unwrap_err();
        assert!(err.to_string().contains("512 KiB, the limit for an error"), "{err}");
    }

    #[test]
    fn the_error_names_the_limit() {
        let err = TooLong(BodyKind::Token).error("signing in");
        assert_eq!(err.kind(), ErrorKind::Unexpected);
        assert!(err.to_string().contains("256 KiB, the limit for a token"), "{err}");
    }
}
