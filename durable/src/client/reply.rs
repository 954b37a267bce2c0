//! The answer to a client's request.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use futures::future::BoxFuture;

use crate::error::Error;

/// The answer to a client's request, to be awaited. A named type, so that a wrong argument of a
/// verb is reported once (api.md, C7).
#[must_use = "nothing is sent until the reply is awaited"]
pub struct Reply<'a, T>(BoxFuture<'a, Result<T, Error>>);

impl<'a, T> Reply<'a, T> {
    pub(super) fn new(future: impl Future<Output = Result<T, Error>> + Send + 'a) -> Self {
        Self(Box::pin(future))
    }
}

impl<T> Future for Reply<'_, T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl<T> std::fmt::Debug for Reply<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}
