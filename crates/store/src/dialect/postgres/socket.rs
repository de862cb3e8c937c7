//! A connection's bytes, and waiting for them: on the thread of whoever asks, without a runtime.
//!
//! A job reads and writes one after the other, as on SQLite; handing each statement to another thread
//! and waiting for it there costs more than the statement.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket that never blocks.
#[derive(Clone)]
pub(super) struct Socket(Arc<Inner>);

struct Inner {
    stream: Stream,
    /// Whether more was to be written than it took.
    writes: AtomicBool,
}

enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Of a TCP connection.
    pub(super) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        // Small messages each way: none waits for the next.
        stream.set_nodelay(true)?;
        Ok(Self::of(Stream::Tcp(stream)))
    }

    /// Of a connection on the same machine.
    pub(super) fn unix(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self::of(Stream::Unix(stream)))
    }

    fn of(stream: Stream) -> Self {
        Self(Arc::new(Inner { stream, writes: AtomicBool::new(false) }))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        match &self.0.stream {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }

    /// Whether what is sent never leaves this machine.
    pub(super) fn stays_here(&self) -> bool {
        match &self.0.stream {
            Stream::Unix(_) => true,
            Stream::Tcp(stream) => stream.peer_addr().is_ok_and(|there| there.ip().to_canonical().is_loopback()),
        }
    }

    /// Waits until something can be read, or written if something is to be; at most until `until`.
    /// Whether that is so, not whether the time passed.
    pub(super) fn wait(&self, until: Option<Instant>) -> io::Result<bool> {
        let mut flags = PollFlags::IN;
        if self.0.writes.load(Ordering::Relaxed) {
            flags |= PollFlags::OUT;
        }
        loop {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let left = left.map(|left| left.min(Duration::from_secs(3600)).try_into()).transpose();
            let left = left.map_err(|_| io::ErrorKind::InvalidInput)?;
            let fd = self.fd();
            match rustix::event::poll(&mut [PollFd::new(&fd, flags)], left.as_ref()) {
                Ok(ready) => return Ok(ready > 0),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let free = into.initialize_unfilled();
        let read = match &self.0.stream {
            Stream::Tcp(stream) => (&mut &*stream).read(free),
            Stream::Unix(stream) => (&mut &*stream).read(free),
        };
        match read {
            Ok(length) => {
                into.advance(length);
                Poll::Ready(Ok(()))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = match &self.0.stream {
            Stream::Tcp(stream) => (&mut &*stream).write(bytes),
            Stream::Unix(stream) => (&mut &*stream).write(bytes),
        };
        let full = matches!(&wrote, Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        self.0.writes.store(full, Ordering::Relaxed);
        if full { Poll::Pending } else { Poll::Ready(wrote) }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let how = std::net::Shutdown::Write;
        Poll::Ready(match &self.0.stream {
            Stream::Tcp(stream) => stream.shutdown(how),
            Stream::Unix(stream) => stream.shutdown(how),
        })
    }
}

/// Remembers that something can go on.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

/// Carries work on a socket to its end on this thread, at most until `until`: `None` when the time
/// passed before.
pub(super) fn run<T>(
    socket: &Socket,
    until: Option<Instant>,
    mut work: impl FnMut(&mut Context<'_>) -> Poll<T>,
) -> io::Result<Option<T>> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(done) = work(&mut context) {
            return Ok(Some(done));
        }
        if !woken.0.swap(false, Ordering::Acquire) && !socket.wait(until)? {
            return Ok(None);
        }
    }
}
