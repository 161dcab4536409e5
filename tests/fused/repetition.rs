//! The same bits for any number of threads, and dropout that drops what it should.

use mnistctl::dataset::Batch;
use mnistctl::kernels::{Isa, Rule};
use mnistctl::network::{FusedNetwork, NamedTensor, Plan};
use mnistctl::recipe::{Loss, Recipe};

use crate::compare::{NORMALIZE, digits, recipe, state};

/// The state after some steps of a network with BatchNorm and dropout, with a ragged batch last.
fn train(threads: usize, isa: Isa) -> Vec<NamedTensor> {
    let recipe = Recipe::load("cnn-9956", &[]).unwrap();
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let mut network = FusedNetwork::new(&plan, NORMALIZE, threads, isa);
    network.load_state(&state(&plan, 3)).unwrap();
    let digits = digits();
    let rule = Rule::Sgd {
        lr: 0.05,
        momentum: 0.0,
        gradient_weight: 1.0,
        nesterov: false,
        weight_decay: 0.0,
    };
    for (step, size) in [100u32, 100, 100, 37].into_iter().enumerate() {
        let indices: Vec<u32> = (0..size).map(|i| i + 100 * step as u32).collect();
        let (images, labels) = digits.select(&indices);
        let batch = Batch {
            images: &images,
            labels: &labels,
        };
        network.backward(batch, Loss::CrossEntropy.into(), step as u32);
        network.update(rule, &mut [], &mut []);
    }
    network.state()
}

#[test]
fn threads_change_no_bit() {
    for isa in Isa::available() {
        let alone = train(1, isa);
        for threads in [2, 3, 8] {
            assert!(train(threads, isa) == alone, "{threads} threads, {isa}");
        }
    }
}

#[test]
fn dropout_drops_its_share_and_scales_the_rest() {
    let plan = |layers: &str| Plan::new(&recipe(layers).model.layers).unwrap();
    let with = plan("'flatten', {kind='dropout',p=0.3}, {kind='linear',out_features=10}");
    let without = plan("'flatten', {kind='dropout',p=0}, {kind='linear',out_features=10}");
    let digits = digits();
    let (images, labels) = digits.select(&[17]);
    let batch = Batch {
        images: &images,
        labels: &labels,
    };
    for isa in Isa::available() {
        // All weights are zero, so the gradient of the logits is the same with and without.
        let gradient = |plan: &Plan, key: u32| {
            let mut network = FusedNetwork::new(plan, NORMALIZE, 1, isa);
            network.backward(batch, Loss::CrossEntropy.into(), key);
            network.gradients().remove(0).values
        };
        let all = gradient(&without, 0);
        let kept = |key: u32| -> Vec<bool> {
            let some = gradient(&with, key);
            // The weights of one class, one for each pixel.
            let pairs = some[..784].iter().zip(&all[..784]);
            pairs
                .map(|(&some, &all)| {
                    assert!(some == 0.0 || (some / all - 1.0 / 0.7).abs() < 1e-5);
                    some != 0.0
                })
                .collect()
        };
        let (first, again, other) = (kept(1), kept(1), kept(2));
        assert!(first == again && first != other);
        let counts: Vec<usize> = (0..20)
            .map(|key| kept(key).into_iter().filter(|&kept| kept).count())
            .collect();
        let mean = counts.iter().sum::<usize>() as f64 / (20.0 * 784.0);
        // Four standard errors.
        assert!(
            (mean - 0.7).abs() < 4.0 * (0.21f64 / (20.0 * 784.0)).sqrt(),
            "{mean}"
        );
    }
}
