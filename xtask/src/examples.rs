//! Runs the examples as a newcomer would, and looks at what they leave behind.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path, PathBuf},
};

use crate::step::{Step, StepError};

/// Runs every example; each must end well and have done its work.
pub(crate) fn run() -> Result<(), StepError> {
    let scratch = Scratch::create()?;
    hello_sequence(&scratch)?;
    fan_out_fan_in(&scratch)?;
    versions()?;
    told(
        "custom_status",
        &[" ─ Tokyo ─ Seattle ─ London", "\"recommendedCities\"", "choice 9: null", "confirming"],
    )?;
    told("approval", &["order-17 approved", "order-18 rejected", "order-19 escalated, after 72 hours"])?;
    told("phone_verification", &["true, after 0 s", "false, after 0 s", "false, after 90 s"])?;
    told(
        "weather_monitor",
        &["Not clear", "Clear skies over Redmond, WA", "Go take a walk", "Monitor expiring"],
    )?;
    told(
        "github_monitor",
        &["3 open issue(s)", "too many open issues", "Monitor completed! after 3 minutes"],
    )?;
    told("eternal_clean_up", &["clean-up 1", "clean-up 2", "clean-up 3", "Terminated: \"we move\""])?;
    told(
        "singleton",
        &[
            "Monday: of 10 starts, 1 began it",
            "An instance with ID 'nightly' already exists.",
            "the job of Monday is done",
            "Tuesday: of 10 starts, 1 began it",
            "the job of Tuesday is done",
        ],
    )?;
    told(
        "saga",
        &[
            "Rome-Flight, Rome-Hotel, Rome-Car",
            "✗ Car in Venice",
            "Venice-Hotel: the hotel does not answer",
            "Venice-Hotel cancelled",
            "Venice-Flight cancelled",
            "no trip: no Car left in Venice",
        ],
    )?;
    told("device_provisioning", &["device-1 runs 2.1", "device-2 runs 2.2", "device-3 runs 2.3", "◉ ["])?;
    told(
        "counter",
        &["Counter: 125", "value: 125", "after a deletion: 1", "tally: 7", "reached by [\"Game1\"]"],
    )?;
    told("aggregator", &["boiler", "cellar", "garden", "roof", "4 metrics are stored"])?;
    told("bank_transfer", &["moved money", "in all accounts together: 100000", "still held: 0"])
}

// R1:CST, R1:OVR-20, R1:SMS, R1:MON, R1:GHM, R2:ETE, R2:SNG, R1:SMP-19, R2:ENT-24, R2:ENT-49, R1:OVR-25
/// Those that tell a story: each must say these, in this order.
fn told(name: &str, wanted: &[&str]) -> Result<(), StepError> {
    let lines = example(&format!("Example: {name}"), name).run_reading()?;
    let mut left = lines.iter();
    match wanted.iter().find(|wanted| !left.any(|line| line.contains(**wanted))) {
        Some(missing) => Err(StepError::Unexpected(format!("{name} did not say `{missing}`, but {lines:?}"))),
        None => Ok(()),
    }
}

// R1:QS-1, R1:CHAIN-1, R1:FAN-6, R3:TEST-12
/// Once as a newcomer types it; then killed halfway, and started again.
fn hello_sequence(scratch: &Scratch) -> Result<(), StepError> {
    let folder = scratch.folder("hello")?;
    example("Example: hello_sequence", "hello_sequence").argument(&folder).run()?;

    let program = built("hello_sequence")?;
    Step::program("Example: hello_sequence, killed in its second activity", &program)
        .argument(&folder)
        .run_and_kill_at("Seattle")?;
    let lines =
        Step::program("Example: hello_sequence, after that", &program).argument(&folder).run_reading()?;

    let expected = r#"["Hello Tokyo!", "Hello Seattle!", "Hello London!"]"#;
    let result = lines.last().map(String::as_str).unwrap_or_default();
    if !result.contains(expected) {
        return Err(StepError::Unexpected(format!("the result is not `{expected}` but `{result}`")));
    }
    // The result names Tokyo too; any other line that does is a second greeting.
    if lines.iter().filter(|line| line.contains("Tokyo")).count() > 1 {
        return Err(StepError::Unexpected(
            "what had been greeted was greeted again after the crash".to_owned(),
        ));
    }
    Ok(())
}

// R1:FAN-2, R1:FAN-3, R1:FAN-4, R1:FAN-5
/// On a small tree with a folder in a folder, an empty file and a file of several blocks. The backup
/// keeps a file's whole path, without its root.
fn fan_out_fan_in(scratch: &Scratch) -> Result<(), StepError> {
    let source = scratch.folder("site")?;
    let target = scratch.folder("backups")?;
    write(&source.join("index.html"), b"<h1>hello</h1>")?;
    write(&source.join("assets/empty.css"), b"")?;
    write(&source.join("assets/fonts/large.bin"), &vec![7; 3 << 20])?;
    let step = example("Example: fan_out_fan_in", "fan_out_fan_in").argument(&source).argument(&target);
    let told = step.run_reading()?;
    for wanted in ["Searching for files under '", "Found 3 file(s) under ", "Backed up 3145742 bytes to '"] {
        if !told.iter().any(|line| line.starts_with(wanted)) {
            return Err(StepError::Unexpected(format!("the backup did not say `{wanted}`, but {told:?}")));
        }
    }

    let (mut wanted, mut copied) = (contents(&source)?, contents(&target.join(without_root(&source)))?);
    if wanted == copied {
        return Ok(());
    }
    copied.retain(|name, bytes| wanted.remove(name).is_none_or(|original| original != *bytes));
    Err(StepError::Unexpected(format!(
        "the backup differs from its source: not copied {:?}, wrongly copied {:?}",
        wanted.keys(),
        copied.keys(),
    )))
}

// R3:ZDD-3
/// An order of each version, and what the first one waits for.
fn versions() -> Result<(), StepError> {
    let told = example("Example: versions", "versions").run_reading()?;
    for wanted in [
        "- event `Paid`, since ",
        "old, version 1: shipped teapot",
        "new, version 2: shipped kettle from shelf",
    ] {
        if !told.iter().any(|line| line.starts_with(wanted)) {
            return Err(StepError::Unexpected(format!("the shop did not say `{wanted}`, but {told:?}")));
        }
    }
    Ok(())
}

fn example(heading: &str, name: &str) -> Step {
    Step::cargo(heading, &["run", "--quiet", "--package", "durable-examples", "--bin", name, "--"])
}

/// Where cargo has put the program of an example. It stands beside this very program; asking cargo
/// to run it would put cargo between it and a kill.
fn built(name: &str) -> Result<PathBuf, StepError> {
    let own = std::env::current_exe().map_err(file("find", Path::new("xtask")))?;
    let profiles =
        own.ancestors().nth(2).expect("a program that cargo built stands in a folder of its profile");
    Ok(profiles.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// A folder of this run, removed with everything in it at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Self, StepError> {
        let path = std::env::temp_dir().join(format!("durable-examples-{}", std::process::id()));
        create_folder(&path)?;
        // The examples name files by their real path.
        Ok(Self(path.canonicalize().map_err(file("find", &path))?))
    }

    fn folder(&self, name: &str) -> Result<PathBuf, StepError> {
        let path = self.0.join(name);
        create_folder(&path)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is a few bytes in the temporary folder: not worth a failed run.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn without_root(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// Every file below `folder`: its path from there, and its bytes.
fn contents(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>, StepError> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(file("list", &next))? {
            let path = entry.map_err(file("list", &next))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = fs::read(&path).map_err(file("read", &path))?;
                let name = path.strip_prefix(folder).expect("found below this folder").to_owned();
                found.insert(name, bytes);
            }
        }
    }
    Ok(found)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StepError> {
    create_folder(path.parent().expect("a file stands in a folder"))?;
    fs::write(path, bytes).map_err(file("write", path))
}

fn create_folder(path: &Path) -> Result<(), StepError> {
    fs::create_dir_all(path).map_err(file("create", path))
}

fn file(tried: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StepError {
    move |source| StepError::File { tried, path: path.to_owned(), source }
}
