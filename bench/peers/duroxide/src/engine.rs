//! How duroxide is set up: its fastest documented settings.
//!
//! They are those of `RuntimeOptions` and the SQLite provider. Begin with [`Engine::start`].

use std::{sync::Arc, time::Duration};

use durable_bench_gauge::Job;
use duroxide::{
    Client,
    providers::sqlite::SqliteProvider,
    runtime::{Runtime, RuntimeOptions},
};

use crate::{error::PeerError, functions};

/// How long an idle dispatcher waits before it asks the store again. The SQLite provider does not hold a
/// fetch open, so that this is what a step waits when nothing else happens; 100 ms by default.
const POLL: Duration = Duration::from_millis(1);

/// Orchestrations and activities at once. More of them only wait for SQLite's one writer.
const CONCURRENCY: usize = 2;

/// A started duroxide.
pub struct Engine {
    /// Starts orchestrations and waits for them.
    pub client: Client,
    /// What its store promises.
    pub durability: String,
    runtime: Arc<Runtime>,
}

impl Engine {
    /// Starts duroxide on the job's file.
    pub async fn start(job: &Job) -> Result<Self, PeerError> {
        // Nobody reads its log, and writing it costs time: silence it before it installs its own.
        let _ = tracing::subscriber::set_global_default(tracing::subscriber::NoSubscriber::default());
        let address = format!("sqlite:{}?mode=rwc", job.file.display());
        let store = Arc::new(SqliteProvider::new(&address, None).await?);
        let durability = durability(&store).await?;
        let options = RuntimeOptions {
            dispatcher_min_poll_interval: POLL,
            orchestration_concurrency: CONCURRENCY,
            worker_concurrency: CONCURRENCY,
            ..RuntimeOptions::default()
        };
        let runtime = Runtime::start_with_options(
            store.clone(),
            functions::activities(),
            functions::orchestrations(),
            options,
        )
        .await;
        Ok(Self { client: Client::new(store), durability, runtime })
    }

    /// Stops it; what is unfinished stays so.
    pub async fn stop(self) {
        self.runtime.shutdown(Some(100)).await;
    }
}

/// What SQLite says the provider has set, in words.
async fn durability(store: &SqliteProvider) -> Result<String, PeerError> {
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(store.get_pool()).await?;
    let level: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(store.get_pool()).await?;
    let level = match level {
        0 => "OFF",
        1 => "NORMAL",
        2 => "FULL",
        _ => "EXTRA",
    };
    Ok(format!("{} + {level}", journal.to_uppercase()))
}
