//! The HTTP client that comes with the crate (feature `http-client`): `reqwest` with `rustls`.
//!
//! The only file that knows either of them; none of their types is public.

use std::{fmt, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Method};

use crate::http::{HttpClient, HttpRequest, HttpResponse, Trouble};

/// Sends requests over the network. With the feature `http-client` on, every worker that is given no
/// other client has one.
///
/// Connections are kept and shared. Redirects are followed, up to ten. A request takes at most 100
/// seconds, from its first byte to the last of the answer. Bodies are UTF-8 (R2:HTTP-30).
pub struct WebClient {
    client: Client,
    max_content: usize,
}

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(100);

impl WebClient {
    /// A client that reads at most `max_content` bytes of a body.
    ///
    /// # Errors
    /// When the system's certificates cannot be read.
    pub fn new(max_content: usize) -> Result<Self, Trouble> {
        // That there is a provider of this process already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let agent = concat!("durable/", env!("CARGO_PKG_VERSION"));
        let client = Client::builder().user_agent(agent).timeout(PATIENCE).build()?;
        Ok(Self { client, max_content })
    }
}

#[async_trait]
impl HttpClient for WebClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Trouble> {
        let method = Method::from_bytes(request.method().as_bytes())?;
        let mut sending = self.client.request(method, request.uri());
        for (name, value) in request.headers().iter() {
            sending = sending.header(name, value);
        }
        if let Some(body) = request.body() {
            sending = sending.body(body.to_owned());
        }
        // The address is in the failure already, without its query.
        let mut received = sending.send().await.map_err(reqwest::Error::without_url)?;
        let mut response = HttpResponse::new(received.status().as_u16());
        for (name, value) in received.headers() {
            response = response.header(name, String::from_utf8_lossy(value.as_bytes()));
        }
        let mut content = Vec::new();
        while let Some(chunk) = received.chunk().await.map_err(reqwest::Error::without_url)? {
            if content.len() + chunk.len() > self.max_content {
                let limit = self.max_content;
                return Err(format!(
                    "the body of the answer is larger than {limit} bytes; fetch it in an activity of your own, or \
                     raise the limit (`max_payload`)"
                )
                .into());
            }
            content.extend_from_slice(&chunk);
        }
        let content = String::from_utf8(content).map_err(
            |_| "the body of the answer is not text in UTF-8; fetch it in an activity of your own",
        )?;
        Ok(response.content(content))
    }
}

impl fmt::Debug for WebClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebClient").field("max_content", &self.max_content).finish_non_exhaustive()
    }
}
