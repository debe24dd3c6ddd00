//! A stream whose other end has to take what is written: so that an answer that nobody reads does not stay for ever.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::seats::Seat;

/// A stream whose writes fail once nothing could be written for a while though something waits for it. Whatever is taken, be
/// it a byte, begins that while anew; nothing to write is no stall.
#[derive(Debug)]
pub(super) struct Timely<S> {
    stream: S,
    within: Duration,
    /// Since something waits: when it is given up.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Who is told of it.
    seat: Arc<Seat>,
}

impl<S> Timely<S> {
    /// Gives up after so long.
    pub fn new(stream: S, within: Duration, seat: Arc<Seat>) -> Timely<S> {
        Timely {
            stream,
            within,
            stalled: None,
            seat,
        }
    }

    /// What an attempt to write came to, unless it has waited for too long.
    fn waited<T>(
        &mut self,
        cx: &mut Context<'_>,
        tried: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if tried.is_ready() {
            if self.stalled.take().is_some() {
                self.seat.stalls(false);
            }
            return tried;
        }
        let within = self.within;
        let given_up = self.stalled.get_or_insert_with(|| {
            self.seat.stalls(true);
            Box::pin(tokio::time::sleep(within))
        });
        given_up.as_mut().poll(cx).map(|()| {
            Err(io::Error::new(
                io::ErrorKind::TimedOut,
                format!("the other end took nothing for {within:?}"),
            ))
        })
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timely<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timely<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.waited(cx, tried)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.waited(cx, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing that was taken is waited for a second time: a stream that holds it back says so of the next write.
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::time::{Duration, Instant};

    use super::{Seat, Timely};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    const WITHIN: Duration = Duration::from_millis(200);

    #[tokio::test]
    async fn who_takes_nothing_is_given_up() {
        let (stream, _other) = duplex(16);
        let mut stream = Timely::new(stream, WITHIN, Seat::alone());
        let begun = Instant::now();
        let failed = stream.write_all(&[0; 64]).await.expect_err("nobody reads");
        assert_eq!(failed.kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= WITHIN, "{:?}", begun.elapsed());
    }

    #[tokio::test]
    async fn each_byte_that_is_taken_gives_a_whole_while_again() {
        let (stream, mut other) = duplex(16);
        let mut stream = Timely::new(stream, WITHIN, Seat::alone());
        stream.write_all(&[0; 16]).await.expect("there is room");
        let waits = tokio::time::timeout(WITHIN * 3 / 4, stream.write_all(&[0; 1])).await;
        waits.expect_err("the other end reads nothing yet");
        other.read_u8().await.expect("a byte");
        stream.write_all(&[0; 1]).await.expect("it was read");
        let begun = Instant::now();
        let failed = stream.write_all(&[0; 1]).await.expect_err("nobody reads");
        assert_eq!(failed.kind(), ErrorKind::TimedOut);
        assert!(begun.elapsed() >= WITHIN, "{:?}", begun.elapsed());
    }
}
