//! The body of an answer, on its way out.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::activity::Activity;

/// Where requests come together (HTTP/2), answers are handed on in such pieces: of what the other end does
/// not take, no more lies ready beside the answer itself.
const PIECE: usize = 16 * 1024;

/// A request that runs, until the last byte of its answer is handed on or it is given up.
#[derive(Debug)]
pub(crate) struct Running(Arc<Activity>);

impl Running {
    pub(crate) fn begin(activity: &Arc<Activity>) -> Self {
        activity.begins();
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.ends();
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) struct Answering<B> {
    body: B,
    running: Running,
    pieces: Option<Pieces>,
}

/// An answer in pieces.
#[derive(Debug)]
struct Pieces {
    answer: u64,
    rest: Bytes,
}

impl<B> Answering<B> {
    pub(crate) fn new(body: B, running: Running) -> Self {
        let activity = &running.0;
        let pieces = activity.is_multiplexed().then(|| Pieces { answer: activity.answer(), rest: Bytes::new() });
        Self { body, running, pieces }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answering<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self { body, running, pieces } = &mut *self;
        let Some(pieces) = pieces else { return Pin::new(body).poll_frame(context) };
        running.0.asked_for(pieces.answer);
        if pieces.rest.is_empty() {
            match Pin::new(body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => pieces.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return other,
            }
        }
        let piece = pieces.rest.split_to(pieces.rest.len().min(PIECE));
        running.0.handed_on(pieces.answer);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.as_ref().is_none_or(|pieces| pieces.rest.is_empty()) && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let rest = self.pieces.as_ref().map_or(0, |pieces| pieces.rest.len() as u64);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint.set_lower(hint.lower().saturating_add(rest));
        hint
    }
}

impl<B> Drop for Answering<B> {
    fn drop(&mut self) {
        if let Some(pieces) = &self.pieces {
            self.running.0.asked_for(pieces.answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};

    use super::*;

    #[tokio::test]
    async fn an_answer_is_the_same_in_pieces() {
        let whole: Bytes = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let activity = Arc::new(Activity::new());
        activity.multiplexed();
        let mut body = Answering::new(Full::new(whole.clone()), Running::begin(&activity));
        assert_eq!(body.size_hint().exact(), Some(400_000));
        let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!((first.len(), body.size_hint().exact()), (PIECE, Some(400_000 - PIECE as u64)));
        assert!(!body.is_end_stream());
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!([first, rest].concat(), whole);
    }

    #[tokio::test]
    async fn where_requests_come_one_by_one_it_is_handed_on_whole() {
        let activity = Arc::new(Activity::new());
        let mut body = Answering::new(Full::new(Bytes::from(vec![0; 100_000])), Running::begin(&activity));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap().len(), 100_000);
        assert!(body.is_end_stream());
    }
}
