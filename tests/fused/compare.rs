//! Comparing the fused network with the same layers as plain burn operations.

use mnistctl::backend::Backend;
use mnistctl::dataset::{Batch, Batcher, Digits, Part, Source, targets};
use mnistctl::kernels::Isa;
use mnistctl::network::{FusedNetwork, Model, NamedTensor, Network, Plan};
use mnistctl::recipe::{Criterion, Normalize, OptimizerSpec, Recipe};
use mnistctl::rng::Rng;
use mnistctl::training::{Optimizer, loss};

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
    Source::Sample.load(Part::Train).unwrap().digits
}

/// A network's state with other running statistics and scales than those it starts with.
pub fn state(plan: &Plan, seed: u64) -> Vec<NamedTensor> {
    let mut rng = Rng::new(seed, &[]);
    let mut state = Network::new(plan, seed, &Backend::Flex.device().unwrap()).state();
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

/// The plain network's gradients: what a step of plain SGD takes away, at a rate at which the
/// weights themselves hardly count.
fn plain_gradients(
    plan: &Plan,
    state: &[NamedTensor],
    batch: &[u32],
    criterion: Criterion,
) -> (f64, Vec<NamedTensor>, Vec<NamedTensor>) {
    const RATE: f64 = (1u64 << 30) as f64;
    let device = Backend::Flex.device().unwrap().autodiff();
    let mut network = Network::new(plan, 0, &device)
        .load_state(state, &device)
        .unwrap();
    let digits = digits();
    let (images, labels) = digits.select(batch);
    let images = Batcher::new(NORMALIZE).images(images.into_iter(), &device);
    let logits = network.forward_train(images);
    let loss = loss::loss(criterion, logits, targets(&labels, &device));
    let gradients = loss.backward();
    let mut optimizer = Optimizer::new(OptimizerSpec::Sgd {
        lr: RATE,
        momentum: 0.0,
        dampening: 0.0,
        nesterov: false,
        weight_decay: 0.0,
    });
    optimizer.step(RATE, &mut network, &gradients, None);
    let mut after = network.state();
    let mut buffers = Vec::new();
    let mut moved = Vec::new();
    for (mut tensor, before) in after.drain(..).zip(state) {
        if tensor.name.contains("running_") {
            buffers.push(tensor);
            continue;
        }
        for (value, before) in tensor.values.iter_mut().zip(&before.values) {
            *value = ((f64::from(*before) - f64::from(*value)) / RATE) as f32;
        }
        moved.push(tensor);
    }
    (f64::from(loss.into_scalar::<f32>()), moved, buffers)
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

/// Logits, loss, all gradients and running statistics agree to 1e-4 on every instruction set.
pub fn check(layers: &str, batch_size: u32) {
    let recipe = recipe(layers);
    let plan = Plan::new(&recipe.model.layers).unwrap_or_else(|e| panic!("{layers}: {e}"));
    let state = state(&plan, 7);
    let digits = digits();
    let batch: Vec<u32> = (0..batch_size).map(|i| i * 13 % 4000).collect();
    let (images, labels) = digits.select(&batch);

    let plain = Backend::Flex.engine(false).unwrap();
    let plain = Model::load(&plan, NORMALIZE, &state, &plain).unwrap();
    let logits = plain.logits(&images);
    let criterion = recipe.training.criterion();
    let (loss, gradients, buffers) = plain_gradients(&plan, &state, &batch, criterion);

    for isa in Isa::available() {
        let what = |of: &str| format!("{of} on {isa}, batch {batch_size}, of [{layers}]");
        let mut fused = FusedNetwork::new(&plan, NORMALIZE, 2, isa);
        fused.load_state(&state).unwrap();
        assert!(fused.state() == state, "{}", what("the state"));
        let d = difference(&fused.logits(&images), &logits);
        assert!(d < 1e-4, "{}: {d:e}", what("logits"));

        // One by one, and in blocks, they are the same bits.
        let together = fused.logits(&images);
        for (image, logits) in images.iter().zip(together.chunks_exact(10)) {
            assert!(fused.logits(&[image]) == logits, "{}", what("one image"));
        }

        let batch = Batch {
            images: &images,
            labels: &labels,
        };
        let result = fused.backward(batch, criterion, 0);
        let mean = result.loss_sum / f64::from(batch_size);
        assert!((mean - loss).abs() < 1e-4 * loss, "{}", what("the loss"));
        let ours = fused.gradients();
        assert_eq!(ours.len(), gradients.len());
        for (index, (ours, theirs)) in ours.iter().zip(&gradients).enumerate() {
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
        let state = fused.state();
        for theirs in &buffers {
            let ours = state.iter().find(|ours| ours.name == theirs.name).unwrap();
            let d = difference(&ours.values, &theirs.values);
            assert!(d < 1e-4, "{}: {d:e}", what(&ours.name));
        }
    }
}
