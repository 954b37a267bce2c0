//! HTTP calls of orchestrators, as values: what is sent, what came back, how it is performed; and the
//! ports behind which the sending lies.
//!
//! Pure but for the two traits that others implement: no socket, no clock. The verb is
//! `context/http.rs`, the activity that sends `worker/http.rs`. Begin with [`HttpRequest`].

mod call;
mod client;
mod headers;
mod location;
mod request;
mod response;

pub use call::HttpCall;
pub use client::{HttpClient, Token, TokenSource, Trouble};
pub use headers::Headers;
pub use request::{HttpRequest, TokenReference};
pub use response::HttpResponse;

use crate::model::FunctionName;

/// The built-in activity that sends one request, under the name the field gave it.
pub const HTTP_ACTIVITY: FunctionName = FunctionName::literal("BuiltIn::HttpActivity");
