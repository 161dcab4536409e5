//! Files from a stranger that are sound to the last byte and still can't be what they say:
//! whatever training could not have written is refused in words, before memory is taken for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use mnistctl::training::{Checkpoint, Epoch, RunningMetrics, SchedulerState};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use support::{Finished, World};

/// A checkpoint as it is written, to be changed at will. What is `None` is left out.
#[derive(Serialize, Deserialize, Clone)]
struct Document {
    format: String,
    version: u32,
    recipe: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    isa: Option<String>,
    normalize: Normalize,
    metrics: Vec<Epoch>,
    tensors: Vec<Tensor>,
    resume: Option<Resume>,
}

#[derive(Serialize, Deserialize, Clone)]
struct Normalize {
    mean: f64,
    std: f64,
}

#[derive(Serialize, Deserialize, Clone)]
struct Tensor {
    name: String,
    shape: Vec<u64>,
    dtype: String,
    data: ByteBuf,
}

#[derive(Serialize, Deserialize, Clone)]
struct Resume {
    step: u64,
    tally: RunningMetrics,
    scheduler: SchedulerState,
    optimizer_steps: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    moments: Option<Vec<Moments>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    optimizer_moments: Option<Vec<ByteBuf>>,
    weights: Option<Vec<Tensor>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    data: String,
    sha256: String,
    limit: Option<u64>,
}

/// Version 2's moments of one parameter.
#[derive(Serialize, Deserialize, Clone)]
struct Moments {
    name: String,
    first: Option<ByteBuf>,
    second: Option<ByteBuf>,
}

impl Document {
    /// Conv, BatchNorm and linear layer, after three epochs of Adam with averaged weights.
    fn sound() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/checkpoints");
        let bytes = fs::read(path.join("version-1-last.mpk")).unwrap();
        rmp_serde::from_slice(&bytes).unwrap()
    }

    /// The same in format version 2.
    fn sound_2() -> Self {
        let bytes = rmp_serde::to_vec_named(&Self::sound()).unwrap();
        let checkpoint = Checkpoint::parse(&bytes, Path::new("sound.mpk")).unwrap();
        rmp_serde::from_slice(&checkpoint.to_bytes()).unwrap()
    }

    fn changed(change: impl Fn(&mut Self)) -> Vec<u8> {
        Self::sound().with(change)
    }

    fn with(mut self, change: impl Fn(&mut Self)) -> Vec<u8> {
        change(&mut self);
        rmp_serde::to_vec_named(&self).unwrap()
    }

    fn tensor(&mut self, name: &str) -> &mut Tensor {
        let mut tensors = self.tensors.iter_mut();
        tensors.find(|tensor| tensor.name == name).unwrap()
    }

    fn resume(&mut self) -> &mut Resume {
        self.resume.as_mut().unwrap()
    }

    /// Version 1's moments.
    fn pairs(&mut self) -> &mut Vec<ByteBuf> {
        self.resume().optimizer_moments.as_mut().unwrap()
    }

    /// Version 2's moments.
    fn moments(&mut self) -> &mut Vec<Moments> {
        self.resume().moments.as_mut().unwrap()
    }
}

fn set_first(data: &mut ByteBuf, value: f32) {
    data[..4].copy_from_slice(&value.to_le_bytes());
}

/// Runs the program where it can't have more than `megabytes` of memory, its own code (which is
/// mapped, not read) and its threads' stacks among them.
#[cfg(target_os = "linux")]
fn run_within(world: &World, megabytes: usize, args: &str) -> Finished {
    let script = format!("ulimit -v {}; exec \"$0\" {args}", megabytes << 10);
    let output = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_mnistctl")])
        .current_dir(world.path(""))
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .unwrap();
    Finished::of(args, output)
}

#[test]
fn a_network_that_training_cannot_come_to_is_refused() {
    type Change = fn(&mut Document);
    let table: [(&str, Change, &[&str]); 13] = [
        (
            "nan",
            |d| set_first(&mut d.tensor("0.weight").data, f32::NAN),
            &["0.weight", "not finite"],
        ),
        (
            "infinite",
            |d| set_first(&mut d.tensor("6.bias").data, f32::INFINITY),
            &["6.bias", "not finite"],
        ),
        (
            "variance",
            |d| set_first(&mut d.tensor("1.running_var").data, -1.0),
            &["1.running_var", "negative variances"],
        ),
        (
            "twice",
            |d| d.tensors.push(d.tensors[0].clone()),
            &["holds 9 tensors, but the network has 8"],
        ),
        (
            "instead",
            |d| d.tensors[1] = d.tensors[0].clone(),
            &["the tensor 0.bias is missing"],
        ),
        ("none", |d| d.tensors.clear(), &["0.weight is missing"]),
        (
            "sides",
            |d| d.tensors[0].shape = vec![4, 1, 5, 5, 1],
            &["damaged", "at most 4"],
        ),
        (
            "product",
            |d| d.tensors[0].shape = vec![1 << 63, 2, 25, 1],
            &["damaged", "9223372036854775808", "400 bytes of data"],
        ),
        (
            "tensors",
            |d| d.tensors = vec![d.tensors[1].clone(); 801],
            &["damaged", "at most 800"],
        ),
        (
            "epochs",
            |d| d.metrics = vec![d.metrics[0].clone(); 100_001],
            &["damaged", "at most 100000"],
        ),
        (
            "loss",
            |d| d.metrics[1].train.loss = f64::NAN,
            &["figures that can't be measured"],
        ),
        (
            "accuracy",
            |d| d.metrics[2].val.as_mut().unwrap().accuracy = 1.5,
            &["figures that can't be measured"],
        ),
        (
            "rate",
            |d| d.metrics[0].lr = f64::NEG_INFINITY,
            &["figures that can't be measured"],
        ),
    ];
    let world = World::new();
    for (name, change, words) in table {
        let file = format!("{name}.mpk");
        world.write(&file, Document::changed(change));
        let words = [words, &[&file]].concat();
        world.refused(&format!("eval --data sample --checkpoint {file}"), &words);
    }
    // Unchanged, it is read.
    world.write("sound.mpk", Document::changed(|_| {}));
    world.ok("eval --data sample --checkpoint sound.mpk");
}

#[test]
fn a_state_that_no_run_was_in_is_not_gone_on_from() {
    type Change = fn(&mut Document);
    let table: [(&str, Change); 20] = [
        ("counts of the unfinished epoch", |d| {
            d.resume().tally.correct = u64::MAX
        }),
        ("counts of the unfinished epoch", |d| {
            d.resume().tally.loss_sum = f64::NAN;
        }),
        ("position in the epoch", |d| {
            d.resume().step += 1;
            d.resume().optimizer_steps += 1;
        }),
        ("optimizer's steps", |d| d.resume().step = u64::MAX),
        ("optimizer's steps", |d| {
            d.resume().optimizer_steps = u64::MAX;
        }),
        ("optimizer's steps", |d| d.resume().optimizer_steps = 0),
        ("optimizer's steps", |d| d.resume().optimizer_steps += 1),
        ("learning rate", |d| d.resume().scheduler.lr = f64::NAN),
        ("learning rate", |d| d.resume().scheduler.lr = 1e6),
        ("learning rate", |d| {
            d.resume().scheduler.bad_epochs = u64::MAX;
        }),
        ("learning rate", |d| {
            d.resume().scheduler.cooldown = u64::MAX;
        }),
        ("learning rate", |d| {
            d.resume().scheduler.best = Some(f64::INFINITY);
        }),
        ("optimizer's state", |d| {
            set_first(&mut d.pairs()[0], f32::NAN);
        }),
        ("optimizer's state", |d| {
            set_first(&mut d.pairs()[1], -1.0);
        }),
        ("moments are incomplete", |d| {
            d.pairs().pop();
        }),
        ("at most 800", |d| {
            *d.pairs() = vec![ByteBuf::new(); 802];
        }),
        ("at most 800", |d| {
            let tensor = d.tensors[1].clone();
            d.resume().weights = Some(vec![tensor; 801]);
        }),
        ("averaged weights", |d| {
            d.recipe = d.recipe.replace("ema_decay = 0.95\n", "");
        }),
        ("not a sha256", |d| {
            d.resume().sha256 = "\u{1b}[31m".into();
        }),
        ("backend that no version of mnistctl has", |d| {
            d.resume().backend = Some("\u{1b}[31mflex".into());
        }),
    ];
    let world = World::new();
    fs::create_dir(world.path("run")).unwrap();
    for (words, change) in table {
        refuses_to_go_on(&world, Document::changed(change), words);
    }
}

#[test]
fn what_is_new_in_version_2_is_checked_as_well() {
    type Change = fn(&mut Document);
    let table: [(&str, Change); 17] = [
        ("backend that no version of mnistctl has", |d| {
            d.backend = Some("\u{1b}[31mnative".into());
        }),
        ("backend that no version of mnistctl has", |d| {
            d.backend = Some("a".repeat(33));
        }),
        ("instruction set that no version of mnistctl has", |d| {
            d.isa = Some("avx\n2".into());
        }),
        ("an instruction set, but no backend", |d| {
            d.backend = None;
            d.isa = Some("avx2".into());
        }),
        ("backend that does not exist", |d| {
            d.backend = Some("abacus".into());
        }),
        ("optimizer's state", |d| {
            set_first(d.moments()[0].first.as_mut().unwrap(), f32::NAN);
        }),
        ("optimizer's state", |d| {
            set_first(d.moments()[0].second.as_mut().unwrap(), -1.0);
        }),
        ("optimizer's state", |d| {
            d.moments()[0].first = Some(ByteBuf::new());
        }),
        ("optimizer's state", |d| {
            let more = d.moments()[1].first.as_mut().unwrap();
            more.extend([0; 4]);
        }),
        ("moments are incomplete", |d| {
            d.moments()[1].first.as_mut().unwrap().pop();
        }),
        ("optimizer's state", |d| {
            d.moments()[0].name = "0.wait".into()
        }),
        ("optimizer's state", |d| d.moments().swap(0, 1)),
        ("optimizer's state", |d| {
            d.moments().pop();
        }),
        ("at most 800", |d| {
            *d.moments() = vec![d.moments()[1].clone(); 801];
        }),
        // What only the other version has.
        ("keys are not those of version 2", |d| {
            d.resume().backend = Some("flex".into());
        }),
        ("keys are not those of version 2", |d| {
            d.resume().moments = None;
        }),
        ("keys are not those of version 1", |d| d.version = 1),
    ];
    let world = World::new();
    fs::create_dir(world.path("run")).unwrap();
    for (words, change) in table {
        refuses_to_go_on(&world, Document::sound_2().with(change), words);
    }
    // Unchanged, it goes on.
    world.write("run/last.mpk", Document::sound_2().with(|_| {}));
    world.ok("train --resume run --epochs 4");
}

fn refuses_to_go_on(world: &World, last: Vec<u8>, words: &str) {
    world.write("run/last.mpk", last);
    let args = "train --resume run";
    world.run(args).assert_error(args, &[words, "run"]);
    assert_eq!(world.listing("run"), ["last.mpk"], "{words}");
}

/// The recipe's network would take gigabytes; the file doesn't have them.
#[cfg(target_os = "linux")]
#[test]
fn a_network_that_is_not_there_takes_no_memory() {
    fn with_layers(layers: &str) -> Vec<u8> {
        Document::changed(|document| {
            let recipe = &document.recipe;
            let (before, model) = recipe.split_once("[[model.layers]]").unwrap();
            let (_, after) = model.split_once("\n[optimizer]").unwrap();
            document.recipe = format!("{before}[model]\nlayers = [{layers}]\n\n[optimizer]{after}");
            document.tensors.clear();
            document.resume = None;
        })
    }
    let world = World::new();
    let wide = "{ kind = \"linear\", out_features = 6500 }, ";
    let deep = format!("\"flatten\", {wide} {wide} {{ kind = \"linear\", out_features = 10 }}");
    world.write("wide.mpk", with_layers(&deep));
    // Padded, the 9,000 maps of a single pixel are 29 million.
    let many = "{ kind = \"max_pool\", kernel_size = 28 }, \
                { kind = \"conv\", out_channels = 9000, kernel_size = 1 }, \
                { kind = \"conv\", out_channels = 1, kernel_size = 1, stride = 28, padding = 28 }, \
                \"flatten\", { kind = \"linear\", out_features = 10 }";
    world.write("many.mpk", with_layers(many));
    for (file, words) in [
        ("wide.mpk", "1.weight is missing"),
        ("many.mpk", "the network grows too large here"),
    ] {
        let args = format!("eval --data sample --checkpoint {file}");
        let finished = run_within(&world, 500, &args);
        finished.assert_error(&args, &[words, file]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_recipe_takes_no_more_memory_than_a_recipe_needs() {
    let world = World::new();
    let recipe = Document::sound().recipe;
    let table = [
        ("long", "x = [".to_string() + &"0,".repeat(30 << 20) + "]\n"),
        ("key", "x".repeat(1_000_000) + " = 1\n"),
        ("dots", "x.".repeat(400_000) + "x = 1\n"),
        ("lists", "x = ".to_string() + &"[".repeat(900_000) + "\n"),
        ("tables", "x = ".to_string() + &"{x=".repeat(300_000) + "\n"),
        ("header", "[".to_string() + &"x.".repeat(400_000) + "x]\n"),
    ];
    for (name, text) in table {
        let text = text + &recipe;
        world.write(&format!("{name}.toml"), &text);
        let args = format!("train --config {name}.toml --data sample");
        let finished = run_within(&world, 1200, &args);
        finished.assert_error(&args, &[&format!("{name}.toml")]);
        let file = format!("{name}.mpk");
        world.write(&file, Document::changed(|d| d.recipe = text.clone()));
        let args = format!("eval --data sample --checkpoint {file}");
        run_within(&world, 1200, &args).assert_error(&args, &[&file]);
    }
}

/// Keys that stand twice are refused, whichever of them would have been meant.
#[test]
fn no_key_stands_twice() {
    let world = World::new();
    let sound = rmp_serde::to_vec_named(&Document::sound()).unwrap();
    // A map of seven becomes one of eight: its first key once more.
    assert_eq!(sound[0], 0x87);
    let again = b"\xa6format\xa8mnistctl";
    let twice = [&[0x88], &again[..], &sound[1..]].concat();
    world.write("twice.mpk", twice);
    let args = "eval --data sample --checkpoint twice.mpk";
    world.refused(args, &["twice.mpk", "duplicate field `format`"]);
    let recipe = Document::sound().recipe;
    world.write("twice.toml", format!("name = \"x\"\n{recipe}"));
    let args = "train --config twice.toml --data sample";
    world.refused(args, &["twice.toml", "duplicate key"]);
}

/// A terminal obeys what stands between these characters; a message shows that they are there.
#[test]
fn no_message_speaks_to_the_terminal() {
    let world = World::new();
    let obeyed = "\u{1b}]0;owned\u{7}\u{9b}2J";
    world.write(
        "name.mpk",
        Document::changed(|d| d.tensors[0].name = obeyed.into()),
    );
    world.write(
        "format.mpk",
        Document::changed(|d| d.format = obeyed.into()),
    );
    let key = format!("\"{}\" = 1\n", "\\u001b]0;owned\\u0007");
    let recipe = Document::sound().recipe;
    world.write("key.toml", format!("{key}{recipe}"));
    world.write("raw.toml", format!("{obeyed}\n{recipe}"));
    for args in [
        "eval --data sample --checkpoint name.mpk",
        "eval --data sample --checkpoint format.mpk",
        "train --data sample --config key.toml",
        "train --data sample --config raw.toml",
    ] {
        let finished = world.run(args);
        finished.assert_error(args, &[]);
        let obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!finished.stderr.contains(obeyed), "{:?}", finished.stderr);
    }
}

/// What stands in a log beside the figures may be long, deep, or of any size in memory.
#[cfg(target_os = "linux")]
#[test]
fn a_log_takes_no_more_memory_than_a_log_needs() {
    let world = World::new();
    world.write("tiny.toml", support::TINY);
    world.ok("train --config tiny.toml --data sample --limit 100 --out run");
    let log = world.text("run/metrics.jsonl");
    let line = log.trim_end().strip_suffix('}').unwrap();
    let bomb = format!("{line},\"x\":[{}0]}}\n", "0,".repeat(25 << 20));
    let deep = format!("{line},\"x\":{}\n", "[".repeat(1 << 20));
    world.write("run/metrics.jsonl", format!("{bomb}{deep}{log}"));
    let finished = run_within(&world, 1200, "report run");
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    assert!(world.text("run/report.html").contains("1 of 1"));

    let summary = world.text("run/summary.json");
    let deep = format!("{{\"x\":{}", "[".repeat(1 << 20));
    for (text, words) in [
        (deep, "not the summary of a run"),
        (summary.replacen('{', "{\"seed\":1,", 1), "duplicate field"),
        (summary.clone() + "{}", "trailing characters"),
        (
            summary.replace("\"errors\": ", "\"errors\": 9"),
            "more errors",
        ),
        (
            summary.replace("\"loss\": ", "\"loss\": 9e999"),
            "number out of range",
        ),
    ] {
        world.write("run/summary.json", text);
        let finished = run_within(&world, 1200, "report run");
        finished.assert_error("report run", &["run/summary.json", words]);
    }
}
