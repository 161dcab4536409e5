//! Softmax cross-entropy and its gradient.

use super::lanes::{Lanes, kernel};

/// A block's loss and right answers.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct BlockLoss {
    pub loss_sum: f64,
    pub correct: u64,
}

kernel! {
    /// The summed loss of a block and, in `dlogits`, its gradient divided by `batch`; both are
    /// `[class][lane]`, and there is an image in as many lanes as there are `labels`.
    ///
    /// With `smoothing` s the target is 1 - s + s / classes for the label and s / classes for each
    /// other class, as `torch.nn.CrossEntropyLoss(label_smoothing=s)` has it.
    ///
    /// With `on_softmax` the cross-entropy is taken on the softmax's probabilities as if they were
    /// logits, as some published networks do by mistake.
    pub fn cross_entropy(
        logits: &[f32],
        labels: &[u8],
        batch: usize,
        on_softmax: bool,
        smoothing: f32,
        dlogits: &mut [f32],
    ) -> BlockLoss = cross_entropy_in
}

/// More classes than any digit classifier has.
const MAX_CLASSES: usize = 16;

#[inline(always)]
fn cross_entropy_in<V: Lanes>(
    logits: &[f32],
    labels: &[u8],
    batch: usize,
    on_softmax: bool,
    smoothing: f32,
    dlogits: &mut [f32],
) -> BlockLoss {
    let classes = logits.len() / V::N;
    assert!(classes <= MAX_CLASSES && labels.len() <= V::N && dlogits.len() >= logits.len());
    let zero = V::splat(0.0);
    let mut scores = [zero; MAX_CLASSES];
    for (class, score) in scores[..classes].iter_mut().enumerate() {
        *score = V::read(&logits[class * V::N..]);
    }
    let (mut best, mut answer) = (scores[0], zero);
    for (class, &score) in scores[..classes].iter().enumerate().skip(1) {
        answer = score.where_greater(best, V::splat(class as f32), answer);
        best = score.where_greater(best, score, best);
    }
    let inner = scores;
    if on_softmax {
        softmax(&mut scores, classes);
    }
    let probabilities = scores;
    let (max, sum) = softmax(&mut scores, classes);

    let mut label = [-1.0f32; 16];
    for (label, &digit) in label.iter_mut().zip(labels) {
        *label = f32::from(digit);
    }
    let label = V::read(&label);
    // 1 / batch in lanes with an image, 0 in the others.
    let mut weight = [0.0f32; 16];
    weight[..labels.len()].fill(1.0 / batch as f32);
    let weight = V::read(&weight);
    let of = if on_softmax { probabilities } else { inner };
    let others = smoothing / classes as f32;
    let (own, others) = (V::splat(1.0 - smoothing + others), V::splat(others));
    // What the loss subtracts: the target's scores, weighted.
    let mut target = zero;
    for class in 0..classes {
        let part = label.where_equal(V::splat(class as f32), own, others);
        target = part.mul_add(of[class], target);
        scores[class] = scores[class].sub(part).mul(weight);
    }
    if on_softmax {
        // Through the inner softmax: dl = p * (dp - sum(dp * p)).
        let mut dot = zero;
        for class in 0..classes {
            dot = scores[class].mul_add(probabilities[class], dot);
        }
        for class in 0..classes {
            scores[class] = scores[class].sub(dot).mul(probabilities[class]);
        }
    }
    for class in 0..classes {
        // Further back these would only become smaller.
        scores[class]
            .flush(1e-20)
            .write(&mut dlogits[class * V::N..]);
    }

    let mut result = BlockLoss::default();
    let mut lanes = [[0.0f32; 16]; 4];
    for (values, lanes) in [max, sum, target, answer].into_iter().zip(&mut lanes) {
        values.write(lanes);
    }
    for (lane, &label) in labels.iter().enumerate() {
        let [max, sum, target, answer] = lanes.map(|values| values[lane]);
        result.loss_sum += f64::from(max) - f64::from(target) + f64::from(sum).ln();
        result.correct += u64::from(answer == f32::from(label));
    }
    result
}

/// Softmax over the classes, in place; returns the largest score and the sum of the exponentials.
#[inline(always)]
fn softmax<V: Lanes>(scores: &mut [V; MAX_CLASSES], classes: usize) -> (V, V) {
    let mut max = scores[0];
    for &score in &scores[1..classes] {
        // In this order, not-a-number wins and shows.
        max = max.where_greater(score, max, score);
    }
    let mut sum = V::splat(0.0);
    for score in &mut scores[..classes] {
        *score = score.sub(max).exp();
        sum = sum.add(*score);
    }
    let inverse = V::splat(1.0).div(sum);
    for score in &mut scores[..classes] {
        *score = score.mul(inverse);
    }
    (max, sum)
}
