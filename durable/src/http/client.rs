//! What lies outside: who sends a request, and who gives tokens.

use std::{error::Error, fmt};

use async_trait::async_trait;

use super::{HttpRequest, HttpResponse, TokenReference};

/// Why a request could not be sent or a token not be got. Any error will do.
pub type Trouble = Box<dyn Error + Send + Sync>;

/// Sends requests for `ctx.call_http(..)`; given to a worker by `hub.worker().http_client(..)`
/// (R2:HTTP-33). One comes with the crate under the feature `http-client`.
///
/// A closure will do: `|request: HttpRequest| async move { Ok(HttpResponse::new(200)) }`.
#[async_trait]
pub trait HttpClient: Send + Sync + 'static {
    /// Sends one request, its token already among its headers, and gives what came back, whatever its
    /// status. It may be asked for the same request again, after a crash.
    ///
    /// # Errors
    /// When there is no answer, or none that could be kept: its text is stored in history.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Trouble>;
}

#[async_trait]
impl<F, Answer> HttpClient for F
where
    F: Fn(HttpRequest) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<HttpResponse, Trouble>> + Send + 'static,
{
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Trouble> {
        self(request).await
    }
}

/// Gives the tokens that requests name; given to a worker by `hub.worker().token_source(name, ..)`
/// (R2:HTTP-26).
///
/// A closure will do: `|wanted: TokenReference| async move { Ok(Token::new("..")) }`.
#[async_trait]
pub trait TokenSource: Send + Sync + 'static {
    /// A token that is good now. Asked for every request: keep one until it expires (R2:HTTP-24).
    ///
    /// # Errors
    /// When there is none; the text is stored in history.
    async fn token(&self, wanted: TokenReference) -> Result<Token, Trouble>;
}

#[async_trait]
impl<F, Answer> TokenSource for F
where
    F: Fn(TokenReference) -> Answer + Send + Sync + 'static,
    Answer: Future<Output = Result<Token, Trouble>> + Send + 'static,
{
    async fn token(&self, wanted: TokenReference) -> Result<Token, Trouble> {
        self(wanted).await
    }
}

/// A secret: sent, and neither stored nor shown.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// A bearer token, without the word `Bearer`.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The value of the `Authorization` field.
    pub(crate) fn authorization(&self) -> String {
        format!("Bearer {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}
