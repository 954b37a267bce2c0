//! Watches a GitHub repository: counts its open issues every minute for 5 minutes, and sends one message
//! when there are too many (R1:GHM).
//!
//! ```console
//! $ cargo run -p durable-examples --bin github_monitor
//! ```
//!
//! The minutes pass at once (virtual time), and GitHub is a closure. The activity asks whatever client
//! it was given, so it can be a real one: `.. --features http-client --bin github_monitor -- <user>/<repo>`.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::{
    collections::BTreeMap,
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use durable::{
    http::{HttpClient, Trouble},
    prelude::*,
};
use durable_testkit::TestHub;
use serde_json::{Value, json};

/// Who asks GitHub.
pub(crate) static GITHUB: OnceLock<Box<dyn HttpClient>> = OnceLock::new();

const MINUTE: Duration = Duration::from_secs(60);

/// Its input is JSON without a type of its own: `{ "repo": "user/name", "phone": ".." }`.
#[orchestrator(name = "E3_Monitor")]
async fn monitor(ctx: OrchestrationContext, request: BTreeMap<String, String>) -> Result<String, Failure> {
    let of = |key: &str| request.get(key).ok_or_else(|| Failure::new(format!("`{key}` is missing")));
    let (repo, phone) = (of("repo")?, of("phone")?);
    let expiry = ctx.now().saturating_add(5 * MINUTE);
    while ctx.now() < expiry {
        if ctx.call(too_many_open_issues::with(repo)).await? {
            ctx.call(send_alert::with(phone)).await?;
            break;
        }
        ctx.set_custom_status(&"The repository does not have too many issues, for now ...")?;
        ctx.sleep(MINUTE).await?;
    }
    Ok("Monitor completed!".into())
}

/// Whether there are three or more: asks GitHub itself, as an activity may.
#[activity(name = "E3_TooManyOpenIssues")]
pub(crate) async fn too_many_open_issues(repo: String) -> Result<bool, Trouble> {
    let github = GITHUB.get().ok_or("nobody was given to ask GitHub")?;
    let url = format!("https://api.github.com/repos/{repo}/issues?state=open");
    let request = HttpRequest::get(&url).header("user-agent", "durable-examples");
    let answer = github.send(request).await?;
    if answer.status() != 200 {
        let (user, name) = repo.split_once('/').unwrap_or((&repo, ""));
        return Err(format!("Could not find repo {name} under {user}! API endpoint hit was: {url}").into());
    }
    let issues: Vec<Value> = answer.json()?;
    println!("  │\n  ● {} open issue(s)", issues.len());
    Ok(issues.len() >= 3)
}

#[activity(name = "E3_SendAlert")]
pub(crate) async fn send_alert(phone: String) -> String {
    let text = "Hey! You may want to check on your repo, there are too many open issues";
    println!("  ┌─ SMS to {phone} ─\n  │ {text}\n  └─");
    "Message sent!".into()
}

/// A GitHub of our own, where issues become more.
fn invented() -> Box<dyn HttpClient> {
    let issues = AtomicUsize::new(0);
    Box::new(move |_request: HttpRequest| {
        let open = vec![json!({ "state": "open" }); issues.fetch_add(1, Ordering::Relaxed)];
        async move { Ok::<_, Trouble>(HttpResponse::new(200).with_json(&open)?) }
    })
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let named = std::env::args().nth(1);
    #[cfg(feature = "http-client")]
    if named.is_some() {
        let client = durable::worker::WebClient::new(4 << 20)?;
        GITHUB.get_or_init(|| Box::new(client));
    }
    GITHUB.get_or_init(invented);
    let repo = named.unwrap_or_else(|| "octocat/hello-world".into());
    println!("  ○ watching {repo}");
    let hub = TestHub::start().await?;
    let began = hub.now();
    let request: BTreeMap<String, String> =
        [("repo".into(), repo), ("phone".into(), "+1 555 0100".into())].into();
    let run = hub.client().start(monitor::with(request)).await?;
    let outcome: String = hub.output(&run).await?;
    if let Some(state) = run.state().await? {
        println!("  status: {}", state.custom_status.as_json());
    }
    println!("  ◉ {outcome} after {} minutes", hub.now().duration_since(began).as_secs() / 60);
    Ok(hub.shut_down().await?)
}
