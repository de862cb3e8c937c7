//! A connection's bytes, watched: what comes and goes is noted, and who takes nothing is not waited for.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    activity::Activity,
    figures::{self, Why},
    pace::Pace,
};

/// The connection preface of HTTP/2 begins so, and no method of HTTP/1 does.
const PREFACE: &[u8] = b"PRI ";

/// A stream that is watched.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    writing: Pace,
    /// As many bytes of the preface of HTTP/2 came; more than it has: something else came.
    preface: usize,
}

impl<S> Watched<S> {
    pub(crate) const fn new(stream: S, activity: Arc<Activity>, grace: Duration) -> Self {
        Self { stream, activity, writing: Pace::with(grace), preface: 0 }
    }

    /// Notes which protocol is spoken, by the first bytes.
    fn begin(&mut self, came: &[u8]) {
        for byte in came {
            match PREFACE.get(self.preface) {
                Some(expected) if expected == byte => self.preface += 1,
                Some(_) => self.preface = PREFACE.len() + 1,
                None => break,
            }
        }
        if self.preface == PREFACE.len() {
            self.preface += 1;
            self.activity.multiplexed();
        }
    }

    /// What became of an attempt to hand bytes on.
    fn wrote<T>(
        &mut self,
        attempt: Poll<io::Result<T>>,
        context: &mut Context<'_>,
        bytes: impl Fn(&T) -> usize,
    ) -> Poll<io::Result<T>> {
        match attempt {
            Poll::Ready(done) => {
                if let Ok(done) = &done {
                    self.writing.moved(bytes(done));
                    self.activity.taken();
                }
                Poll::Ready(done)
            }
            Poll::Pending => {
                ready!(self.writing.waits(context));
                tracing::debug!("an answer is not taken: the connection is closed");
                figures::refused(Why::Stalled);
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let came = buffer.filled().get(before..).unwrap_or_default();
        if !came.is_empty() {
            self.activity.received();
            if self.preface <= PREFACE.len() {
                self.begin(came);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(attempt, context, |written| *written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(attempt, context, |written| *written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(context) {
            // Nothing new was taken by it.
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.wrote(Poll::Pending, context, |()| 0),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_shutdown(context) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.wrote(Poll::Pending, context, |()| 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_not_waited_for() {
        let (ours, mut theirs) = tokio::io::duplex(1000);
        let mut watched = Watched::new(ours, Arc::new(Activity::new()), GRACE);
        let began = tokio::time::Instant::now();
        let refused = watched.write_all(&[7; 2000]).await.unwrap_err();
        assert_eq!((refused.kind(), began.elapsed().as_secs()), (io::ErrorKind::TimedOut, 10));
        theirs.read_exact(&mut [0; 1000]).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_byte_now_and_then_is_not_waited_for_either() {
        let (ours, mut theirs) = tokio::io::duplex(10);
        let mut watched = Watched::new(ours, Arc::new(Activity::new()), GRACE);
        let reading = tokio::spawn(async move {
            while theirs.read_u8().await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(watched.write_all(&[7; 100]).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        reading.abort();
    }

    #[tokio::test]
    async fn http_2_is_known_by_its_first_bytes_however_they_come() {
        for (sent, multiplexed) in [
            (&["PRI * HTTP/2.0"][..], true),
            (&["P", "R", "I * HTTP"], true),
            (&["PRX / HTTP/1.1"], false),
            (&["GET PRI "], false),
            (&["PR"], false),
        ] {
            let (ours, mut theirs) = tokio::io::duplex(100);
            let activity = Arc::new(Activity::new());
            let mut watched = Watched::new(ours, Arc::clone(&activity), GRACE);
            for part in sent {
                theirs.write_all(part.as_bytes()).await.unwrap();
                watched.read_exact(&mut vec![0; part.len()]).await.unwrap();
            }
            assert_eq!(activity.is_multiplexed(), multiplexed, "{sent:?}");
        }
    }
}
