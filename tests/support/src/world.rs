//! A world of its own for each child process, runs to look into, and one trained network.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, json_lines, listing, program, sample,
};

/// A recipe that trains in no time: one linear layer.
pub const TINY: &str = r#"name = "tiny"

[model]
layers = ["flatten", { kind = "linear", out_features = 10 }]

[optimizer]
kind = "sgd"
lr = 0.1

[training]
epochs = 1
"#;

/// A temporary folder that is a child process's current folder, home and cache in one, so that
/// nothing of the machine gets in or out.
pub struct World {
    folder: TempDir,
}

/// How a child process ended, and what it said.
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    /// A world that holds `TINY` as `tiny.toml`.
    pub fn with_tiny() -> Self {
        let world = Self::new();
        world.write("tiny.toml", TINY);
        world
    }

    /// A world that holds the network of [`lenet`] as `lenet.mpk`.
    pub fn with_lenet() -> Self {
        let world = Self::new();
        world.write("lenet.mpk", &lenet().best);
        world
    }

    /// The path of something in the child's current folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path(name);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.text(name)).unwrap()
    }

    /// The lines of a run's `metrics.jsonl`.
    pub fn metrics(&self, run: &str) -> Vec<Value> {
        json_lines(&self.text(&format!("{run}/metrics.jsonl")))
    }

    /// The sample's four files in a folder, uncompressed.
    pub fn write_data(&self, folder: &str) {
        fs::create_dir(self.path(folder)).unwrap();
        for name in [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS] {
            self.write(&format!("{folder}/{name}"), sample(name));
        }
    }

    /// The names of all that is in the child's current folder or a folder there, sorted.
    pub fn listing(&self, folder: &str) -> Vec<String> {
        listing(&self.path(folder))
    }

    /// The name and content of each file in a folder below the child's current folder, sorted.
    pub fn contents(&self, folder: &str) -> Vec<(String, Vec<u8>)> {
        let read = |name: String| {
            let content = self.read(&format!("{folder}/{name}"));
            (name, content)
        };
        self.listing(folder).into_iter().map(read).collect()
    }

    /// Waits until a running command has made a file.
    pub fn wait_for(&self, file: &str) {
        let started = Instant::now();
        while !self.path(file).exists() {
            assert!(started.elapsed() < Duration::from_secs(60), "{file}");
            sleep(Duration::from_millis(5));
        }
    }

    /// The program with arguments, which spaces separate.
    pub fn command(&self, args: &str) -> Command {
        let mut command = self.isolated(&program());
        command.args(args.split_whitespace());
        command
    }

    /// The program with arguments as a user types them, quotes and all.
    #[cfg(unix)]
    pub fn shell(&self, args: &str) -> Command {
        let mut command = self.isolated("sh".as_ref());
        let script = format!("exec \"$0\" {args}");
        command.args(["-c", &script]).arg(program());
        command
    }

    fn isolated(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.path(""))
            .env_remove("MNISTCTL_DATA")
            .env("HOME", self.folder.path())
            .env("XDG_CACHE_HOME", self.folder.path().join("cache"))
            // No test may download anything; with a proxy that isn't there, none can.
            .env("ALL_PROXY", "http://127.0.0.1:9")
            .env("HTTPS_PROXY", "http://127.0.0.1:9")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, args: &str) -> Finished {
        Finished::of(args, self.command(args).output().unwrap())
    }

    /// Runs what a user types, which must succeed.
    #[cfg(unix)]
    pub fn shell_ok(&self, args: &str) -> Finished {
        let finished = Finished::of(args, self.shell(args).output().unwrap());
        assert_eq!(finished.code, 0, "{args}: {}", finished.stderr);
        finished
    }

    /// Runs the program with `input` on its standard input.
    pub fn run_with_input(&self, args: &str, input: &[u8]) -> Finished {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Finished::of(args, child.wait_with_output().unwrap())
    }

    /// Runs what must succeed and returns its standard output.
    pub fn ok(&self, args: &str) -> String {
        let finished = self.run(args);
        assert_eq!(finished.code, 0, "{args}: {}", finished.stderr);
        finished.stdout
    }

    /// Runs what must fail with one message that holds all `words`, print nothing, and leave no
    /// trace in the current folder.
    pub fn refused(&self, args: &str, words: &[&str]) {
        let before = self.listing("");
        let finished = self.run(args);
        finished.assert_error(args, words);
        let begins = finished.stderr.starts_with("error: ");
        assert!(begins, "{args}: {}", finished.stderr);
        assert_eq!(self.listing(""), before, "{args}");
    }
}

impl Finished {
    /// What every end of a child process has in common: no panic shows.
    pub fn of(args: &str, output: Output) -> Self {
        let finished = Self {
            // A signal that ended it has no code.
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        for trace in ["panicked", "RUST_BACKTRACE", "a bug in mnistctl"] {
            assert!(
                !finished.stderr.contains(trace),
                "{args}: {}",
                finished.stderr
            );
        }
        assert!(
            [0, 1, 2, 130, 143].contains(&finished.code),
            "{args}: code {}, {}",
            finished.code,
            finished.stderr
        );
        finished
    }

    /// Asserts that stderr holds all `words`.
    pub fn assert_says(&self, words: &[&str]) {
        assert_holds(&self.stderr, words);
    }

    /// Asserts that stdout holds all `words`.
    pub fn assert_prints(&self, words: &[&str]) {
        assert_holds(&self.stdout, words);
    }

    /// Exit code 1, nothing on stdout, and exactly one error on stderr, which holds all `words`.
    pub fn assert_error(&self, args: &str, words: &[&str]) {
        assert_eq!(self.code, 1, "{args}: {}", self.stderr);
        assert_eq!(self.stdout, "", "{args}");
        let errors = self
            .stderr
            .lines()
            .filter(|line| line.starts_with("error:"));
        assert_eq!(errors.count(), 1, "{args}: {}", self.stderr);
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{args}: `{word}` is missing in: {}",
                self.stderr
            );
        }
    }
}

/// Asserts that two folders had the same [`contents`](World::contents).
pub fn assert_same_contents(one: &[(String, Vec<u8>)], other: &[(String, Vec<u8>)]) {
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(one), names(other));
    for ((name, one), (_, other)) in one.iter().zip(other) {
        assert!(one == other, "{name}");
    }
}

fn assert_holds(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no `{word}` in: {text}");
    }
}

/// A LeNet that three epochs on the whole sample have trained.
pub struct Trained {
    pub best: Vec<u8>,
    pub summary: Value,
    pub metrics: Vec<Value>,
}

/// Trained once for all tests that need a network that reads digits.
pub fn lenet() -> &'static Trained {
    static LENET: OnceLock<Trained> = OnceLock::new();
    LENET.get_or_init(|| {
        let world = World::new();
        world.ok("train --config lenet --data sample --epochs 3");
        Trained {
            best: world.read("runs/lenet/best.mpk"),
            summary: world.json("runs/lenet/summary.json"),
            metrics: world.metrics("runs/lenet"),
        }
    })
}
