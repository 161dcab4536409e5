//! Our side of `benches/peers/run`: measures what it is asked on standard input, one JSON object a
//! line, and answers on standard output, as the scripts for PyTorch and JAX do.

use std::io::{BufRead, stdin};
use std::time::Instant;

use mnistctl::dataset::{Batch, DataArg, Digits, Part, find};
use mnistctl::engine::{Backend, available_threads, with_threads};
use mnistctl::network::Plan;
use mnistctl::recipe::Recipe;
use mnistctl::training::Learner;
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
    match network {
        "convnet" => Recipe::parse("convnet", include_str!("peers/convnet.toml"), &[]).unwrap(),
        builtin => Recipe::load(builtin, &[]).unwrap(),
    }
}

fn learner(recipe: &Recipe, fused: bool) -> Learner {
    let plan = Plan::new(&recipe.model.layers).unwrap();
    Learner::new(recipe, &plan, &Backend::Flex.engine(fused).unwrap())
}

/// Repeats `step` for about so many seconds, after a few times that don't count.
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

fn answer(request: Request, digits: &Digits, fused: bool) -> serde_json::Value {
    let all: Vec<u32> = (0..IMAGES.min(digits.len() as u32)).collect();
    match request {
        Request::Ready => {
            json!({ "name": "mnistctl", "version": env!("CARGO_PKG_VERSION") })
        }
        Request::Train {
            network,
            batch,
            seconds,
        } => {
            let recipe = recipe(&network);
            let mut learner = learner(&recipe, fused);
            let batches: Vec<&[u32]> = all.chunks_exact(batch).collect();
            measure(batch, seconds, |step| {
                let (images, labels) = digits.select(batches[step % batches.len()]);
                let batch = Batch {
                    images: &images,
                    labels: &labels,
                };
                let lr = recipe.optimizer.lr();
                let figures = learner.step(batch, lr, step as u64);
                assert!(figures.iter().all(|step| step.loss.is_finite()));
            })
        }
        Request::Infer {
            network,
            batch,
            seconds,
        } => {
            let learner = learner(&recipe(&network), fused);
            let batches: Vec<&[u32]> = all.chunks_exact(batch).collect();
            measure(batch, seconds, |step| {
                let (images, _) = digits.select(batches[step % batches.len()]);
                assert_eq!(learner.logits(&images).len(), batch * 10);
            })
        }
    }
}

/// `--threads N`, `--data DIR`, and `--no-fused` for burn's operations.
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let threads = option("--threads").map_or_else(available_threads, |n| n.parse().unwrap());
    let data = option("--data").unwrap_or_else(|| "auto".into());
    let fused = !args.iter().any(|arg| arg == "--no-fused");
    let source = find(&DataArg::from(data.as_str())).unwrap();
    let digits = source.load(Part::Train).unwrap().digits;
    let serve = || {
        for line in stdin().lock().lines() {
            let request = serde_json::from_str(&line.unwrap()).unwrap();
            println!("{}", answer(request, &digits, fused));
        }
    };
    with_threads(threads, serve).unwrap();
}
