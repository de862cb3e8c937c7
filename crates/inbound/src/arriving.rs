//! A body that arrives, at a pace.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::pace::Pace;

/// A body that is not waited for when nothing of it comes.
#[derive(Debug)]
pub struct Arriving<B> {
    body: B,
    pace: Pace,
}

/// Why a body is not read to its end.
#[derive(Debug, thiserror::Error)]
pub enum Unarrived<E> {
    /// Its sender keeps us waiting.
    #[error("the body does not arrive")]
    TooSlow(#[source] TooSlow),
    /// The connection.
    #[error("the body was broken off")]
    Broken(#[source] E),
}

/// Its sender keeps us waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too little of the body came in too long a time")]
pub struct TooSlow;

impl<B> Arriving<B> {
    pub(crate) const fn new(body: B, grace: Duration) -> Self {
        Self { body, pace: Pace::with(grace) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Arriving<B> {
    type Data = Bytes;
    type Error = Unarrived<B::Error>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                self.pace.moved(frame.data_ref().map_or(0, Bytes::len));
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(Unarrived::Broken(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                ready!(self.pace.waits(context));
                Poll::Ready(Some(Err(Unarrived::TooSlow(TooSlow))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    /// A body of which nothing comes.
    struct Nothing;

    impl Body for Nothing {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_of_which_nothing_comes_is_given_up() {
        let began = tokio::time::Instant::now();
        let error = Arriving::new(Nothing, Duration::from_secs(10)).collect().await.unwrap_err();
        assert!(matches!(error, Unarrived::TooSlow(TooSlow)));
        assert_eq!(began.elapsed().as_secs(), 10);
    }

    #[tokio::test]
    async fn a_body_that_comes_is_handed_on() {
        let whole = http_body_util::Full::new(Bytes::from_static(b"whole"));
        let body = Arriving::new(whole, Duration::from_secs(10));
        assert_eq!(body.size_hint().exact(), Some(5));
        assert_eq!(body.collect().await.unwrap().to_bytes(), "whole");
    }
}
