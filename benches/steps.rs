//! `cargo bench`: a training step at batch 64, and inference at batch 500 and 1, for every
//! built-in recipe's network on flex. The throughput criterion prints is in images a second.

use burn::module::Module;
use burn::tensor::Device;
use criterion::{BenchmarkId, Criterion, Throughput};
use mnistctl::backend::{Backend, available_threads, with_threads};
use mnistctl::dataset::{Digits, Part, Source};
use mnistctl::evaluation::to_host;
use mnistctl::network::{Network, Plan};
use mnistctl::recipe::{BUILTIN, Recipe};
use mnistctl::training::{Batcher, Optimizer, loss, targets};

const TRAINING_BATCH: usize = 64;

struct Setup {
    recipe: Recipe,
    network: Network,
    batcher: Batcher,
    digits: Digits,
    device: Device,
}

fn setups() -> impl Iterator<Item = Setup> {
    BUILTIN.iter().map(|builtin| {
        let recipe = Recipe::load(builtin.name, &[]).unwrap();
        let plan = Plan::new(&recipe.model.layers).unwrap();
        let device = Backend::Flex.device().unwrap();
        Setup {
            network: Network::new(&plan, 0, &device.clone().autodiff()),
            batcher: Batcher::new(recipe.data.normalize),
            digits: Source::Sample.load(Part::Train).unwrap().digits,
            device,
            recipe,
        }
    })
}

fn training_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("training step, batch 64");
    group.throughput(Throughput::Elements(TRAINING_BATCH as u64));
    for setup in setups() {
        let device = setup.device.clone().autodiff();
        let indices: Vec<u32> = (0..TRAINING_BATCH as u32).collect();
        let mut optimizer = Optimizer::new(setup.recipe.optimizer.clone());
        let mut network = Some(setup.network);
        let mut step = || {
            let mut training = network.take().expect("every step puts it back");
            let (images, labels) = setup.batcher.gather(&setup.digits, &indices, &device);
            let logits = training.forward_train(images);
            let kind = setup.recipe.training.loss;
            let loss = loss::loss(kind, logits, targets(&labels, &device));
            let lr = setup.recipe.optimizer.lr();
            network = Some(optimizer.step(lr, training, &loss.backward()));
        };
        group.bench_function(&setup.recipe.name, |bencher| bencher.iter(&mut step));
    }
}

fn inference(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inference");
    for setup in setups() {
        let network = setup.network.valid();
        for batch in [1u32, 500] {
            let indices: Vec<u32> = (0..batch).collect();
            group.throughput(Throughput::Elements(u64::from(batch)));
            let id = BenchmarkId::new(&setup.recipe.name, batch);
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    let (images, _) = setup.batcher.gather(&setup.digits, &indices, &setup.device);
                    to_host(&network.forward(images))
                });
            });
        }
    }
}

/// All of it in the thread pool, as the commands do it.
fn main() {
    let all = || {
        let mut criterion = Criterion::default().configure_from_args();
        training_step(&mut criterion);
        inference(&mut criterion);
        criterion.final_summary();
    };
    with_threads(available_threads(), all).unwrap();
}
