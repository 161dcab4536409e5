//! `cargo bench --bench steps`: a training step at batch 64, and inference at batch 500 and 1, for
//! every built-in recipe, on our kernels and on burn's operations (flex); and augmenting one image on
//! one core. The throughput criterion prints is in images a second.

use criterion::{BenchmarkId, Criterion, Throughput};
use mnistctl::dataset::{Augment, Batch, Digits, Source, Split};
use mnistctl::engine::{Backend, Engine, available_threads};
use mnistctl::network::Plan;
use mnistctl::recipe::{BUILTIN, Recipe};
use mnistctl::rng::{Rng, Stream};

const TRAINING_BATCH: u32 = 64;

struct Setup {
    name: String,
    recipe: Recipe,
    engine: Box<dyn Engine>,
    digits: Digits,
}

fn setups() -> impl Iterator<Item = Setup> {
    // The groups' networks are small changes of each other.
    let alone = BUILTIN.iter().filter(|builtin| builtin.group().is_none());
    alone.flat_map(|builtin| {
        [Backend::Native, Backend::Flex].map(|backend| {
            let recipe = Recipe::load(builtin.name, &[]).unwrap();
            let plan = Plan::new(&recipe.model.layers).unwrap();
            let compute = backend.compute(available_threads()).unwrap();
            Setup {
                name: format!("{}, {}", recipe.name, backend.name()),
                engine: compute.engine(recipe.setup(&plan)).unwrap(),
                digits: Source::Sample.load(Split::Train).unwrap().digits,
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
            setup.engine.step(batch, lr, 0)
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
                bencher.iter(|| setup.engine.logits(&images));
            });
        }
    }
}

/// One image on one core, by each transform alone, by all together, and by the lists of two built-in
/// recipes.
fn augmentation(criterion: &mut Criterion) {
    let transforms = [
        r#"{ kind = "affine", degrees = 10, translate = [0.1, 0.1], scale = [0.9, 1.1], shear = 10 }"#,
        r#"{ kind = "elastic", alpha = 34, sigma = 4 }"#,
        r#"{ kind = "european", p = 1 }"#,
        r#"{ kind = "stretch" }"#,
        r#"{ kind = "pen" }"#,
        r#"{ kind = "breaks", p = 1 }"#,
        r#"{ kind = "downscale", p = 1 }"#,
        r#"{ kind = "refit" }"#,
        r#"{ kind = "clutter", p = 1 }"#,
        r#"{ kind = "random_erasing", p = 1 }"#,
    ];
    let recipe = |entries: &str| Recipe::load("lenet", &[format!("augment=[{entries}]")]).unwrap();
    let each = transforms.map(|entry| {
        let augment = recipe(entry).augment;
        (augment[0].kind(), augment)
    });
    let builtin = ["convnet-tuned", "handwriting"]
        .map(|name| (name, Recipe::load(name, &[]).unwrap().augment));
    let all = ("all", recipe(&transforms.join(", ")).augment);
    let digits = Source::Sample.load(Split::Train).unwrap().digits;
    let mut group = criterion.benchmark_group("augmentation");
    group.throughput(Throughput::Elements(1));
    for (name, transforms) in each.into_iter().chain([all]).chain(builtin) {
        let augment = Augment::new(&transforms).unwrap();
        let (mut index, mut out) = (0, [0; 784]);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                index = (index + 1) % digits.len();
                let rng = Rng::new(0, &[Stream::Augment as u64, 0, index as u64]);
                augment.apply(digits.image(index), digits.label(index), rng, &mut out);
            });
        });
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    training_step(&mut criterion);
    inference(&mut criterion);
    augmentation(&mut criterion);
    criterion.final_summary();
}
