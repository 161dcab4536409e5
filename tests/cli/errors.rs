//! What a user gets wrong, and the one message that must come of it.

use std::fs;
use std::io::{Write, pipe};
use std::time::{Duration, Instant};

use support::{Finished, TEST_IMAGES, TINY, TRAIN_IMAGES, TRAIN_LABELS, World, sample};

const TINY_LAYERS: &str = r#"["flatten", { kind = "linear", out_features = 10 }]"#;

/// The words that a recipe with these layers must be refused with.
fn layers_refused(layers: &str, words: &[&str]) {
    recipe_refused(&TINY.replace(TINY_LAYERS, layers), words);
}

fn recipe_refused(text: &str, words: &[&str]) {
    assert_ne!(text, TINY);
    let world = World::new();
    world.write("mine.toml", text);
    world.refused("train --config mine.toml --data sample", words);
}

#[test]
fn a_recipe_that_is_no_recipe_is_refused() {
    let world = World::new();
    fs::create_dir(world.path("folder")).unwrap();
    world.write("latin1.toml", b"name = \"caf\xe9\"\n");
    world.write("huge.toml", vec![b'#'; 2 << 20]);
    let table: [(&str, &[&str]); 5] = [
        (
            "missing.toml",
            &["missing.toml", "`cnn-9956`, `cnn-9956-published`"],
        ),
        ("cnn-9965", &["cnn-9965", "did you mean `cnn-9956`?"]),
        ("folder", &["folder", "not a file"]),
        ("latin1.toml", &["latin1.toml", "UTF-8"]),
        ("huge.toml", &["huge.toml", "larger than 1024 KiB"]),
    ];
    for (config, words) in table {
        world.refused(&format!("train --data sample --config {config}"), words);
    }
}

#[test]
fn a_mistake_in_a_recipe_is_located() {
    let table: Vec<(&str, String, &[&str])> = vec![
        ("", String::new(), &["mine.toml", "the key `name`"]),
        (
            "",
            "name = \"x\" = 3".into(),
            &["mine.toml", "not valid TOML", "line 1"],
        ),
        (
            "",
            "\u{1}\u{2}\u{3}".into(),
            &["mine.toml", "not valid TOML"],
        ),
        (
            "lr = 0.1",
            "larning = 0.1".into(),
            &["mine.toml, line 8", "`larning`", "[optimizer]"],
        ),
        (
            "lr = 0.1",
            "lrr = 0.1".into(),
            &["line 8", "`lrr`", "did you mean `lr`?", "`momentum`"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nepoch = 1".into(),
            &["line 12", "did you mean `epochs`?"],
        ),
        (
            "lr = 0.1",
            "lr = -0.1".into(),
            &["line 8", "`lr`", "greater than 0", "-0.1"],
        ),
        ("lr = 0.1", "lr = nan".into(), &["line 8", "`lr`", "finite"]),
        (
            "lr = 0.1",
            "lr = \"fast\"".into(),
            &["line 8", "`lr`", "a number"],
        ),
        (
            "\"sgd\"",
            "\"sdg\"".into(),
            &["line 7", "`sdg`", "did you mean `sgd`?"],
        ),
        (
            "lr = 0.1",
            "lr = 0.1\nnesterov = true".into(),
            &["line 9", "nesterov", "momentum"],
        ),
        (
            "epochs = 1",
            "epochs = 0".into(),
            &["line 11", "`epochs`", "between 1 and"],
        ),
        (
            "epochs = 1",
            "epochs = -3".into(),
            &["line 11", "`epochs`", "not negative"],
        ),
        (
            "epochs = 1",
            "batch_size = 8".into(),
            &["[training]", "`epochs`"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nbatch_size = 0".into(),
            &["line 12", "`batch_size`"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nbatch_size = 4000".into(),
            &["4000", "3667 images"],
        ),
        (
            "\"tiny\"",
            "\"../tiny\"".into(),
            &["line 1", "`name`", "folder"],
        ),
        ("\"tiny\"", "\"\"".into(), &["line 1", "`name`"]),
        (
            "[training]",
            "[data]\nvalidation = 0\n[scheduler]\nkind = \"reduce_lr_on_plateau\"\n[training]"
                .into(),
            &["line 13", "validation", "[data]"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nloss = \"cross_entropy_on_softmax\"".into(),
            &["line 12", "`softmax` as the last layer"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nearly_stopping = { patience = 3 }\n[data]\nvalidation = 0".into(),
            &["line 12", "`early_stopping`", "`validation` in [data] is 0"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nearly_stoping = { patience = 3 }".into(),
            &[
                "line 12",
                "`early_stoping`",
                "did you mean `early_stopping`?",
            ],
        ),
        (
            "epochs = 1",
            "epochs = 1\nclip_grad_norm = 0".into(),
            &["line 12", "`clip_grad_norm`", "greater than 0"],
        ),
        (
            "epochs = 1",
            "epochs = 1\nema_decay = 1".into(),
            &["line 12", "`ema_decay`", "less than 1"],
        ),
        (
            "[training]",
            "[scheduler]\nkind = \"cosine\"\n[training]".into(),
            &["line 11", "`cosine`", "`cosine_annealing`"],
        ),
        (
            "[training]",
            "[scheduler]\nwarmup = { epochs = 1, steps = 3 }\n[training]".into(),
            &["line 11", "`steps`", "[warmup]"],
        ),
        (
            "[training]",
            "[scheduler]\nkind = \"step\"\n[training]".into(),
            &["[scheduler]", "`step_size`"],
        ),
        (
            "\"sgd\"",
            "\"rmsprop\"\nbetas = [0.9, 0.99]".into(),
            &["line 8", "`betas`", "`alpha`"],
        ),
        (
            "[training]",
            "[data]\nvalidation = 60000\n[training]".into(),
            &["line 11", "`validation`"],
        ),
        (
            "[training]",
            "[[augment]]\nkind = \"affine\"\ndegrees = 200\n[training]".into(),
            &[
                "line 12",
                "`degrees` in transform 1, affine",
                "between 0 and 180",
            ],
        ),
        (
            "[training]",
            "[augment]\naffine = { degrees = 20 }\n[training]".into(),
            &[
                "line 10",
                "`augment` in the recipe is a list",
                "\n\naugment = [\n  { kind = \"affine\", degrees = 20 },\n]",
            ],
        ),
    ];
    for (part, instead, words) in table {
        match part {
            "" => recipe_refused(&instead, words),
            part => recipe_refused(&TINY.replace(part, &instead), words),
        }
    }
}

#[test]
fn a_misspelt_key_is_named_although_the_right_one_is_missing_then() {
    let table: [(&str, &str, &[&str]); 4] = [
        (
            "epochs = 1",
            "epoch = 1",
            &["line 11", "`epoch`", "did you mean `epochs`?"],
        ),
        (
            "[training]",
            "[trainnig]",
            &["line 10", "`trainnig`", "did you mean `training`?"],
        ),
        (
            "out_features",
            "out_feature",
            &["line 4", "`out_feature`", "did you mean `out_features`?"],
        ),
        (
            "kind = \"sgd\"",
            "knid = \"sgd\"",
            &["line 7", "`knid`", "did you mean `kind`?"],
        ),
    ];
    for (part, instead, words) in table {
        recipe_refused(&TINY.replace(part, instead), words);
    }
}

#[test]
fn a_misspelt_builtin_recipe_is_recognised_with_and_without_its_ending() {
    let world = World::new();
    for (config, meant) in [
        ("lenett", "lenet"),
        ("lenett.toml", "lenet"),
        ("mpl.toml", "mlp"),
    ] {
        let hint = format!("did you mean `{meant}`?");
        world.refused(
            &format!("train --data sample --config {config}"),
            &[config, &hint],
        );
    }
}

#[test]
fn layers_that_do_not_fit_together_are_named() {
    let conv = r#"{ kind = "conv", out_channels = 3, kernel_size = 3 }"#;
    let linear = r#"{ kind = "linear", out_features = 10 }"#;
    let pool = r#"{ kind = "max_pool", kernel_size = 27 }"#;
    let table: [(String, &[&str]); 11] = [
        (
            format!("[{conv}, {linear}]"),
            &["layer 2, linear", "flatten"],
        ),
        (
            format!("[\"flatten\", \"softmax\", {linear}]"),
            &["layer 2, softmax", "last"],
        ),
        (
            "['flatten', { kind = 'linear', out_features = 11 }]".into(),
            &["layer 2, linear", "11", "10"],
        ),
        (
            format!("[{conv}, {pool}, 'flatten', {linear}]"),
            &["layer 2, max_pool", "27x27", "26"],
        ),
        (
            format!("['flatten', {conv}]"),
            &["layer 2, conv", "flatten"],
        ),
        (format!("[{conv}]"), &["layer 1, conv", "3x26x26", "10"]),
        (
            "['flaten', 'relu']".into(),
            &["line 4", "layer 1", "did you mean `flatten`?"],
        ),
        (
            "[{ kind = 'convv' }]".into(),
            &["line 4", "layer 1", "`convv`", "did you mean `conv`?"],
        ),
        ("[{ out_features = 10 }]".into(), &["layer 1", "`kind`"]),
        ("[]".into(), &["line 4", "`layers`", "empty"]),
        (
            "['flatten', { kind = 'linear', out_features = 16384 }, \
             { kind = 'linear', out_features = 16384 }]"
                .into(),
            &["layer 3, linear", "too large"],
        ),
    ];
    for (layers, words) in table {
        layers_refused(&layers, words);
    }
}

#[test]
fn a_mistake_in_set_is_told_from_one_in_the_file() {
    let world = World::new();
    let table: [(&str, &[&str]); 8] = [
        ("optimizer.lr", &["--set optimizer.lr", "key=value"]),
        ("=1", &["--set =1"]),
        ("optimizer..lr=1", &["--set optimizer..lr=1"]),
        (
            "optimizer.lrr=1",
            &["cnn-9956 with --set", "`lrr`", "did you mean `lr`?"],
        ),
        (
            "optimzer.lr=1",
            &[
                "cnn-9956 with --set",
                "`optimzer`",
                "did you mean `optimizer`?",
            ],
        ),
        (
            "optimizer.lr=-1",
            &["cnn-9956 with --set", "`lr`", "greater than 0"],
        ),
        ("optimizer=1", &["--set optimizer", "table"]),
        ("training.epochs=0", &["with --set", "`epochs`"]),
    ];
    for (set, words) in table {
        world.refused(
            &format!("train --config cnn-9956 --data sample --set {set}"),
            words,
        );
    }
    let nesterov = "train --config cnn-9956 --data sample --set optimizer.nesterov=true";
    world.refused(nesterov, &["with --set", "nesterov", "momentum"]);
    let validation = "train --config cnn-9956 --data sample --set data.validation=0";
    world.refused(validation, &["`validation`", "[scheduler]"]);
}

#[test]
fn usage_errors_have_a_code_of_their_own() {
    let world = World::new();
    for args in [
        "",
        "train",
        "trian",
        "train --config mlp --epochs 0",
        "train --config mlp --limit 0",
        "train --config mlp --seed -1",
        "train --config mlp --threads 0",
        "train --config mlp --backend cuda",
        "train --config mlp --frobnicate",
        "train --config mlp --out run --resume run",
        "eval --checkpoint",
        "eval --checkpoint a.mpk --split all",
        "predict --checkpoint a.mpk",
        "predict",
        "predict --checkpoint a.mpk --top 11 seven.png",
        "predict --checkpoint a.mpk --json --show seven.png",
        "completions tcl",
    ] {
        let finished = world.run(args);
        assert_eq!(finished.code, 2, "{args}: {}", finished.stderr);
        assert_eq!(finished.stdout, "", "{args}");
        finished.assert_says(&["--help"]);
    }
    for args in [
        "--help",
        "train --help",
        "eval --help",
        "predict --help",
        "--version",
    ] {
        let finished = world.run(args);
        assert_eq!((finished.code, finished.stderr.as_str()), (0, ""), "{args}");
        finished.assert_prints(&["mnistctl"]);
    }
    assert_eq!(world.listing(""), [""; 0]);
}

#[test]
fn a_folder_without_digits_is_refused_with_its_name() {
    let world = World::with_tiny();
    fs::create_dir(world.path("empty")).unwrap();
    let table: [(&str, &[&str]); 4] = [
        ("nowhere", &["nowhere", "`sample`"]),
        ("tiny.toml", &["tiny.toml", "folder"]),
        ("empty", &["empty", TRAIN_IMAGES, "mnistctl data download"]),
        ("samples", &["samples", "`sample`"]),
    ];
    for (data, words) in table {
        world.refused(&format!("train --config tiny.toml --data {data}"), words);
    }
}

#[test]
fn a_damaged_file_of_digits_is_named_with_what_is_wrong() {
    let images = sample(TRAIN_IMAGES);
    let packed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&images).unwrap();
        encoder.finish().unwrap()
    };
    let with_bytes = |bytes: &[u8], at: usize, new: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    let sides = [[0, 0, 0, 27], [0, 0, 0, 27]].concat();
    let labels = with_bytes(&sample(TRAIN_LABELS), 8 + 17, &[10]);
    let table: [(&str, Vec<u8>, &[&str]); 7] = [
        (
            TRAIN_IMAGES,
            packed[..packed.len() / 2].to_vec(),
            &["truncated gzip"],
        ),
        (
            TRAIN_IMAGES,
            images[..images.len() - 1].to_vec(),
            &["truncated"],
        ),
        (TRAIN_IMAGES, Vec::new(), &["empty"]),
        (
            TRAIN_IMAGES,
            with_bytes(&images, 0, &[0, 0, 8, 9]),
            &["0x00000809", "0x00000803"],
        ),
        (
            TRAIN_IMAGES,
            with_bytes(&images, 8, &sides),
            &["27x27", "28x28"],
        ),
        (TRAIN_LABELS, labels, &["label 10", "position 17"]),
        (
            TRAIN_LABELS,
            sample(TEST_IMAGES),
            &["images file", "swapped"],
        ),
    ];
    let world = World::with_tiny();
    for (number, (name, bytes, words)) in table.into_iter().enumerate() {
        let folder = format!("digits-{number}");
        world.write_data(&folder);
        world.write(&format!("{folder}/{name}"), bytes);
        let file = format!("{folder}/{name}");
        let train = format!("train --config tiny.toml --data {folder}");
        world.refused(&train, &[words, &[file.as_str()]].concat());
    }
}

#[test]
fn without_mnist_and_network_the_error_says_at_once_what_to_do() {
    let world = World::with_tiny();
    let words = [
        "--data sample",
        "--data FOLDER",
        "MNISTCTL_DATA",
        "mnistctl data download",
    ];
    let started = Instant::now();
    world.refused("train --config tiny.toml", &words);
    world.refused("train --config tiny.toml --data auto", &words);
    world.refused("data download", &["mnistctl data download"]);
    world.refused("data verify", &["--data"]);
    let words = ["Fashion-MNIST could not be downloaded", ".gz", "by hand"];
    world.refused("data download fashion", &words);
    world.refused("data verify kmnist", &["mnistctl data download kmnist"]);
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_output_folder_that_cannot_be_is_refused() {
    // Root may write anywhere, so these are places that nobody can write to.
    let world = World::with_tiny();
    let train = "train --config tiny.toml --data sample --limit 100";
    world.refused(&format!("{train} --out tiny.toml/run"), &["tiny.toml/run"]);
    world.refused(
        &format!("{train} --out tiny.toml"),
        &["tiny.toml", "not a folder"],
    );
    #[cfg(target_os = "linux")]
    world.refused(
        &format!("{train} --out /proc/mnistctl-run"),
        &["/proc/mnistctl-run"],
    );
    world.write("runs", "in the way");
    world.refused(train, &["runs"]);
}

#[cfg(not(feature = "wgpu"))]
#[test]
fn a_backend_that_is_not_built_in_names_the_command_that_builds_it() {
    let world = World::with_tiny();
    let train = "train --config tiny.toml --data sample --backend wgpu";
    world.refused(train, &["wgpu", "--features wgpu"]);
}

#[test]
fn a_layer_that_our_kernels_cannot_run_is_named_with_a_backend_that_can() {
    let world = World::with_tiny();
    let wide = world.text("tiny.toml").replace(
        "layers = [",
        "layers = [{ kind = \"residual\", layers = [\"tanh\", { kind = \"max_pool\", kernel_size = 17, \
         stride = 1 }], shortcut = [{ kind = \"avg_pool\", kernel_size = 17, stride = 1 }] }, ",
    );
    std::fs::write(world.path("wide.toml"), wide).unwrap();
    let train = "train --config wide.toml --data sample --limit 64 --epochs 1";
    let words = [
        "native",
        "layer 1, residual",
        "1.layers.2, max_pool",
        "17x17",
        "flex",
    ];
    world.refused(train, &words);
    world.ok(&format!("{train} --backend flex --out run"));
    // Nor is it run where only its answers are wanted.
    let eval = "eval --checkpoint run/best.mpk --data sample";
    world.refused(eval, &["run/best.mpk", "max_pool", "flex"]);
    world.ok(&format!("{eval} --backend flex"));
}

/// A learning rate that no network survives: the run's folder is `run`.
const DIVERGES: &str =
    "train --config cnn-9956 --data sample --limit 500 --set optimizer.lr=1e30 --out run";

#[test]
fn a_loss_that_is_not_finite_ends_the_run_and_names_the_step() {
    let finished = World::new().run(DIVERGES);
    finished.assert_error(DIVERGES, &["NaN", "epoch 1", "step 2", "learning rate"]);
}

#[test]
fn a_run_that_diverged_at_once_sends_nobody_to_a_file_that_is_not_there() {
    let world = World::new();
    let finished = world.run(DIVERGES);
    let named = finished.stderr.contains("last.mpk");
    assert!(
        !named || world.path("run/last.mpk").exists(),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_batch_of_one_image_does_not_spoil_the_running_statistics() {
    let layers = "['flatten', { kind = 'linear', out_features = 10 }, 'batch_norm']";
    let world = World::new();
    world.write("mine.toml", TINY.replace(TINY_LAYERS, layers));
    // 65 images: a batch of 64 and one of 1, for which a variance does not exist. PyTorch
    // refuses such a batch; a sentence that says so would do here as well.
    let args = "train --config mine.toml --data sample --limit 65 --out run";
    let finished = world.run(args);
    match finished.code {
        0 => assert!(world.metrics("run")[0]["val"]["loss"].is_f64()),
        _ => finished.assert_error(args, &["batch"]),
    }
}

#[test]
fn a_log_that_nobody_reads_any_more_does_not_end_a_run_without_a_known_code() {
    let world = World::with_tiny();
    let args = "train --config tiny.toml --data sample --limit 100 --out run";
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let output = world.command(args).stderr(writer).output().unwrap();
    let finished = Finished::of(args, output);
    assert_eq!(finished.code, 0);
    assert!(world.path("run/best.mpk").exists());
}
