//! Replays what fuzzing found: the inputs that reach the most code (`fuzz/corpus`) and those that
//! once broke something (`fuzz/regressions`). `docs/fuzzing.md` says how to find more.

mod checks;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Held by the test that runs: memory is measured for the whole process.
static ALONE: Mutex<()> = Mutex::new(());

/// What the process takes for itself, such as stacks of threads, in bytes.
const OWN: usize = 32 << 20;

fn replay(target: &str, memory: fn(&[u8]) -> usize, check: fn(&[u8])) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let files = [files("corpus", target), files("regressions", target)].concat();
    assert!(files.len() >= 20, "{target}: only {} inputs", files.len());
    for file in files {
        let name = file.display();
        let bytes = fs::read(&file).unwrap();
        let before = Memory::measure();
        let checked = catch_unwind(|| check(&bytes));
        assert!(checked.is_ok(), "{name} panics, see above");
        if let (Some(before), Some(after)) = (before, Memory::now()) {
            let used = after.peak.saturating_sub(before.held);
            let most = memory(&bytes) + OWN;
            assert!(used <= most, "{name} takes {used} bytes, more than {most}");
        }
    }
}

/// The inputs kept for a target; none where it has no such folder.
fn files(kind: &str, target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let Ok(entries) = folder.join(kind).join(target).read_dir() else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The process's resident memory, in bytes: what it has, and the most it had.
struct Memory {
    held: usize,
    peak: usize,
}

impl Memory {
    /// What there is now, from which the peak is counted anew; `None` where the system can't tell.
    fn measure() -> Option<Self> {
        fs::write("/proc/self/clear_refs", "5").ok()?;
        Self::now()
    }

    fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let bytes = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name))?;
            let kilobytes: usize = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(kilobytes << 10)
        };
        Some(Self {
            held: bytes("VmRSS:")?,
            peak: bytes("VmHWM:")?,
        })
    }
}

#[test]
fn checkpoints() {
    replay(
        "checkpoint",
        checks::checkpoint::memory,
        checks::checkpoint::check,
    );
}

#[test]
fn idx_files() {
    replay("idx", checks::idx::memory, checks::idx::check);
}

#[test]
fn gzip_files() {
    replay("gzip", checks::gzip::memory, checks::gzip::check);
}

#[test]
fn recipes() {
    replay("recipe", checks::recipe::memory, checks::recipe::check);
}

#[test]
fn pictures() {
    replay("picture", checks::picture::memory, checks::picture::check);
}

#[test]
fn requests() {
    replay("request", checks::request::memory, checks::request::check);
}

#[test]
fn logs() {
    replay("log", checks::log::memory, checks::log::check);
}

#[test]
fn weights() {
    for target in ["safetensors", "torch_save"] {
        replay(target, checks::weights::memory, checks::weights::check);
    }
}

/// The measuring itself: without it, no bound would ever be exceeded.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_measured() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Memory::measure().expect("Linux tells");
    drop(std::hint::black_box(vec![1u8; 64 << 20]));
    let used = Memory::now().unwrap().peak - before.held;
    assert!((60 << 20..90 << 20).contains(&used), "{used}");
}
