//! Our side of `benches/peers/run`: measures what it is asked on standard input, one JSON object a
//! line, and answers on standard output, as the scripts for PyTorch and JAX do.

use std::io::{BufRead, stdin};
use std::time::Instant;

use clap::ValueEnum;
use mnistctl::dataset::{Batch, DataArg, Digits, Split, find};
use mnistctl::engine::{Backend, Compute, Engine, available_threads};
use mnistctl::kernels::{Isa, multiply_adds};
use mnistctl::network::Plan;
use mnistctl::recipe::Recipe;
use serde::Deserialize;
use serde_json::json;

/// Images that the batches are taken from, in turn.
const IMAGES: u32 = 4096;

#[derive(Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Request {
    Ready,
    Train {
        network: String,
        batch: usize,
        seconds: f64,
    },
    Infer {
        network: String,
        batch: usize,
        seconds: f64,
    },
}

fn recipe(network: &str) -> Recipe {
    let text = match network {
        "convnet" => include_str!("peers/convnet.toml"),
        "convnet-tuned" => include_str!("peers/convnet-tuned.toml"),
        builtin => return Recipe::load(builtin, &[]).unwrap(),
    };
    Recipe::parse(network, text, &[]).unwrap()
}

fn engine(recipe: &Recipe, compute: &Compute) -> Box<dyn Engine> {
    let plan = Plan::new(&recipe.model.layers).unwrap();
    compute.engine(recipe.setup(&plan)).unwrap()
}

/// Repeats `step` for about this many seconds, after a few times that don't count.
fn measure(batch: usize, seconds: f64, mut step: impl FnMut(usize)) -> serde_json::Value {
    for warm_up in 0..5 {
        step(warm_up);
    }
    let started = Instant::now();
    let mut iterations = 0;
    while started.elapsed().as_secs_f64() < seconds {
        step(iterations);
        iterations += 1;
    }
    let rate = (iterations * batch) as f64 / started.elapsed().as_secs_f64();
    json!({ "images_per_second": rate, "iterations": iterations })
}

/// Multiply-adds that one core does in a second when it does nothing else: the most of a few attempts.
fn peak(isa: Isa) -> f64 {
    const COUNT: usize = 1 << 20;
    let attempts = (0..50).map(|_| {
        let started = Instant::now();
        let done = multiply_adds(isa, COUNT);
        done as f64 / started.elapsed().as_secs_f64()
    });
    attempts.fold(0.0, f64::max)
}

fn answer(
    request: Request,
    digits: &Digits,
    compute: &Compute,
    isa: Option<Isa>,
) -> serde_json::Value {
    let all: Vec<u32> = (0..IMAGES.min(digits.len() as u32)).collect();
    match request {
        Request::Ready => {
            json!({
                "name": "mnistctl",
                "version": env!("CARGO_PKG_VERSION"),
                "isa": compute.isa(),
                "peak": isa.map(peak),
            })
        }
        Request::Train {
            network,
            batch,
            seconds,
        } => {
            let recipe = recipe(&network);
            let mut engine = engine(&recipe, compute);
            let batches: Vec<&[u32]> = all.chunks_exact(batch).collect();
            measure(batch, seconds, |step| {
                let (images, labels) = digits.select(batches[step % batches.len()]);
                let batch = Batch {
                    images: &images,
                    labels: &labels,
                };
                let lr = recipe.optimizer.lr();
                let figures = engine.step(batch, lr, step as u64);
                assert!(figures.iter().all(|step| step.loss().is_finite()));
            })
        }
        Request::Infer {
            network,
            batch,
            seconds,
        } => {
            let engine = engine(&recipe(&network), compute);
            let batches: Vec<&[u32]> = all.chunks_exact(batch).collect();
            measure(batch, seconds, |step| {
                let (images, _) = digits.select(batches[step % batches.len()]);
                assert_eq!(engine.logits(&images).len(), batch * 10);
            })
        }
    }
}

/// `--threads N`, `--data DIR`, `--isa NAME` for another one than the widest, and `--backend NAME` for another
/// one than our kernels.
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let threads = option("--threads").map_or_else(available_threads, |n| n.parse().unwrap());
    let data = option("--data").unwrap_or_else(|| "auto".into());
    let backend = option("--backend").unwrap_or_else(|| "native".into());
    let backend = Backend::from_str(&backend, false).unwrap();
    let isa_of = |name: &str| Isa::available().into_iter().find(|isa| isa.name() == name);
    let compute = match option("--isa") {
        Some(name) => Compute::on_isa(isa_of(&name).unwrap(), threads),
        None => backend.compute(threads).unwrap(),
    };
    let isa = compute.isa().and_then(isa_of);
    let source = find(&DataArg::from(data.as_str())).unwrap();
    let digits = source.load(Split::Train).unwrap().digits;
    for line in stdin().lock().lines() {
        let request = serde_json::from_str(&line.unwrap()).unwrap();
        println!("{}", answer(request, &digits, &compute, isa));
    }
}
