//! Noticing that a run has diverged: a loss, or anything that would be saved, that is no longer a
//! number.

use std::fmt;

use super::checkpoint::Checkpoint;
use super::running_metrics::RunningMetrics;
use crate::engine::StepFigures;

/// Steps of an epoch, counted from 1, of which one had a loss that is not a number. It is a single
/// step where the engine gives each step's figures at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Steps {
    pub first: u64,
    pub last: u64,
}

impl Steps {
    pub fn one(step: u64) -> Self {
        Self {
            first: step,
            last: step,
        }
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last {
            write!(f, "step {last}")
        } else {
            write!(f, "between steps {first} and {last}")
        }
    }
}

/// A loss that is not a number, and where it was found.
#[derive(Debug, PartialEq)]
pub struct NotFinite {
    pub loss: f64,
    pub steps: Steps,
}

/// The figures of an epoch's steps. An engine may give them later than it trains the steps, but it
/// gives them in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepMetrics {
    /// Steps whose figures are known.
    known: u64,
    running: RunningMetrics,
}

impl StepMetrics {
    /// The figures of an epoch that was saved after `steps` steps, when all of them were known.
    pub fn resumed(steps: u64, running: RunningMetrics) -> Self {
        Self {
            known: steps,
            running,
        }
    }

    pub fn running(&self) -> &RunningMetrics {
        &self.running
    }

    /// Adds the figures of the next steps, which have become known together.
    ///
    /// # Errors
    /// When one of their losses is not a number.
    pub fn add(&mut self, figures: &[StepFigures]) -> Result<(), NotFinite> {
        let steps = Steps {
            first: self.known + 1,
            last: self.known + figures.len() as u64,
        };
        for step in figures {
            let loss = step.loss();
            if !loss.is_finite() {
                return Err(NotFinite { loss, steps });
            }
            self.running.add_step(step);
        }
        self.known = steps.last;
        Ok(())
    }
}

/// What of a checkpoint is infinite or not a number. BatchNorm makes a finite loss even of infinite
/// statistics, so the losses alone don't tell.
pub fn overflowed(checkpoint: &Checkpoint) -> Option<String> {
    let infinite = |values: &[f32]| !values.iter().all(|value| value.is_finite());
    let resume = checkpoint.resume.as_ref();
    let weights = resume.and_then(|resume| resume.weights.as_ref());
    let weights = weights.into_iter().flatten();
    let mut tensors = checkpoint.tensors.iter().chain(weights);
    if let Some(tensor) = tensors.find(|tensor| infinite(&tensor.values)) {
        return Some(format!("the network's {}", tensor.name));
    }
    let moments = resume.map_or(&[][..], |resume| &resume.optimizer.moments);
    let mut moments = moments.iter().flat_map(|of| [&of.first, &of.second]);
    moments
        .any(|moment| moment.as_deref().is_some_and(infinite))
        .then(|| "the optimizer's moving averages".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(losses: &[f64]) -> Vec<StepFigures> {
        let step = |&loss: &f64| StepFigures {
            loss_sum: 64.0 * loss,
            images: 64,
            correct: 32,
        };
        losses.iter().map(step).collect()
    }

    #[test]
    fn a_loss_that_is_no_number_is_found_among_the_steps_that_became_known_with_it() {
        let mut metrics = StepMetrics::default();
        metrics.add(&steps(&[1.0; 32])).unwrap();
        metrics.add(&[]).unwrap();
        let mut second = steps(&[1.0; 32]);
        second[7].loss_sum = f64::NAN;
        let found = metrics.add(&second).unwrap_err();
        assert_eq!(
            found.steps,
            Steps {
                first: 33,
                last: 64
            }
        );
        assert_eq!(found.steps.to_string(), "between steps 33 and 64");
        assert!(found.loss.is_nan());

        // Step by step, and behind a resume.
        let mut metrics = StepMetrics::resumed(40, *metrics.running());
        metrics.add(&steps(&[1.0])).unwrap();
        let found = metrics.add(&steps(&[f64::INFINITY])).unwrap_err();
        assert_eq!(found.steps.to_string(), "step 42");
    }

    #[test]
    fn figures_are_the_same_however_late_they_become_known() {
        let losses: Vec<f64> = (0..100).map(|step| 2.3 / f64::from(1 + step)).collect();
        let all = steps(&losses);
        let mut at_once = StepMetrics::default();
        for step in &all {
            at_once.add(std::slice::from_ref(step)).unwrap();
        }
        let mut later = StepMetrics::default();
        for block in all.chunks(32) {
            later.add(block).unwrap();
        }
        assert_eq!(at_once.running(), later.running());
    }
}
