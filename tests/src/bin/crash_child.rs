//! The process that the crash tests kill and cut the power of. Must not clean up behind itself more
//! than any program would. Begin with [`main`].
//!
//! Usage: `crash_child <what> <address of the hub> [<more>]`.

use std::{
    error::Error,
    fs::{self, File, OpenOptions},
    io::{BufRead, Write},
    path::Path,
    process::ExitCode,
    sync::Mutex,
};

use durable::{
    call::OrchestrationCall,
    embedded::Durability,
    model::Storable,
    prelude::*,
    provider::{ProviderErrorKind, Reuse},
};
use durable_tests::{
    bank::{self, ACCOUNTS, open_bank, transfer},
    functions::{
        LAST_WORD, WORD, after_five, begin_to_tell, collect_words, fan_out, five_steps, large_step, progress,
    },
    mixed::{NUMBER, breaks_at_first, family, listens, mend},
};
use futures::{StreamExt, TryStreamExt, future::try_join_all, stream};

/// How many starts of [`sequences`] are under way.
const STARTS_AT_ONCE: usize = 16;

/// How many numbers a process raises in [`mixed`].
const NUMBERS_A_PROCESS: u64 = 60;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    begin_to_tell();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let ended = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&arguments)));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress(&format!("error {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &[String]) -> Outcome {
    let text: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match text[..] {
        ["sequences", hub, count] => sequences(hub, count.parse()?).await,
        ["worker", hub] => worker(hub).await,
        ["mixed", hub, process] => mixed(hub, process.parse()?).await,
        ["starter", hub] => starter(hub).await,
        ["bank", hub, transfers] => bank(hub, transfers.parse()?).await,
        ["power", hub, acknowledged, "full", rounds] => {
            power(hub, Durability::Full, acknowledged, rounds.parse()?).await
        }
        ["power", hub, acknowledged, "relaxed", rounds] => {
            power(hub, Durability::Relaxed, acknowledged, rounds.parse()?).await
        }
        ["kin", hub, acknowledged, rounds] => kin(hub, acknowledged, rounds.parse()?).await,
        ["large", hub, acknowledged, count] => large(hub, acknowledged, count.parse()?).await,
        ["words", hub] => words(hub).await,
        _ => Err(format!("{arguments:?} is not something to do").into()),
    }
}

/// Starts `count` orchestrations, unless they have been, and runs them to their ends.
async fn sequences(address: &str, count: u64) -> Outcome {
    progress("opening");
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().start().await?;
    progress("opened");
    let client = hub.client();
    let starts =
        (0..count).map(|number| start_once(&client, format!("sequence-{number}"), five_steps::with(number)));
    // Not all at once: they would be one commit, and no kill would find some of them started.
    stream::iter(starts).buffer_unordered(STARTS_AT_ONCE).try_collect::<()>().await?;
    for number in 0..count {
        client.run(five_steps::at(format!("sequence-{number}")))?.output().await?;
    }
    worker.shut_down().await?;
    progress("finished");
    Ok(())
}

/// Works until its input ends.
async fn worker(address: &str) -> Outcome {
    progress("opening");
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().start().await?;
    progress("opened");
    let input = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().for_each(drop));
    input.await?;
    worker.shut_down().await?;
    Ok(())
}

/// Works until its input ends, and meanwhile starts sequences and raises numbers that no process before it
/// raised.
async fn mixed(address: &str, process: u64) -> Outcome {
    progress("opening");
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().start().await?;
    progress("opened");
    let client = hub.client();
    let input = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().for_each(drop));
    let listener = format!("heard-{process}");
    start_once(&client, listener.clone(), listens::with(Vec::new())).await?;
    let run = client.run(listens::at(&listener))?;
    for number in 1..=NUMBERS_A_PROCESS {
        let sequence = format!("own-{process}-{number}");
        start_once(&client, sequence, five_steps::with(number)).await?;
        client.raise(&run, NUMBER, number).await?;
        progress(&format!("raised {listener} {number}"));
    }
    input.await?;
    worker.shut_down().await?;
    Ok(())
}

/// Opens a bank and starts transfers, unless they have been; terminates, suspends and purges a third of them
/// meanwhile; and lets all end.
async fn bank(address: &str, transfers: u64) -> Outcome {
    progress("opening");
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().functions(bank::functions()?).start().await?;
    progress("opened");
    let client = hub.client();
    start_once(&client, "open".to_owned(), open_bank::with()).await?;
    client.run(open_bank::at("open"))?.output().await?;
    let starts = (0..transfers).map(|number| one_transfer(&client, number));
    stream::iter(starts).buffer_unordered(STARTS_AT_ONCE).try_collect::<()>().await?;
    let runs = (0..transfers).map(|number| client.run(transfer::at(format!("transfer-{number}"))));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    // One that was purged is not there, and one that has ended cannot be resumed. All of them first: a suspended
    // one may hold what others wait for.
    for run in &runs {
        drop(run.resume("the end is near").await);
    }
    for run in &runs {
        drop(run.wait_for_end().await);
    }
    worker.shut_down().await?;
    progress("finished");
    Ok(())
}

/// Starts a transfer between accounts that follow from its number, and interferes with every third.
async fn one_transfer(client: &Client, number: u64) -> Outcome {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (from, to) = (mixed % ACCOUNTS, (mixed / ACCOUNTS) % ACCOUNTS);
    let id = format!("transfer-{number}");
    let amount = i64::try_from(number % 400)?;
    start_once(client, id.clone(), transfer::with(from, to, amount)).await?;
    let run = client.run(transfer::at(&id))?;
    // Whatever is refused had ended before.
    match number % 9 {
        0 => drop(run.terminate("at random").await),
        3 => drop(run.suspend("at random").await),
        6 => {
            drop(run.terminate("to be purged").await);
            drop(run.wait_for_end().await);
            drop(client.purge(&run).await);
        }
        _ => {}
    }
    Ok(())
}

/// Starts as many fan-outs as each line of its input says, without a worker.
async fn starter(address: &str) -> Outcome {
    let hub = TaskHub::open(address).await?;
    let client = hub.client();
    progress("opened");
    let (lines, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    let mut next = 0_u64;
    while let Some(line) = asked.recv().await {
        for _ in 0..line.parse::<u64>()? {
            start_once(&client, format!("fan-out-{next}"), fan_out::with(next)).await?;
            next += 1;
        }
        progress("asked");
    }
    Ok(())
}

/// Starts an instance unless there is one, and tells when the start has been acknowledged.
async fn start_once<O: Storable>(client: &Client, id: String, call: OrchestrationCall<O>) -> Outcome {
    match client.start(call.instance_id(&id).reuse(Reuse::Never)).await {
        Ok(_) => {
            progress(&format!("started {id}"));
            Ok(())
        }
        Err(durable::Error::Provider(error)) if error.kind == ProviderErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A file to which a line goes, in one write, for everything that has been acknowledged.
struct Acknowledged(Mutex<File>);

impl Acknowledged {
    fn open(path: &str) -> Outcome<Self> {
        Ok(Self(Mutex::new(OpenOptions::new().append(true).create(true).open(path)?)))
    }

    fn note(&self, line: &str) -> Outcome {
        let mut file = self.0.lock().map_err(|_| "a thread panicked")?;
        Ok(file.write_all(format!("{line}\n").as_bytes())?)
    }
}

/// A little of everything, in several rounds that each close the hub and open it again.
async fn power(address: &str, durability: Durability, acknowledged: &str, rounds: u64) -> Outcome {
    let acknowledged = Acknowledged::open(acknowledged)?;
    for round in 0..rounds {
        let hub = TaskHub::options().durability(durability).open(address).await?;
        let worker = hub.worker().start().await?;
        let client = hub.client();
        let collector = format!("words-{round}");
        let words = client.start(collect_words::with().instance_id(&collector)).await?;
        acknowledged.note(&format!("start {collector}"))?;
        let starts = (0..4).map(|number| {
            let (client, acknowledged) = (&client, &acknowledged);
            async move {
                let id = format!("sequence-{round}-{number}");
                let run = client.start(five_steps::with(number).instance_id(&id)).await?;
                acknowledged.note(&format!("start {id}"))?;
                run.output().await?;
                acknowledged.note(&format!("end {id}"))?;
                Outcome::Ok(())
            }
        });
        let raises = async {
            for number in 0..4 {
                let word = format!("word-{number}");
                client.raise(&words, WORD, word.clone()).await?;
                acknowledged.note(&format!("raise {collector} {word}"))?;
            }
            Outcome::Ok(())
        };
        futures::future::try_join(try_join_all(starts), raises).await?;
        worker.shut_down().await?;
    }
    Ok(())
}

/// Instances that begin others, continue as new, fail and try again, in several rounds.
async fn kin(address: &str, acknowledged: &str, rounds: u64) -> Outcome {
    let folder = Path::new(acknowledged).with_extension("needed");
    fs::create_dir(&folder)?;
    let acknowledged = Acknowledged::open(acknowledged)?;
    for round in 0..rounds {
        let hub = TaskHub::open(address).await?;
        let worker = hub.worker().start().await?;
        let client = hub.client();
        let begets = async {
            let id = format!("family-{round}");
            let run =
                client.start(family::with(round, folder.display().to_string()).instance_id(&id)).await?;
            acknowledged.note(&format!("start {id}"))?;
            run.output().await?;
            acknowledged.note(&format!("end {id}"))
        };
        let listens = async {
            let id = format!("listens-{round}");
            let run = client.start(listens::with(Vec::new()).instance_id(&id)).await?;
            acknowledged.note(&format!("start {id}"))?;
            for number in 1..=7 {
                client.raise(&run, NUMBER, number).await?;
                acknowledged.note(&format!("number {id} {number}"))?;
            }
            Outcome::Ok(())
        };
        let mends = async {
            let id = format!("breaks-{round}");
            let run = client
                .start(breaks_at_first::with(round, folder.display().to_string()).instance_id(&id))
                .await?;
            acknowledged.note(&format!("start {id}"))?;
            run.wait_for_end().await?;
            acknowledged.note(&format!("fail {id}"))?;
            mend(&folder, &id)?;
            run.rewind("it is there").await?;
            acknowledged.note(&format!("rewind {id}"))?;
            run.output().await?;
            acknowledged.note(&format!("end {id}"))
        };
        futures::future::try_join3(begets, listens, mends).await?;
        worker.shut_down().await?;
    }
    Ok(())
}

/// So much that the store moves its log into its file meanwhile.
async fn large(address: &str, acknowledged: &str, count: usize) -> Outcome {
    let acknowledged = Acknowledged::open(acknowledged)?;
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();
    for number in 0..count {
        let id = format!("large-{number}");
        let run = client.start(large_step::with("x".repeat(500_000)).instance_id(&id)).await?;
        acknowledged.note(&format!("start {id}"))?;
        run.output().await?;
        acknowledged.note(&format!("end {id}"))?;
    }
    worker.shut_down().await?;
    Ok(())
}

/// Starts some sequences, then raises a word for each line of its input and tells how that went. After
/// its input has ended, tells the words that arrived.
async fn words(address: &str) -> Outcome {
    let hub = TaskHub::open(address).await?;
    let worker = hub.worker().start().await?;
    let client = hub.client();
    let run = client.start(collect_words::with()).await?;
    let sequences = (0..200).map(|number| client.start(five_steps::with(number)));
    let sequences = try_join_all(sequences).await?;
    progress("opened");
    let (lines, mut asked) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).for_each(|line| drop(lines.send(line)));
    });
    while let Some(word) = asked.recv().await {
        match client.raise(&run, WORD, word).await {
            Ok(()) => progress("raised"),
            Err(error) => progress(&format!("refused {error}")),
        }
    }
    for (first, sequence) in (0..).zip(sequences) {
        if sequence.output().await? != after_five(first) {
            return Err(format!("{} gave a wrong result", sequence.id()).into());
        }
    }
    client.raise(&run, WORD, LAST_WORD.to_owned()).await?;
    progress(&format!("words {}", run.output().await?.join(" ")));
    worker.shut_down().await?;
    Ok(())
}
