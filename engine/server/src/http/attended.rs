//! Bodies that tell the place of their connection how far a request is: whether its peer is waited for, or waits.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};

use super::seats::Seat;

/// The body of a request. Once all of it is here, or nobody wants it, it is for us to answer.
#[derive(Debug)]
pub(super) struct Arriving<B> {
    body: B,
    turn: Turn,
}

/// The body of an answer. Once it is written, it is for the peer to ask again.
#[derive(Debug)]
pub(super) struct Leaving<B> {
    body: B,
    turn: Turn,
}

/// A request on its connection.
#[derive(Debug, Clone)]
pub(super) struct Turn {
    seat: Arc<Seat>,
    number: u64,
}

impl Turn {
    /// One whose head is here.
    pub fn begins(seat: &Arc<Seat>) -> Turn {
        Turn {
            seat: Arc::clone(seat),
            number: seat.begins(),
        }
    }

    /// Its body.
    pub fn arriving<B: HttpBody>(&self, body: B) -> Arriving<B> {
        if body.is_end_stream() {
            self.seat.works(self.number);
        }
        Arriving {
            body,
            turn: self.clone(),
        }
    }

    /// The body of its answer.
    pub fn leaving<B>(&self, body: B) -> Leaving<B> {
        Leaving {
            body,
            turn: self.clone(),
        }
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Arriving<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(_))) if !self.body.is_end_stream() => self.turn.seat.moves(),
            Poll::Ready(_) => self.turn.seat.works(self.turn.number),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Arriving<B> {
    fn drop(&mut self) {
        self.turn.seat.works(self.turn.number);
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Leaving<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for Leaving<B> {
    fn drop(&mut self) {
        self.turn.seat.ends(self.turn.number);
    }
}
