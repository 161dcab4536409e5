//! A checkpoint: read, written again, used for answers, and trained on.

use std::path::Path;

use mnistctl::dataset::Batch;
use mnistctl::engine::Backend;
use mnistctl::network::Plan;
use mnistctl::training::{Checkpoint, State, VERSION};

/// Activations take up to 128 MB for each block of images; the rest is a multiple of the weights,
/// which the file holds.
pub fn memory(data: &[u8]) -> usize {
    (512 << 20) + 64 * data.len()
}

pub fn check(data: &[u8]) {
    let path = Path::new("fuzzed.mpk");
    let checkpoint = match Checkpoint::parse(data, path) {
        // What is written has the new form.
        Ok(checkpoint) => Checkpoint {
            old_augment: false,
            ..checkpoint
        },
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let again = Checkpoint::parse(&checkpoint.to_bytes(), path);
    // Whatever version it was, it is written in the newest one.
    let version = VERSION;
    let newest = Checkpoint {
        version,
        ..checkpoint.clone()
    };
    assert!(again.expect("it was just written") == newest);

    let compute = Backend::Native.compute(1).expect("it is always there");
    let images: Vec<Vec<u8>> = (0..3).map(|byte| vec![100 * byte; 784]).collect();
    let images: Vec<&[u8]> = images.iter().map(Vec::as_slice).collect();
    let model = checkpoint.model(path, &compute);
    // What the kernels can't run is refused in a sentence.
    let model = match model {
        Ok(model) => model,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(model.logits(&images).len(), 30);

    let Some(resume) = &checkpoint.resume else {
        return;
    };
    let recipe = &checkpoint.recipe;
    let plan = Plan::new(&recipe.model.layers).expect("it was checked");
    let learned_from = resume.limit.unwrap_or(4000).min(60_000) as usize;
    let fresh = State::new(
        recipe,
        compute.engine(recipe.setup(&plan)).expect("it ran above"),
    );
    match fresh.restore(&checkpoint, resume, learned_from) {
        Ok(mut state) => {
            let labels = [0, 1, 2];
            let batch = Batch {
                images: &images,
                labels: &labels,
            };
            state.engine.step(batch, 0.1, 1);
            state
                .scheduler
                .step(checkpoint.metrics.len() as u64, 1.0, 0.5);
        }
        Err(problem) => assert!(!problem.is_empty()),
    }
}
