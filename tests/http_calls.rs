//! `ctx.call_http(..)` with a store, a worker and a client of the test's own, in virtual time.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use durable::{
    Error,
    history::EventKind,
    http::{HTTP_ACTIVITY, Token, TokenReference, Trouble},
    model::FailureKind,
    prelude::*,
};
use durable_testkit::TestHub;

const SECRET: &str = "s3cr3t";

/// The documented sample: looks whether a site is there, without an activity of its own.
#[orchestrator(name = "CheckSiteAvailable")]
async fn check_site_available(ctx: OrchestrationContext, url: String) -> Result<String, Failure> {
    let response = ctx.call_http(HttpRequest::get(url)).await?;
    Ok(match response.status() {
        400.. => format!("gone wrong: {}", response.status()),
        _ => response.text().to_owned(),
    })
}

/// Starts a job in another program and waits for its end, as one does with an orchestration there.
#[orchestrator]
async fn runs_a_job(ctx: OrchestrationContext, name: String) -> Result<String, Failure> {
    let request = HttpRequest::post("https://jobs.example/start").json(&name)?.token("vault", "jobs");
    ctx.call_http(request).await?.json()
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Failed { failure, .. } => failure,
        other => panic!("not a failed orchestration: {other}"),
    }
}

async fn ask(hub: &TestHub, url: &str) -> Result<String, Error> {
    hub.run(check_site_available::with(url)).await
}

// R1:ORCH-38, R1:ORCH-39, R1:SMP-16, R1:SKIP-28, R2:HTTP-15, R2:HTTP-16, R2:HTTP-33
#[tokio::test]
async fn a_site_is_asked_without_an_activity_and_its_status_is_a_value() {
    let site = |request: HttpRequest| async move {
        Ok(match request.uri() {
            "https://here.example/" => HttpResponse::new(200).content("hello"),
            _ => HttpResponse::new(404),
        })
    };
    let hub = TestHub::builder().http_client(site).start().await.unwrap();
    assert_eq!(ask(&hub, "https://here.example/").await.unwrap(), "hello");
    assert_eq!(ask(&hub, "https://gone.example/").await.unwrap(), "gone wrong: 404");
}

// R2:HTTP-22, R3:SKIP-48
// R2:HTTP-19, R2:HTTP-20, R2:HTTP-21, R2:HTTP-23 to HTTP-27, R1:ORCH-40, R2:SER-7; DECISIONS 14
#[tokio::test]
async fn a_job_is_polled_to_its_end_each_time_with_a_new_token_that_is_never_stored() {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let (seen, given) = (sent.clone(), AtomicU32::new(0));
    let job = move |request: HttpRequest| {
        let token = request.headers().get("authorization").map(str::to_owned);
        seen.lock().unwrap().push((request.to_string(), token));
        let asked = seen.lock().unwrap().len();
        async move {
            let accepted = HttpResponse::new(202).header("Location", "/status/7");
            Ok::<_, Trouble>(match asked {
                1 => accepted,
                2 => accepted.header("Retry-After", "3600"),
                _ => HttpResponse::new(200).with_json(&"done")?,
            })
        }
    };
    let vault = move |wanted: TokenReference| {
        assert_eq!((wanted.source.as_str(), wanted.resource.as_str()), ("vault", "jobs"));
        let number = given.fetch_add(1, Ordering::Relaxed);
        async move { Ok(Token::new(format!("{SECRET}{number}"))) }
    };
    let hub = TestHub::builder().http_client(job).token_source("vault", vault).start().await.unwrap();

    let began = hub.now();
    let run = hub.client().start(runs_a_job::with("clean")).await.unwrap();
    assert_eq!(hub.output(&run).await.unwrap(), "done");
    assert_eq!(hub.now().duration_since(began), Duration::from_secs(30 + 3600));

    let bearer = |number| Some(format!("Bearer {SECRET}{number}"));
    let expected = [
        ("POST https://jobs.example/start".to_owned(), bearer(0)),
        ("GET https://jobs.example/status/7".to_owned(), bearer(1)),
        ("GET https://jobs.example/status/7".to_owned(), bearer(2)),
    ];
    assert_eq!(*sent.lock().unwrap(), expected);
    let history = hub.history(&run).await.unwrap();
    assert!(!format!("{history:?}").contains(SECRET), "{history:?}");
    let stored = history.events().iter().filter_map(|event| match &event.kind {
        EventKind::TaskScheduled { name, input, .. } if *name == HTTP_ACTIVITY => Some(input.as_json()),
        _ => None,
    });
    let stored: Vec<_> = stored.collect();
    assert_eq!(stored.len(), 3);
    assert!(stored.iter().all(|request| request.contains(r#""tokenSource":{"kind":"vault""#)), "{stored:?}");
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_way_to_give_it() {
    let hub = TestHub::start().await.unwrap();
    let failed = failure(ask(&hub, "https://a.example/").await.unwrap_err());
    assert_eq!(failed.kind(), FailureKind::UnknownFunction);
    assert!(failed.message().contains("hub.worker().http_client(..)"), "{failed}");

    let site = |_: HttpRequest| async { Ok(HttpResponse::new(200)) };
    let hub = TestHub::builder().http_client(site).start().await.unwrap();
    let failed = failure(hub.run(runs_a_job::with("clean")).await.unwrap_err());
    assert!(failed.message().contains(r#"hub.worker().token_source("vault", ..)"#), "{failed}");
}

#[tokio::test]
async fn no_answer_is_a_failure_with_its_causes_and_without_the_query_or_the_token() {
    let down = |_: HttpRequest| async { Err("connection refused".into()) };
    let vault = |_: TokenReference| async { Err("no identity here".into()) };
    let hub = TestHub::builder().http_client(down).token_source("vault", vault).start().await.unwrap();
    let failed = failure(ask(&hub, "https://a.example/b?code=key").await.unwrap_err());
    assert_eq!(failed.message(), "GET https://a.example/b got no answer that can be kept");
    assert_eq!(failed.cause().unwrap().message(), "connection refused");

    let failed = failure(hub.run(runs_a_job::with("clean")).await.unwrap_err());
    assert!(failed.message().contains("gave no token for `jobs`"), "{failed}");
    assert_eq!(failed.cause().unwrap().message(), "no identity here");
}

// R2:HTTP-29
#[tokio::test]
async fn a_response_larger_than_the_limit_fails_naming_limit_and_activity() {
    let large = |_: HttpRequest| async { Ok(HttpResponse::new(200).content("x".repeat(2 << 20))) };
    let hub = TestHub::builder().http_client(large).start().await.unwrap();
    let failed = failure(ask(&hub, "https://a.example/").await.unwrap_err());
    assert_eq!(failed.kind(), FailureKind::TooLarge);
    for part in ["`BuiltIn::HttpActivity`", "1048576", "max_payload"] {
        assert!(failed.message().contains(part), "{failed}");
    }
}

// R2:HTTP-31, R2:HTTP-33
#[tokio::test]
async fn the_built_in_activity_can_be_replaced_like_any_other() {
    let answer = |request: HttpRequest| HttpResponse::new(200).content(request.uri());
    let hub = TestHub::builder().activity(HTTP_ACTIVITY).by(answer).start().await.unwrap();
    assert_eq!(ask(&hub, "https://a.example/").await.unwrap(), "https://a.example/");
}
