//! The HTTP client that comes with the crate, against a server of the test's own:
//! `cargo test -p durable --features http-client --test web_client`.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise; its helpers as well")]

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use durable::{
    http::{HttpClient, HttpRequest},
    worker::WebClient,
};

/// Answers one request with these bytes; gives its address, and what it was asked.
fn server(answer: &'static [u8]) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let (mut asked, mut buffer) = (Vec::new(), [0; 4096]);
        // The requests of these tests end with a letter that stands nowhere else in them.
        while !asked.ends_with(b"\r\n\r\n") && !asked.ends_with(b"~") {
            let count = connection.read(&mut buffer).unwrap();
            asked.extend_from_slice(&buffer[..count]);
        }
        connection.write_all(answer).unwrap();
        String::from_utf8(asked).unwrap()
    });
    (address, asked)
}

// R2:HTTP-15, R2:HTTP-17
#[tokio::test]
async fn method_headers_and_body_go_out_and_status_headers_and_body_come_back() {
    let (address, asked) =
        server(b"HTTP/1.1 202 Accepted\r\nLocation: /a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let request = HttpRequest::post(format!("{address}/start?x=1")).header("X-Mine", "7").content("hello~");
    let answer = WebClient::new(100).unwrap().send(request).await.unwrap();
    let asked = asked.join().unwrap().to_ascii_lowercase();
    assert!(
        asked.starts_with("post /start?x=1 http/1.1\r\n") && asked.ends_with("\r\n\r\nhello~"),
        "{asked}"
    );
    assert!(asked.contains("\r\nx-mine: 7\r\n") && asked.contains("\r\nuser-agent: durable/"), "{asked}");
    assert_eq!((answer.status(), answer.text()), (202, "ok"));
    assert_eq!(answer.headers().get("location"), Some("/a"));
}

// R2:HTTP-29, R2:HTTP-30
#[tokio::test]
async fn what_is_too_large_or_no_text_is_refused_saying_so() {
    for (answer, part) in [
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\n123456789"[..], "8 bytes"),
        (&b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n\xff\xfe"[..], "UTF-8"),
    ] {
        let (address, asked) = server(answer);
        let error = WebClient::new(8).unwrap().send(HttpRequest::get(address)).await.unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
        asked.join().unwrap();
    }
}

#[tokio::test]
async fn a_failure_does_not_tell_the_query() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/?code=s3cr3t", listener.local_addr().unwrap());
    drop(listener);
    let error = WebClient::new(8).unwrap().send(HttpRequest::get(address)).await.unwrap_err();
    let mut told = format!("{error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        told += &error.to_string();
        cause = error.source();
    }
    assert!(!told.contains("s3cr3t"), "{told}");
}
