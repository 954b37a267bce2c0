//! The built-in activity that sends the requests of `ctx.call_http(..)`.
//!
//! The only place where a token meets a request. It must never be in what is returned or logged.

use std::{collections::BTreeMap, fmt, sync::Arc};

use crate::{
    error::Error,
    http::{HTTP_ACTIVITY, HttpClient, HttpRequest, TokenSource},
    model::{Failure, FailureKind, Payload},
    registry::{ActivityFn, Registry},
};

/// Who sends requests for a worker, and who gives their tokens.
#[derive(Clone, Default)]
pub(super) struct Outside {
    pub(super) client: Option<Arc<dyn HttpClient>>,
    pub(super) tokens: BTreeMap<String, Arc<dyn TokenSource>>,
}

impl Outside {
    /// The same, with the client that comes with the crate if there is none and it was built in.
    #[cfg(feature = "http-client")]
    pub(super) fn or_default(mut self, max_payload: usize) -> Result<Self, Error> {
        if self.client.is_none() {
            let client = super::web::WebClient::new(max_payload).map_err(|source| Error::Worker {
                reason: "it has no HTTP client".into(),
                source: Some(std::io::Error::other(source)),
            })?;
            self.client = Some(Arc::new(client));
        }
        Ok(self)
    }

    /// The same: there is no other client, since none was built in.
    #[cfg(not(feature = "http-client"))]
    #[expect(clippy::unnecessary_wraps, reason = "with the feature `http-client` it can fail")]
    pub(super) fn or_default(self, _max_payload: usize) -> Result<Self, Error> {
        Ok(self)
    }

    /// The registry with the built-in activity in it, if there is a client; an activity that stands
    /// there under its name stays.
    pub(super) fn add_to(self, registry: Registry) -> Registry {
        if registry.activity(&HTTP_ACTIVITY, None).is_some() {
            return registry;
        }
        match self.client.clone() {
            Some(client) => registry.with_activity(HTTP_ACTIVITY, self.activity(client)),
            None => registry,
        }
    }

    fn activity(self, client: Arc<dyn HttpClient>) -> ActivityFn {
        let outside = Arc::new(self);
        Arc::new(move |_context, input| {
            let (outside, client) = (outside.clone(), client.clone());
            Box::pin(async move { outside.send(&*client, input.read()?).await })
        })
    }

    async fn send(&self, client: &dyn HttpClient, request: HttpRequest) -> Result<Payload, Failure> {
        let shown = request.to_string();
        let request = self.with_token(request).await?;
        let response = client.send(request).await.map_err(|cause| {
            let message = format!("{shown} got no answer that can be kept");
            Failure::of_kind(FailureKind::Application, "HttpFailure", message)
                .caused_by(Failure::from_boxed(cause))
        })?;
        Ok(Payload::of(&response)?)
    }

    async fn with_token(&self, request: HttpRequest) -> Result<HttpRequest, Failure> {
        let Some(wanted) = request.token_source() else { return Ok(request) };
        let failed = |message| Failure::of_kind(FailureKind::Application, "TokenFailure", message);
        let name = &wanted.source;
        let Some(source) = self.tokens.get(name) else {
            return Err(failed(format!(
                "this worker has no token source `{name}`, which {request} names: give it one with \
                 `hub.worker().token_source(\"{name}\", ..)`"
            )));
        };
        let token = source.token(wanted.clone()).await.map_err(|cause| {
            let resource = &wanted.resource;
            failed(format!("token source `{name}` gave no token for `{resource}`"))
                .caused_by(Failure::from_boxed(cause))
        })?;
        Ok(request.header("authorization", token.authorization()))
    }
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside")
            .field("has_client", &self.client.is_some())
            .field("tokens", &self.tokens.keys())
            .finish()
    }
}
