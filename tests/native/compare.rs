//! Comparing our kernels with the same layers as burn's operations.

use std::sync::Arc;

use burn::tensor::Device;
use mnistctl::dataset::{Batch, Digits, Normalize, Source, Split};
use mnistctl::engine::{Engine, Native, OnBurn};
use mnistctl::kernels::{Isa, Tile};
use mnistctl::network::{GroupSource, KernelGraph, NamedTensor, Plan, Shape};
use mnistctl::recipe::Recipe;
use mnistctl::rng::Rng;
use rayon::ThreadPoolBuilder;

pub const NORMALIZE: Normalize = Normalize {
    mean: 0.1307,
    std: 0.3081,
};

pub fn recipe(layers: &str) -> Recipe {
    let text = format!(
        "name = 'case'\n[model]\nlayers = [{layers}]\n[training]\nepochs = 1\n\
         [optimizer]\nkind = 'sgd'\nlr = 1\n"
    );
    Recipe::parse("case", &text, &[]).unwrap()
}

pub fn digits() -> Digits {
    Source::Sample.load(Split::Train).unwrap().digits
}

/// A network's state with other running statistics and scales than those it starts with.
pub fn state(plan: &Plan, seed: u64) -> Vec<NamedTensor> {
    let mut rng = Rng::new(seed, &[]);
    let mut state = plan.initial_state(seed);
    for tensor in &mut state {
        let norm = tensor.shape.len() == 1;
        for value in &mut tensor.values {
            if norm && tensor.name.ends_with("running_mean") {
                *value = rng.next_f32() - 0.5;
            } else if tensor.name.ends_with("bias") {
                // Not zero, where functions such as ReLU have a kink.
                *value += 0.2 * rng.next_f32() - 0.1;
            } else if norm {
                *value = rng.next_f32() + 0.5;
            }
        }
    }
    state
}

/// The same network with burn's operations.
pub fn on_burn(recipe: &Recipe, plan: &Plan, state: &[NamedTensor]) -> OnBurn {
    let pool = ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let mut engine = OnBurn::new(recipe.setup(plan), &Device::flex(), Arc::new(pool));
    engine.load_state(state).unwrap();
    engine
}

/// Our kernels, with the network's first weights.
pub fn native(recipe: &Recipe, plan: &Plan, isa: Isa, threads: usize) -> Native {
    Native::new(recipe.setup(plan), isa, threads).unwrap()
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |max, v| max.max(v.abs()))
}

/// The largest difference, relative to the largest value.
fn difference(ours: &[f32], theirs: &[f32]) -> f64 {
    difference_at(0.0, ours, theirs)
}

/// The same, relative to `scale` where that is larger.
fn difference_at(scale: f32, ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let scale = largest(theirs).max(scale).max(1e-4);
    let pairs = ours.iter().zip(theirs);
    pairs
        .map(|(a, b)| f64::from((a - b).abs() / scale))
        // Not-a-number must not pass.
        .fold(0.0, |max, d| if d <= max { max } else { d })
}

/// Whether a network has convolutions that blocks of images pass by Winograd's tiles.
pub fn has_tiles(plan: &Plan) -> bool {
    let graph = KernelGraph::new(plan).unwrap();
    graph.groups.iter().any(|group| {
        let GroupSource::Conv(conv) = &group.source else {
            return false;
        };
        let Shape::Maps {
            channels,
            height,
            width,
        } = group.middle
        else {
            return false;
        };
        let ins = graph.values[group.input].channels() / conv.groups;
        let channels = (ins, channels / conv.groups);
        Tile::of((conv.kernel_size, conv.stride), channels, (height, width)).is_some()
    })
}

/// Logits, loss, all gradients and running statistics agree to 1e-4 on every instruction set.
pub fn check(layers: &str, batch_size: u32) {
    let recipe = recipe(layers);
    let plan = Plan::new(&recipe.model.layers).unwrap_or_else(|e| panic!("{layers}: {e}"));
    let state = state(&plan, 7);
    let digits = digits();
    let batch: Vec<u32> = (0..batch_size).map(|i| i * 13 % 4000).collect();
    let (images, labels) = digits.select(&batch);

    let batch = Batch {
        images: &images,
        labels: &labels,
    };
    let mut theirs = on_burn(&recipe, &plan, &state);
    let logits = theirs.logits(&images);
    let (loss, gradients) = theirs.gradients(batch, 0);
    let buffers = theirs.state();
    let buffers = buffers
        .iter()
        .filter(|tensor| tensor.name.contains("running_"));
    let buffers: Vec<&NamedTensor> = buffers.collect();

    for isa in Isa::available() {
        let what = |of: &str| format!("{of} on {isa}, batch {batch_size}, of [{layers}]");
        let mut ours = native(&recipe, &plan, isa, 2);
        ours.load_state(&state).unwrap();
        assert!(ours.state() == state, "{}", what("the state"));
        let d = difference(&ours.logits(&images), &logits);
        assert!(d < 1e-4, "{}: {d:e}", what("logits"));

        // One by one, and in blocks, they are the same bits; but a convolution by tiles is only one in
        // blocks.
        let together = ours.logits(&images);
        let by_tiles = has_tiles(&plan);
        for (image, logits) in images.iter().zip(together.chunks_exact(10)) {
            let alone = ours.logits(&[image]);
            let is_same = if by_tiles {
                difference(&alone, logits) <= 1e-5
            } else {
                alone == logits
            };
            assert!(is_same, "{}", what("one image"));
        }

        let (mean, found) = ours.gradients(batch, 0);
        assert!((mean - loss).abs() < 1e-4 * loss, "{}", what("the loss"));
        assert_eq!(found.len(), gradients.len());
        for (index, (ours, theirs)) in found.iter().zip(&gradients).enumerate() {
            assert_eq!(ours.name, theirs.name);
            // What BatchNorm takes away again, a bias or a scale before it, has the gradient zero:
            // what is computed are rounding errors, which are small beside the gradients of the
            // parameters around it.
            let around = &gradients[index.saturating_sub(2)..(index + 3).min(gradients.len())];
            let scale = match theirs.shape.len() {
                1 => around
                    .iter()
                    .map(|t| largest(&t.values))
                    .fold(0.0, f32::max),
                _ => 0.0,
            };
            let d = difference_at(scale, &ours.values, &theirs.values);
            assert!(d < 1e-4, "{}: {d:e}", what(&ours.name));
        }
        let state = ours.state();
        for theirs in &buffers {
            let ours = state.iter().find(|ours| ours.name == theirs.name).unwrap();
            let d = difference(&ours.values, &theirs.values);
            assert!(d < 1e-4, "{}: {d:e}", what(&ours.name));
        }
    }
}
