//! Training runs in processes of their own: `mnistctl train`, as a user would call it. Whatever
//! happens to one, even a crash, the others go on.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

#[cfg(unix)]
use rustix::process::{Pid, Signal, kill_process};

use super::plan::{Comparison, PlannedRun};
use super::progress::ComparisonProgress;
use super::standing::{Ending, Expected, Standing};

/// What all runs have in common.
#[derive(Debug)]
pub struct Settings<'a> {
    /// This program.
    pub program: PathBuf,
    /// `--data` and `--backend` as the user wrote them, if at all.
    pub data: Option<&'a str>,
    pub backend: Option<&'a str>,
    pub threads: Option<usize>,
    /// `--epochs`, as the user wrote it.
    pub epochs: Option<u64>,
    /// `--save-every`, as the user wrote it.
    pub save_every: Option<u64>,
    /// How many run at a time.
    pub jobs: usize,
    pub expected: Expected,
}

/// How often the processes are checked on.
const TICK: Duration = Duration::from_millis(20);
/// How much of the end of a failed run's log is searched for its message.
const TAIL_BYTES: u64 = 8 * 1024;

/// The arguments that make the run, or go on with it; `None` where nothing is to be done.
pub fn command_line(
    comparison: &Comparison,
    run: &PlannedRun,
    standing: &Standing,
    settings: &Settings<'_>,
) -> Option<Vec<OsString>> {
    let mut arguments: Vec<OsString> = vec!["train".into()];
    let mut add = |key: &str, value: OsString| arguments.extend([key.into(), value]);
    match standing {
        Standing::Complete(_) | Standing::Blocked(_) => return None,
        Standing::Unfinished => add("--resume", run.folder.clone().into()),
        Standing::Missing => {
            let variant = &comparison.variants[run.variant];
            add("--config", variant.config.clone().into());
            add("--seed", run.seed.to_string().into());
            for setting in &variant.settings {
                add("--set", setting.to_text().into());
            }
            if let Some(epochs) = settings.epochs {
                add("--epochs", epochs.to_string().into());
            }
            if let Some(limit) = settings.expected.limit {
                add("--limit", limit.to_string().into());
            }
            if let Some(backend) = settings.backend {
                add("--backend", backend.into());
            }
            add("--out", run.folder.clone().into());
        }
    }
    if let Some(data) = settings.data {
        add("--data", data.into());
    }
    if let Some(threads) = settings.threads {
        add("--threads", threads.to_string().into());
    }
    if let Some(seconds) = settings.save_every {
        add("--save-every", seconds.to_string().into());
    }
    Some(arguments)
}

/// Trains what `standings` (one for each run) leaves to do, `jobs` at a time, until all is done
/// or `stop` says so; then asks the running ones to save themselves, and waits for them.
pub fn train_all(
    comparison: &Comparison,
    standings: Vec<Standing>,
    settings: &Settings<'_>,
    stop: &dyn Fn() -> bool,
) -> Vec<Ending> {
    let mut progress = ComparisonProgress::new();
    let mut endings: Vec<Option<Ending>> = Vec::new();
    let mut waiting = VecDeque::new();
    for (index, standing) in standings.into_iter().enumerate() {
        endings.push(match standing {
            Standing::Complete(finished) => Some(Ending::Complete(finished)),
            Standing::Blocked(reason) => Some(Ending::Failed(reason)),
            Standing::Missing | Standing::Unfinished => {
                waiting.push_back((index, standing));
                None
            }
        });
    }
    let complete = endings.iter().flatten();
    let complete = complete.filter(|ending| matches!(ending, Ending::Complete(_)));
    progress.begin(complete.count(), waiting.len());

    let mut running: Vec<(usize, Child)> = Vec::new();
    let mut stopping = false;
    loop {
        if stop() && !stopping {
            stopping = true;
            waiting.clear();
            progress.stopping(running.len());
            interrupt(running.iter().map(|(_, child)| child));
        }
        while running.len() < settings.jobs
            && let Some((index, standing)) = waiting.pop_front()
        {
            let run = &comparison.runs[index];
            match start(comparison, run, &standing, settings) {
                Ok(child) => {
                    progress.start(index, comparison, &standing);
                    running.push((index, child));
                }
                Err(error) => {
                    let ending = Ending::Failed(format!("it could not be started: {error}"));
                    progress.end(index, comparison, &ending);
                    endings[index] = Some(ending);
                }
            }
        }
        running.retain_mut(|(index, child)| {
            let run = &comparison.runs[*index];
            let ending = match child.try_wait() {
                Ok(None) => return true,
                // A Ctrl-C may have reached it, too young to know what to do, before we looked.
                Ok(Some(status)) => ending(run, status, settings, stopping || stop()),
                Err(error) => Ending::Failed(format!("its process can't be waited for: {error}")),
            };
            progress.end(*index, comparison, &ending);
            endings[*index] = Some(ending);
            false
        });
        if running.is_empty() && waiting.is_empty() {
            break;
        }
        progress.update(comparison);
        std::thread::sleep(TICK);
    }
    progress.finish();
    let endings = endings.into_iter();
    endings
        .map(|ending| ending.unwrap_or(Ending::Interrupted))
        .collect()
}

/// The file beside a run's folder that its process writes to.
fn log_file(run: &PlannedRun) -> PathBuf {
    let mut name = run.folder.clone().into_os_string();
    name.push(".log");
    name.into()
}

fn start(
    comparison: &Comparison,
    run: &PlannedRun,
    standing: &Standing,
    settings: &Settings<'_>,
) -> io::Result<Child> {
    let resumed = matches!(standing, Standing::Unfinished);
    let log = OpenOptions::new()
        .create(true)
        .write(true)
        .append(resumed)
        .truncate(!resumed)
        .open(log_file(run))?;
    let arguments = command_line(comparison, run, standing, settings);
    let mut command = Command::new(&settings.program);
    command
        .args(arguments.unwrap_or_default())
        // Its standard input ends when we do, even killed, and with it the run: it must not go on
        // where nobody looks after it, and where the same command would find it at work.
        .arg("--until-stdin-ends")
        .stdin(Stdio::piped())
        .stdout(log.try_clone()?)
        .stderr(log);
    // A Ctrl-C on the terminal reaches a whole process group. In groups of their own, the runs
    // hear of it from us, once, however the signal came: a second one would end them unsaved.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Asks the processes to save their runs and stop. One that can't be asked has ended already.
#[cfg(unix)]
fn interrupt<'a>(children: impl Iterator<Item = &'a Child>) {
    for child in children {
        let _ = kill_process(Pid::from_child(child), Signal::INT);
    }
}

/// On Windows, Ctrl-C reaches every process of the console.
#[cfg(not(unix))]
fn interrupt<'a>(_: impl Iterator<Item = &'a Child>) {}

fn ending(run: &PlannedRun, status: ExitStatus, settings: &Settings<'_>, stopping: bool) -> Ending {
    let standing = Standing::of(run, &settings.expected);
    match standing {
        Standing::Complete(finished) if status.success() => Ending::Complete(finished),
        _ if stopping && (status.code() == Some(130) || status.code().is_none()) => {
            Ending::Interrupted
        }
        Standing::Blocked(reason) if status.success() => Ending::Failed(reason),
        _ => Ending::Failed(match last_words(&log_file(run)) {
            Some(words) if status.code().is_some() => words,
            words => format!("{}; {}", exit(status), words.unwrap_or_default()),
        }),
    }
}

/// A process's end in words.
fn exit(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            9 => "it was killed (signal 9), perhaps because memory ran out".to_string(),
            _ => format!("signal {signal} ended it"),
        };
    }
    match status.code() {
        Some(code) => format!("it ended with exit code {code}"),
        None => "it ended".to_string(),
    }
}

/// The error at the end of a log, or else its last line.
fn last_words(log: &Path) -> Option<String> {
    let mut file = File::open(log).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))
        .ok()?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_end();
    let words = match text.rfind("error: ") {
        Some(start) => &text[start + "error: ".len()..],
        None => text.lines().next_back()?,
    };
    Some(words.to_string())
}
