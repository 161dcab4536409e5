//! The same bits for any number of threads, and dropout that drops what it should.

use mnistctl::dataset::Batch;
use mnistctl::engine::Engine;
use mnistctl::kernels::Isa;
use mnistctl::network::{NamedTensor, Plan};
use mnistctl::recipe::Recipe;

use crate::compare::{digits, native, recipe, state};

/// BatchNorm, dropout, grouped convolutions, learned activations and residual sums.
const EVERYTHING: &str = "{kind='conv',out_channels=6,kernel_size=3,padding='same'}, 'batch_norm', \
    'silu', {kind='residual',layers=[{kind='conv',out_channels=6,kernel_size=3,padding='same',\
    groups=6}, 'batch_norm', {kind='prelu',num_parameters=6}, {kind='dropout',p=0.3}]}, 'relu', \
    {kind='avg_pool',kernel_size=2}, {kind='residual',layers=[{kind='conv',out_channels=9,\
    kernel_size=3,stride=2,groups=3,padding=1}], shortcut=[{kind='conv',out_channels=9,\
    kernel_size=1,stride=2}]}, 'prelu', 'global_avg_pool', 'flatten', \
    {kind='linear',out_features=10}";

/// Convolutions by Winograd's tiles.
const TILES: &str = "{kind='conv',out_channels=16,kernel_size=5,stride=2,padding=2}, 'relu', \
    {kind='conv',out_channels=20,kernel_size=3,padding='same'}, 'batch_norm', 'relu', \
    {kind='conv',out_channels=16,kernel_size=3}, 'relu', {kind='max_pool',kernel_size=2}, \
    'flatten', {kind='linear',out_features=10}";

/// The state after some steps, with a ragged batch last.
fn train(recipe: &Recipe, threads: usize, isa: Isa) -> Vec<NamedTensor> {
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let mut network = native(recipe, &plan, isa, threads);
    network.load_state(&state(&plan, 3)).unwrap();
    let digits = digits();
    for (step, size) in [100u32, 100, 100, 37].into_iter().enumerate() {
        let indices: Vec<u32> = (0..size).map(|i| i + 100 * step as u32).collect();
        let (images, labels) = digits.select(&indices);
        let batch = Batch {
            images: &images,
            labels: &labels,
        };
        network.step(batch, 0.05, (step as u64) << 32);
    }
    network.state()
}

#[test]
fn threads_change_no_bit() {
    let cnn = Recipe::load("cnn-9956", &[]).unwrap();
    for recipe in [cnn, recipe(EVERYTHING), recipe(TILES)] {
        for isa in Isa::available() {
            let alone = train(&recipe, 1, isa);
            for threads in [2, 3, 8] {
                let together = train(&recipe, threads, isa);
                assert!(together == alone, "{threads} threads, {isa}");
            }
        }
    }
}

#[test]
fn dropout_drops_its_share_and_scales_the_rest() {
    let with = recipe("'flatten', {kind='dropout',p=0.3}, {kind='linear',out_features=10}");
    let without = recipe("'flatten', {kind='dropout',p=0}, {kind='linear',out_features=10}");
    let digits = digits();
    let (images, labels) = digits.select(&[17]);
    let batch = Batch {
        images: &images,
        labels: &labels,
    };
    for isa in Isa::available() {
        // All weights are zero, so the gradient of the logits is the same with and without.
        let gradient = |recipe: &Recipe, key: u32| {
            let plan = Plan::new(&recipe.model.layers).unwrap();
            let mut network = native(recipe, &plan, isa, 1);
            let mut zeros = network.state();
            for tensor in &mut zeros {
                tensor.values.fill(0.0);
            }
            network.load_state(&zeros).unwrap();
            network.gradients(batch, key).1.remove(0).values
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
