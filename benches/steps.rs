//! `cargo bench --bench steps`: a training step at batch 64, and inference at batch 500 and 1, for
//! every built-in recipe, on our kernels and on burn's operations (flex). The throughput criterion
//! prints is in images a second.

use criterion::{BenchmarkId, Criterion, Throughput};
use mnistctl::backend::{Backend, available_threads, with_threads};
use mnistctl::dataset::{Batch, Digits, Part, Source};
use mnistctl::network::Plan;
use mnistctl::recipe::{BUILTIN, Recipe};
use mnistctl::training::Learner;

const TRAINING_BATCH: u32 = 64;

struct Setup {
    name: String,
    recipe: Recipe,
    learner: Learner,
    digits: Digits,
}

fn setups() -> impl Iterator<Item = Setup> {
    BUILTIN.iter().flat_map(|builtin| {
        [true, false].map(|fused| {
            let recipe = Recipe::load(builtin.name, &[]).unwrap();
            let plan = Plan::new(&recipe.model.layers).unwrap();
            let engine = Backend::Flex.engine(fused).unwrap();
            let kind = if fused { "fused" } else { "op by op" };
            Setup {
                name: format!("{}, {kind}", recipe.name),
                learner: Learner::new(&recipe, &plan, &engine),
                digits: Source::Sample.load(Part::Train).unwrap().digits,
                recipe,
            }
        })
    })
}

fn training_step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("training step, batch 64");
    group.throughput(Throughput::Elements(u64::from(TRAINING_BATCH)));
    for mut setup in setups() {
        let lr = setup.recipe.optimizer.lr();
        let indices: Vec<u32> = (0..TRAINING_BATCH).collect();
        let mut step = || {
            let (images, labels) = setup.digits.select(&indices);
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            setup.learner.step(batch, lr, 0)
        };
        group.bench_function(&setup.name, |bencher| bencher.iter(&mut step));
    }
}

fn inference(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inference");
    for setup in setups() {
        for batch in [1u32, 500] {
            let (images, _) = setup.digits.select(&(0..batch).collect::<Vec<_>>());
            group.throughput(Throughput::Elements(u64::from(batch)));
            let id = BenchmarkId::new(&setup.name, batch);
            group.bench_function(id, |bencher| {
                bencher.iter(|| setup.learner.logits(&images));
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
