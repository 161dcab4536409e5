//! A process's life, and the moment that ends it.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use mnistctl::rng::Rng;

/// When a process is killed.
#[derive(Debug)]
pub enum Moment {
    After(Duration),
    /// When a file of this name has appeared in the folder or changed there this many times.
    Change(&'static str, u64),
    /// When this many temporary files have been seen there: while one is being written.
    Write(u64),
    /// Not at all.
    Never,
}

/// How a life ended.
pub enum End {
    Killed,
    /// With this exit code, and these last words.
    Itself(Option<i32>, String),
}

impl Moment {
    /// One in three by the clock, one by a temporary file, one by one of `files`.
    pub fn choose(rng: &mut Rng, longest: Duration, files: &[(&'static str, u64)]) -> Self {
        match below(rng, 3) {
            0 => Moment::After(longest.mul_f64(below(rng, 1000) as f64 / 1000.0)),
            1 => Moment::Write(1 + below(rng, 40)),
            _ => {
                let (name, most) = files[below(rng, files.len() as u64) as usize];
                Moment::Change(name, 1 + below(rng, most))
            }
        }
    }

    /// Waits for it, or for the end of `child`.
    fn wait(&self, child: &mut Child, folder: &Path) {
        let born = Instant::now();
        match *self {
            Moment::After(time) => wait_until(child, || born.elapsed() >= time),
            Moment::Change(name, times) => {
                wait_until(child, changes(|| identity(&folder.join(name)), times));
            }
            Moment::Write(times) => wait_until(child, changes(|| temporary(folder), times)),
            Moment::Never => {
                child.wait().unwrap();
            }
        }
    }
}

fn wait_until(child: &mut Child, mut now: impl FnMut() -> bool) {
    while child.try_wait().unwrap().is_none() && !now() {
        // Writing a file takes several times as long.
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// Becomes true when `file` has been replaced this many times.
fn changes(file: impl Fn() -> Option<(u64, u64)>, times: u64) -> impl FnMut() -> bool {
    let (mut count, mut before) = (0, None);
    move || {
        let now = file();
        if now.is_some() && now != before {
            count += 1;
        }
        before = now;
        count >= times
    }
}

/// Lets `child`, which works in `folder`, live until `moment`; then `kill` ends it.
pub fn live(mut child: Child, folder: &Path, moment: &Moment, kill: fn(&mut Child)) -> End {
    moment.wait(&mut child, folder);
    let running = child.try_wait().unwrap().is_none();
    if running {
        kill(&mut child);
    }
    let status = child.wait().unwrap();
    let mut words = String::new();
    // Children that live on hold no pipe of ours.
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut words).unwrap();
    if running && status.code().is_none() {
        End::Killed
    } else {
        End::Itself(status.code(), words)
    }
}

pub fn below(rng: &mut Rng, end: u64) -> u64 {
    rng.next_u64() % end
}

/// A number from the environment.
pub fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value.map_or(default, |value| value.parse().expect(name))
}

/// What changes when a file is replaced, or grows.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len()))
}

/// A file that is being written in `folder` or in a folder there.
pub fn temporary(folder: &Path) -> Option<(u64, u64)> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let found = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with(".mnistctl-") {
            // It grows while it is written, and stays the same file.
            Some((identity(&entry.path())?.0, 0))
        } else if name.contains('.') {
            None
        } else {
            temporary(&entry.path())
        }
    });
    found.flatten().next()
}
