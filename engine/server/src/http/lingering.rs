//! A stream whose end is read after it is written: so that whoever is still sending when the answer is made gets it.
//!
//! An answer may be made before the body of its request is there: a refusal is. A system that is sent something on a connection
//! that is closed answers with a reset, and then the client loses the answer too, although it arrived (RFC 9112, section 9.6).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How long is read after the end of what is written.
pub(super) const LINGERS: Duration = Duration::from_secs(2);

/// Room for what is read to be forgotten, in bytes.
const FORGOTTEN: usize = 8 << 10;

/// A stream that, once its writing side is shut down, forgets what still comes until the other end closes too, for a while at
/// most, or until the engine stops.
#[derive(Debug)]
pub(super) struct Lingering<S> {
    stream: S,
    within: Duration,
    /// Since the writing side is shut down: when the other end is given up.
    given_up: Option<Pin<Box<Sleep>>>,
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Lingering<S> {
    /// Lingers so long at most, and not once `closed`.
    pub fn new(stream: S, within: Duration, closed: CancellationToken) -> Lingering<S> {
        Lingering {
            stream,
            within,
            given_up: None,
            closed: Box::pin(closed.cancelled_owned()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Lingering<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Lingering<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let given_up = match &mut this.given_up {
            Some(given_up) => given_up,
            None => {
                ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
                let given_up = Box::pin(tokio::time::sleep(this.within));
                this.given_up.insert(given_up)
            }
        };
        loop {
            if given_up.as_mut().poll(cx).is_ready() || this.closed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut room = [0; FORGOTTEN];
            let mut room = ReadBuf::new(&mut room);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut room));
            // What was to be said is said: how the other end goes is no matter.
            if read.is_err() || room.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio_util::sync::CancellationToken;

    use super::Lingering;

    const WITHIN: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn what_still_comes_is_read_and_forgotten_until_the_other_end_closes() {
        let (stream, mut other) = duplex(16);
        let mut stream = Lingering::new(stream, Duration::from_mins(1), CancellationToken::new());
        let ended = tokio::spawn(async move { stream.shutdown().await });
        let mut got = Vec::new();
        other.read_to_end(&mut got).await.expect("the end");
        // More than there is room for between the two: it has to be read.
        other.write_all(&[0; 64]).await.expect("it is read");
        drop(other);
        ended.await.expect("no panic").expect("an end");
    }

    #[tokio::test]
    async fn who_never_closes_is_given_up() {
        let (stream, _other) = duplex(16);
        let mut stream = Lingering::new(stream, WITHIN, CancellationToken::new());
        let begun = Instant::now();
        stream.shutdown().await.expect("an end");
        assert!(begun.elapsed() >= WITHIN, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn an_engine_that_stops_does_not_wait() {
        let (stream, _other) = duplex(16);
        let closed = CancellationToken::new();
        let mut stream = Lingering::new(stream, Duration::from_hours(1), closed.clone());
        closed.cancel();
        stream.shutdown().await.expect("an end");
    }
}
