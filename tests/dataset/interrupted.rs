//! Downloads that are killed, and downloads side by side.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::made::gzip;
use crate::server::{Answer, contents, downloader, good, http, packed_names, serve};
use mnistctl::dataset::{Downloader, verify_against};
use support::listing;

/// Longer than anything takes, on a machine as busy as can be.
const SLOWEST: Duration = Duration::from_secs(300);

/// How the next function is told what to do.
const ORDER: &str = "MNISTCTL_TEST_DOWNLOAD";

/// Not a test: what the others start as a process of its own, to kill it.
#[test]
fn process() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let (url, folder) = order.split_once(' ').unwrap();
    patient(url).fill(Path::new(folder)).unwrap();
}

/// These are about what ends a download from outside, so nothing slow may end it.
fn patient(url: &str) -> Downloader {
    Downloader {
        connect: SLOWEST,
        stall: SLOWEST,
        longest: SLOWEST,
        ..downloader(&[url])
    }
}

fn start(url: &str, folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "interrupted::process"])
        .env(ORDER, format!("{url} {}", folder.display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// A server that takes about 1.5 s for the four files.
fn slow() -> String {
    let mut answers = good();
    for (name, bytes) in packed_names().into_iter().zip([2, 3, 0, 1].map(packed)) {
        let length = format!("Content-Length: {}\r\n", bytes.len());
        let answer = Answer::Trickle(http("200 OK", &length, b""), bytes);
        assert!(answers.insert(name, answer).is_some());
    }
    serve(answers)
}

/// The file at a place of `NAMES`, compressed.
fn packed(which: usize) -> Vec<u8> {
    gzip(&contents()[which])
}

fn is_part(name: &str) -> bool {
    name.starts_with(".mnistctl-") && name.ends_with(".tmp")
}

/// Waits until there is something in a temporary file that was not there `before`, or the process has
/// ended.
fn wait_for_part(folder: &Path, before: &[String], process: &mut Child) {
    let started = Instant::now();
    let has_part = || {
        let mut entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.any(|entry| {
            let length = entry.metadata().map_or(0, |metadata| metadata.len());
            let name = entry.file_name().into_string().unwrap();
            is_part(&name) && !before.contains(&name) && length > 0
        })
    };
    while !has_part() && process.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < SLOWEST);
        thread::sleep(Duration::from_millis(1));
    }
}

/// Asserts that whatever has its final name in the folder is complete and right.
fn assert_nothing_false(folder: &Path) {
    let names = listing(folder);
    let final_names = names.iter().filter(|name| !is_part(name));
    let right = verify_against(folder, &downloader(&[]).files).unwrap();
    let right = right.iter().filter(|check| check.is_ok());
    assert_eq!(right.count(), final_names.count(), "{names:?}");
}

#[test]
fn killed_again_and_again_it_leaves_nothing_false_and_completes_in_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let url = slow();
    let mut kills = 0;
    let mut parts = 0;
    for delay in [0, 1, 2, 5, 10, 20, 50, 100, 150, 200, 300, 400] {
        let before = listing(folder.path());
        let mut child = start(&url, folder.path());
        // The first is killed before it begins.
        if kills > 0 {
            wait_for_part(folder.path(), &before, &mut child);
        }
        thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        kills += usize::from(!child.wait().unwrap().success());
        assert_nothing_false(folder.path());
        // At most the last one's: each start sweeps up what the one before left.
        let names = listing(folder.path());
        let left = names.iter().filter(|name| is_part(name)).count();
        assert!(left <= 1, "{names:?}");
        parts += left;
    }
    assert!(kills >= 6 && parts >= 3, "{kills} {parts}");
    assert!(start(&url, folder.path()).wait().unwrap().success());
    assert_eq!(listing(folder.path()), packed_names());
    assert_nothing_false(folder.path());
}

#[test]
fn two_at_once_into_one_folder_both_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = start(&slow(), folder.path());
    wait_for_part(folder.path(), &[], &mut first);
    let mut second = start(&slow(), folder.path());
    // A third, fast one is done before them, and leaves their temporary files alone.
    patient(&serve(good())).fill(folder.path()).unwrap();
    assert_nothing_false(folder.path());
    assert!(first.wait().unwrap().success());
    assert!(second.wait().unwrap().success());
    assert_eq!(listing(folder.path()), packed_names());
    assert_nothing_false(folder.path());
}

#[test]
fn what_a_killed_download_left_is_swept_and_a_running_ones_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path(".mnistctl-killed.tmp"), "half").unwrap();
    let running = fs::File::create(path(".mnistctl-running.tmp")).unwrap();
    running.lock().unwrap();
    fs::write(path("notes.tmp"), "somebody's own").unwrap();
    patient(&serve(good())).fill(folder.path()).unwrap();
    let others = [".mnistctl-running.tmp".to_string(), "notes.tmp".to_string()];
    let mut expected = [packed_names(), others.to_vec()].concat();
    expected.sort();
    assert_eq!(listing(folder.path()), expected);
}
