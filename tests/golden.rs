//! Numbers that PyTorch produced (see `tests/golden/README.md`) against ours, on every CPU
//! backend of this build.

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData};
use mnistctl::dataset::{Batch, Source, Split};
use mnistctl::engine::{Backend, Compute};
use mnistctl::kernels::Isa;
use mnistctl::network::{Activations, BurnPass, NamedTensor, Plan, PlannedLayer, Shape};
use mnistctl::optimizer::OptimizerSpec;
use mnistctl::recipe::Recipe;
use mnistctl::rng::Rng;
use mnistctl::training::{Position, Scheduler};
use serde_json::Value;

/// The agreement that is asked of whole training runs.
const TOLERANCE: f64 = 1e-4;

fn backends() -> Vec<(&'static str, Device)> {
    // burn deprecates it in favour of flex.
    #[allow(deprecated)]
    let ndarray = Device::ndarray();
    vec![("flex", Device::flex()), ("ndarray", ndarray)]
}

/// Everything that trains on this machine's processor: burn's backends, and our kernels on each
/// instruction set.
fn computes() -> Vec<(String, Compute)> {
    let burns = [Backend::Flex, Backend::Ndarray].map(|backend| {
        let compute = backend.compute(2).unwrap();
        (backend.name().to_string(), compute)
    });
    let ours = Isa::available().into_iter().map(|isa| {
        let compute = Compute::on_isa(isa, 2);
        (format!("native, {isa}"), compute)
    });
    burns.into_iter().chain(ours).collect()
}

fn golden_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn golden(name: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(golden_path(name)).unwrap()).unwrap()
}

fn golden_floats(name: &str) -> Vec<f32> {
    let bytes = fs::read(golden_path(name)).unwrap();
    let chunks = bytes.chunks_exact(4);
    chunks
        .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
        .collect()
}

fn floats(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap()).collect()
}

/// Doubles written as texts: serde_json may read a number one bit off.
fn exact(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap().iter();
    values
        .map(|v| v.as_str().unwrap().parse().unwrap())
        .collect()
}

fn singles(value: &Value) -> Vec<f32> {
    floats(value).into_iter().map(|v| v as f32).collect()
}

fn largest_difference(ours: &[f32], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let pairs = ours.iter().zip(theirs);
    pairs
        .map(|(a, b)| (f64::from(*a) - b).abs())
        .fold(0.0, f64::max)
}

/// The formula for initial weights in `tests/golden/README.md`.
fn initial(tensor: usize, element: usize, bound: f32) -> f32 {
    // SplitMix64's first output from a counter is its mixing function of that counter.
    let random = Rng::new(((tensor as u64) << 32) + element as u64, &[]).next_u64();
    let u = (random >> 40) as f32 / (1u32 << 24) as f32;
    (2.0 * u - 1.0) * bound
}

/// The initial state of the golden runs, with running statistics as BatchNorm starts them.
fn initial_state(mut state: Vec<NamedTensor>, tensors: &[Value]) -> Vec<NamedTensor> {
    for tensor in &mut state {
        let place = tensors
            .iter()
            .position(|t| t["name"] == tensor.name.as_str());
        let Some(t) = place else {
            assert!(tensor.name.contains("running_"), "{} is extra", tensor.name);
            continue;
        };
        let (layer, _) = tensor.name.rsplit_once('.').unwrap();
        let weight = tensors
            .iter()
            .find(|t| t["name"] == format!("{layer}.weight"));
        let fan_in: f64 = floats(&weight.unwrap()["shape"])[1..].iter().product();
        // The weight of a BatchNorm or a PReLU is a vector: it has no fan-in and keeps what it
        // starts with.
        if floats(&weight.unwrap()["shape"]).len() > 1 {
            let bound = (1.0 / fan_in.sqrt()) as f32;
            for (element, value) in tensor.values.iter_mut().enumerate() {
                *value = initial(t, element, bound);
            }
        }
        let sum: f64 = tensor.values.iter().copied().map(f64::from).sum();
        assert!((sum - tensors[t]["initial_sum"].as_f64().unwrap()).abs() < 1e-9);
    }
    state
}

/// Trains the recipe's network 20 steps as the golden run did, and compares all it left.
fn check_run(recipe: &Recipe, name: &str) {
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let expected = golden(&format!("{name}.json"));
    assert_eq!(
        plan.parameter_count() as u64,
        expected["parameters"].as_u64().unwrap()
    );
    let tensors = expected["tensors"].as_array().unwrap();
    // How many steps count as an epoch, where the learning rate changes.
    let steps = expected["steps"].as_u64().unwrap_or(20);
    // Runs without a list take the images in file order.
    let firsts: Vec<u32> = match &expected["batches"] {
        Value::Null => (0..20).map(|batch| 64 * batch).collect(),
        batches => floats(batches).iter().map(|b| 64 * *b as u32).collect(),
    };
    assert_eq!(firsts.len(), 20);
    let train = Source::Sample.load(Split::Train).unwrap().digits;
    let test = Source::Sample.load(Split::Test).unwrap().digits;

    for (backend, compute) in computes() {
        let near = |what: &str, difference: f64, tolerance: f64| {
            println!("{name} on {backend}: {what} differ by {difference:.1e}");
            assert!(
                difference < tolerance,
                "{name} on {backend}: {what} by {difference:e}"
            );
        };
        let mut engine = compute.engine(recipe.setup(&plan)).unwrap();
        let scheduler = Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr());
        let state = initial_state(engine.state(), tensors);
        engine.load_state(&state).unwrap();
        let mut losses = Vec::new();
        for (step, first) in (0..20u32).zip(&firsts) {
            let batch: Vec<u32> = (*first..first + 64).collect();
            let (images, labels) = train.select(&batch);
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            let lr = scheduler.lr(Position {
                epoch: u64::from(step) / steps,
                step: u64::from(step) % steps,
                epochs: 20 / steps,
                steps,
            });
            let figures = engine.step(batch, lr, 0);
            losses.extend(figures.iter().map(|step| step.loss() as f32));
        }
        losses.extend(engine.flush().iter().map(|step| step.loss() as f32));
        let difference = largest_difference(&losses, &floats(&expected["losses"]));
        near("losses", difference, TOLERANCE);

        let worst = |state: &[NamedTensor], file: &str, buffers: &Value| {
            let weights = golden_floats(&format!("{name}-{file}.bin"));
            let mut worst = 0f64;
            for tensor in state {
                let theirs = match tensors.iter().find(|t| t["name"] == tensor.name.as_str()) {
                    Some(entry) => {
                        let offset = entry["offset"].as_u64().unwrap() as usize;
                        let values = &weights[offset..offset + tensor.values.len()];
                        values.iter().copied().map(f64::from).collect()
                    }
                    None => floats(&buffers[&tensor.name]),
                };
                worst = worst.max(largest_difference(&tensor.values, &theirs));
            }
            worst
        };
        let difference = worst(&engine.state(), "final", &expected["buffers"]);
        near("weights and buffers", difference, TOLERANCE);
        let average = engine.average();
        assert_eq!(average.is_some(), recipe.training.ema_decay.is_some());
        if let Some(average) = average {
            let difference = worst(&average, "average", &expected["average_buffers"]);
            near("averaged weights and buffers", difference, TOLERANCE);
        }

        let (images, _) = test.select(&(0..16).collect::<Vec<_>>());
        let logits = engine.logits(&images);
        let rows = expected["eval_logits"].as_array().unwrap();
        let theirs: Vec<f64> = rows.iter().flat_map(floats).collect();
        let difference = largest_difference(&logits, &theirs);
        // Not part of the bargain, but a check of evaluation mode: each logit adds up hundreds of
        // the weights' differences.
        near("eval logits", difference, 5.0 * TOLERANCE);
    }
}

/// The built-in CNN with changes to its text; the golden runs have no dropout.
fn changed_cnn(changes: &[(&str, &str)], overrides: &[&str]) -> Recipe {
    let mut text = Recipe::load("cnn-9956", &[]).unwrap().to_toml();
    for (from, to) in [("p = 0.5", "p = 0.0")].iter().chain(changes) {
        assert!(text.contains(from), "{text}");
        text = text.replace(from, to);
    }
    let overrides: Vec<String> = overrides.iter().map(|text| text.to_string()).collect();
    Recipe::parse("cnn", &text, &overrides).unwrap()
}

#[test]
fn the_cnn_trained_with_sgd_follows_pytorch() {
    check_run(&changed_cnn(&[], &[]), "cnn-sgd");
}

#[test]
fn adamw_smoothing_clipping_warmup_and_averaging_follow_pytorch() {
    let without_biases = [("padding = 0\nbias = true", "padding = 0\nbias = false")];
    let recipe = changed_cnn(
        &without_biases,
        &[
            "optimizer.kind=adamw",
            "optimizer.lr=0.003",
            "optimizer.weight_decay=0.05",
            "scheduler.kind=constant",
            "scheduler.warmup={ epochs = 1, start_factor = 0.1 }",
            "training.label_smoothing=0.1",
            "training.clip_grad_norm=1.5",
            "training.ema_decay=0.9",
        ],
    );
    check_run(&recipe, "cnn-all");
}

#[test]
fn the_mlp_trained_with_adam_follows_pytorch() {
    check_run(&Recipe::load("mlp", &[]).unwrap(), "mlp-adam");
}

/// A recipe in the golden files' folder, which PyTorch trained too.
fn golden_recipe(name: &str) -> Recipe {
    let path = golden_path(&format!("{name}.toml"));
    Recipe::load(path.to_str().unwrap(), &[]).unwrap()
}

#[test]
fn residual_blocks_trained_with_sgd_follow_pytorch() {
    check_run(&golden_recipe("layers-sgd"), "layers-sgd");
}

#[test]
fn strided_layers_and_activations_of_features_trained_with_adamw_follow_pytorch() {
    check_run(&golden_recipe("layers-adamw"), "layers-adamw");
}

#[test]
fn reduce_lr_on_plateau_gives_pytorchs_learning_rates() {
    let cases = golden("plateau.json");
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 20);
    for case in cases {
        // The arguments pass through a recipe, so its reader is checked too.
        let args = case["args"].as_object().unwrap();
        let lines: Vec<String> = args.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let text = format!(
            "name = 'case'\n[model]\nlayers = ['flatten', {{ kind = 'linear', out_features = 10 }}]\n\
             [optimizer]\nkind = 'sgd'\nlr = {}\n[training]\nepochs = 1\n\
             [scheduler]\nkind = 'reduce_lr_on_plateau'\n{}\n",
            case["initial_lr"],
            lines.join("\n")
        );
        let recipe = Recipe::parse("case", &text, &[]).unwrap();
        let mut scheduler = Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr());
        let max = args["mode"] == "max";
        let (metrics, rates) = (exact(&case["metrics"]), exact(&case["lrs"]));
        for (step, (metric, expected)) in metrics.into_iter().zip(rates).enumerate() {
            let (loss, accuracy) = if max {
                (f64::NAN, metric)
            } else {
                (metric, f64::NAN)
            };
            scheduler.step(step as u64, loss, accuracy);
            let place = Position {
                epoch: step as u64 + 1,
                step: 0,
                epochs: 1000,
                steps: 1,
            };
            assert_eq!(
                scheduler.lr(place),
                expected,
                "case {}, step {step}",
                case["name"]
            );
        }
    }
}

#[test]
fn schedules_and_warm_ups_give_pytorchs_learning_rates() {
    let cases = golden("schedules.json");
    for case in cases["cases"].as_array().unwrap() {
        let args = case["args"].as_object().unwrap();
        let mut lines: Vec<String> = args.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        if let Some(warmup) = case["warmup"].as_object() {
            let (epochs, factor) = (&warmup["epochs"], &warmup["start_factor"]);
            lines.push(format!(
                "warmup = {{ epochs = {epochs}, start_factor = {factor} }}"
            ));
        }
        let text = format!(
            "name = 'case'\n[model]\nlayers = ['flatten', {{ kind = 'linear', out_features = 10 }}]\n\
             [optimizer]\nkind = 'sgd'\nlr = {}\n[training]\nepochs = {}\n\
             [scheduler]\nkind = {}\n{}\n",
            case["lr"],
            case["epochs"],
            case["kind"],
            lines.join("\n")
        );
        let recipe = Recipe::parse("case", &text, &[]).unwrap();
        assert_eq!(
            Recipe::parse("again", &recipe.to_toml(), &[]).unwrap(),
            recipe
        );
        let scheduler = Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr());
        let steps = case["steps"].as_u64().unwrap();
        for (index, expected) in exact(&case["lrs"]).into_iter().enumerate() {
            let ours = scheduler.lr(Position {
                epoch: index as u64 / steps,
                step: index as u64 % steps,
                epochs: recipe.training.epochs,
                steps,
            });
            // PyTorch multiplies step by step, we raise to a power.
            assert!(
                (ours - expected).abs() < 1e-12 * (ours + expected).max(0.1),
                "{case}, step {index}: {ours} instead of {expected}"
            );
        }
    }
}

#[test]
fn one_cycle_gives_pytorchs_learning_rates() {
    let cases = golden("one_cycle.json");
    for case in cases["cases"].as_array().unwrap() {
        let args = case["args"].as_object().unwrap();
        let lines: Vec<String> = args.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        let text = format!(
            "name = 'case'\n[model]\nlayers = ['flatten', {{ kind = 'linear', out_features = 10 }}]\n\
             [optimizer]\nkind = 'sgd'\n[training]\nepochs = 1\n\
             [scheduler]\nkind = 'one_cycle'\n{}\n",
            lines.join("\n")
        );
        let recipe = Recipe::parse("case", &text, &[]).unwrap();
        let scheduler = Scheduler::new(recipe.scheduler.clone(), recipe.optimizer.lr());
        let rates = exact(&case["lrs"]);
        assert_eq!(rates.len() as u64, case["steps"].as_u64().unwrap());
        for (step, expected) in rates.iter().enumerate() {
            let ours = scheduler.lr(Position {
                epoch: 0,
                step: step as u64,
                epochs: 1,
                steps: rates.len() as u64,
            });
            // The cosines of two libraries.
            assert!(
                (ours / expected - 1.0).abs() < 1e-12,
                "{case}, step {step}: {ours}"
            );
        }
    }
}

#[test]
fn batch_norm_follows_pytorch() {
    let expected = golden("batch_norm.json");
    let shape = [3, 2, 4, 5];
    assert_eq!(floats(&expected["shape"]), shape.map(|side| side as f64));
    let number = |key: &str| expected[key].as_f64().unwrap();
    for (backend, device) in backends() {
        let autodiff = device.clone().autodiff();
        let tensor = |value: &Value| {
            Tensor::<4>::from_data(TensorData::new(singles(value), shape), &autodiff)
        };
        let vector =
            |value: &Value| Tensor::<1>::from_data(TensorData::new(singles(value), [2]), &autodiff);
        let near = |ours: Vec<f32>, theirs: &Value, what: &str| {
            let difference = largest_difference(&ours, &floats(theirs));
            assert!(difference < 2e-5, "{what} on {backend}: {difference:e}");
        };
        let host1 = |t: Tensor<1>| t.into_data().try_into_vec::<f32>().unwrap();
        let host4 = |t: Tensor<4>| t.into_data().try_into_vec::<f32>().unwrap();

        let layers = [planned_batch_norm(number("eps"), number("momentum"))];
        let mut state = vec![
            vector(&expected["weight"]).require_grad(),
            vector(&expected["bias"]).require_grad(),
            Tensor::zeros([2], &device),
            Tensor::ones([2], &device),
        ];
        for step in expected["steps"].as_array().unwrap() {
            let input = tensor(&step["input"]).require_grad();
            let mut pass = BurnPass::new(&state).training();
            let output = pass
                .run(&layers, Activations::Maps(input.clone()))
                .into_maps();
            let updates = pass.into_updates();
            near(host4(output.clone().inner()), &step["output"], "output");
            let gradients = (output * tensor(&step["loss_weights"])).sum().backward();
            near(
                host4(input.grad(&gradients).unwrap()),
                &step["input_grad"],
                "input gradient",
            );
            for (place, name) in [(0, "weight"), (1, "bias")] {
                let gradient = state[place].grad(&gradients).unwrap();
                near(host1(gradient), &step[format!("{name}_grad")], name);
            }
            for (place, value) in updates {
                state[place] = value;
            }
            for (place, name) in [(2, "running_mean"), (3, "running_var")] {
                near(host1(state[place].clone()), &step[name], name);
            }
        }
        let state: Vec<_> = state.into_iter().map(|t| t.without_autodiff()).collect();
        let input = tensor(&expected["eval_input"]).inner();
        let output = BurnPass::new(&state).run(&layers, Activations::Maps(input));
        near(
            host4(output.into_maps()),
            &expected["eval_output"],
            "output in evaluation",
        );
    }
}

/// A BatchNorm of two feature maps of 4x5, by itself.
fn planned_batch_norm(eps: f64, momentum: f64) -> PlannedLayer {
    let text = format!(
        "name = 'norm'\n[optimizer]\nkind = 'sgd'\n[training]\nepochs = 1\n[model]\n\
         layers = [{{ kind = 'batch_norm', eps = {eps:e}, momentum = {momentum:e} }}]"
    );
    let recipe = Recipe::parse("norm", &text, &[]).unwrap();
    let spec = recipe.model.layers[0].clone();
    let shape = Shape::Maps {
        channels: 2,
        height: 4,
        width: 5,
    };
    PlannedLayer {
        parameters: spec.as_layer().parameters(shape),
        spec,
        name: "0".to_string(),
        place: 0,
        input: shape,
        output: shape,
        first_parameter: 0,
        inner: Vec::new(),
    }
}

/// Each rule on whole registers; the training runs above also have them on burn's tensors.
#[test]
fn optimizers_follow_pytorch() {
    let cases = golden("optimizers.json");
    let cases = cases["cases"].as_array().unwrap();
    assert!(cases.len() >= 15);
    for case in cases {
        for isa in Isa::available() {
            check_optimizer(case, isa);
        }
    }
}

/// The hyperparameters pass through a recipe, so its reader is checked too.
fn optimizer(case: &Value) -> OptimizerSpec {
    let args = case["args"].as_object().unwrap();
    let lines: Vec<String> = args.iter().map(|(k, v)| format!("{k} = {v}")).collect();
    let text = format!(
        "name = 'case'\n[model]\nlayers = ['flatten']\n[training]\nepochs = 1\n\
         [optimizer]\nkind = {}\n{}\n",
        case["kind"],
        lines.join("\n")
    );
    Recipe::parse("case", &text, &[]).unwrap().optimizer
}

fn check_optimizer(case: &Value, isa: Isa) {
    let optimizer = optimizer(case);
    let initial = singles(&case["initial"]);
    // Kernels take whole registers.
    let padded = |mut values: Vec<f32>| {
        values.resize(initial.len().next_multiple_of(16), 0.0);
        values
    };
    let mut values = padded(initial.clone());
    let zeros = vec![0.0; values.len()];
    let mut moments = optimizer
        .moments()
        .map(|keeps| if keeps { zeros.clone() } else { Vec::new() });
    let steps = case["gradients"].as_array().unwrap().iter();
    let expected = case["expected"].as_array().unwrap();
    for (step, (gradient, expected)) in (1..).zip(steps.zip(expected)) {
        let gradient = padded(singles(gradient));
        let [first, second] = &mut moments;
        let rule = optimizer.rule(optimizer.lr(), step);
        rule.update(isa, &mut values, &gradient, [first, second]);
        for (a, b) in values.iter().zip(singles(expected)) {
            let near = (a - b).abs() <= 1e-5 * b.abs().max(1.0);
            assert!(near, "{case:?} on {isa}, step {step}: {a} instead of {b}");
        }
    }
}

#[test]
fn initial_weights_are_spread_as_pytorchs() {
    let layers = "name = 'init'\n[optimizer]\nkind = 'sgd'\n[training]\nepochs = 1\n[model]\n\
        layers = [{ kind = 'conv', out_channels = 3, kernel_size = 1 },\n\
        { kind = 'conv', out_channels = 8, kernel_size = 5 }, 'flatten',\n\
        { kind = 'linear', out_features = 48 }, { kind = 'linear', out_features = 164 },\n\
        { kind = 'linear', out_features = 10 }]";
    let recipe = Recipe::parse("init", layers, &[]).unwrap();
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let states: Vec<_> = (0..60).map(|seed| plan.initial_state(seed)).collect();
    // The seeds give different weights.
    assert_ne!(states[0], states[1]);

    let expected = golden("init.json");
    for (case, layer) in expected["cases"].as_array().unwrap().iter().zip(["1", "4"]) {
        let bound = case["bound"].as_f64().unwrap();
        for part in ["weight", "bias"] {
            let name = format!("{layer}.{part}");
            let tensors = states.iter().flatten().filter(|tensor| tensor.name == name);
            let values: Vec<f64> = tensors
                .flat_map(|tensor| tensor.values.iter().copied().map(f64::from))
                .collect();
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let std = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / count).sqrt();
            let largest = values.iter().fold(0f64, |a, v| a.max(v.abs()));
            // Five standard errors of each statistic.
            let theirs = case[part]["std"].as_f64().unwrap();
            assert!(
                largest <= bound && largest > 0.98 * bound,
                "{name}: {largest}"
            );
            assert!(
                mean.abs() < 5.0 * theirs / count.sqrt(),
                "{name}: mean {mean}"
            );
            assert!(
                (std / theirs - 1.0).abs() < 5.0 / count.sqrt(),
                "{name}: std {std}"
            );
        }
    }
}
