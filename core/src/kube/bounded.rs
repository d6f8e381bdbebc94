//! A response body that ends with an error where it is longer than its kind may be. The bytes are counted as they are read, decoded.

use crate::http::{BodyKind, TooLong};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use kube::client::Body;
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower::BoxError;

/// A body of `kube` with a limit: for the whole of it, or, for a watch, for each of its lines.
pub(super) struct Bounded {
    inner: Body,
    kind: BodyKind,
    length: usize,
}

impl Bounded {
    pub fn new(inner: Body, kind: BodyKind) -> Self {
        Self { inner, kind, length: 0 }
    }

    fn count(&mut self, part: &[u8]) -> Result<(), TooLong> {
        let is_watch = self.kind == BodyKind::KubernetesObject;
        let line = part.iter().rposition(|byte| *byte == b'\n').filter(|_| is_watch);
        let first = part.iter().position(|byte| *byte == b'\n').filter(|_| is_watch).unwrap_or(part.len());
        self.length = self.length.saturating_add(first);
        if self.length > self.kind.limit() {
            return Err(TooLong(self.kind));
        }
        if let Some(line) = line {
            self.length = part.len() - line - 1;
        }
        Ok(())
    }
}

impl HttpBody for Bounded {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(Pin::new(&mut self.inner).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            Some(Err(err)) => return Poll::Ready(Some(Err(err.into()))),
            None => return Poll::Ready(None),
        };
        let counted = frame.data_ref().map_or(Ok(()), |part| self.count(part));
        Poll::Ready(Some(counted.map(|()| frame).map_err(Into::into)))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(kind: BodyKind, parts: &[Vec<u8>]) -> Result<(), TooLong> {
        let mut body = Bounded::new(Body::empty(), kind);
        parts.iter().try_for_each(|part| body.count(part))
    }

    #[test]
    fn a_watch_goes_on_for_ever_and_none_of_its_lines_does() {
        let limit = BodyKind::KubernetesObject.limit();
        let mut line = vec![b'x'; limit];
        line.push(b'\n');
        assert!(counted(BodyKind::KubernetesObject, &[line.clone(), line.clone(), line.clone()]).is_ok());
        assert!(counted(BodyKind::KubernetesObject, &[line, vec![b'x'; limit], b"x".to_vec()]).is_err());
        let halves = [b"x\n".repeat(9), vec![b'x'; limit], b"\nx\n".to_vec(), vec![b'x'; limit]];
        assert!(counted(BodyKind::KubernetesObject, &halves).is_ok());
    }

    #[test]
    fn another_answer_is_counted_as_a_whole() {
        let line = [vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
        let most = BodyKind::KubernetesList.limit() / line.len();
        assert!(counted(BodyKind::KubernetesList, &vec![line.clone(); most]).is_ok());
        assert!(counted(BodyKind::KubernetesList, &vec![line; most + 1]).is_err());
    }
}
