//! How often burn's engine makes the host wait for its device: each time costs a graphics card more
//! than a step of a small network.

use mnistctl::dataset::Batch;
use mnistctl::engine::Engine;
use mnistctl::network::Plan;
use mnistctl::recipe::Recipe;

use crate::compare::{digits, on_burn};

#[test]
fn an_epoch_reads_the_device_every_thirty_two_steps() {
    // With all that could need a look at the device: the gradients' norm, averaged weights, running
    // statistics, dropout.
    let overrides = [
        "training.clip_grad_norm=1",
        "training.ema_decay=0.9",
        "optimizer.kind=adamw",
    ];
    let recipe = Recipe::load("cnn-9956", &overrides.map(String::from)).unwrap();
    let plan = Plan::new(&recipe.model.layers).unwrap();
    let mut engine = on_burn(&recipe, &plan, &plan.initial_state(0));
    let digits = digits();
    let indices: Vec<u32> = (0..70 * 16).collect();
    let mut known = Vec::new();
    for (step, indices) in indices.chunks(16).enumerate() {
        let (images, labels) = digits.select(indices);
        let batch = Batch {
            images: &images,
            labels: &labels,
        };
        let figures = engine.step(batch, 1e-3, step as u64);
        // All that are not known yet, or none.
        let steps = step as u64 + 1;
        assert_eq!(figures.len(), if steps.is_multiple_of(32) { 32 } else { 0 });
        assert_eq!(engine.device_reads(), steps / 32);
        known.extend(figures);
    }
    known.extend(engine.flush());
    assert_eq!(engine.device_reads(), 3);
    assert_eq!(known.len(), 70);
    assert!(
        known
            .iter()
            .all(|step| step.images == 16 && step.correct <= 16)
    );
    let mean = |steps: &[mnistctl::engine::StepFigures]| {
        steps.iter().map(|step| step.loss()).sum::<f64>() / steps.len() as f64
    };
    assert!(mean(&known[60..]) < mean(&known[..10]), "it learns");

    // A batch of answers by the averaged weights is one more; the weights stay where they are.
    let (images, _) = digits.select(&(0..500).collect::<Vec<_>>());
    engine.logits(&images);
    engine.logits(&images);
    assert_eq!(engine.device_reads(), 5);
}
