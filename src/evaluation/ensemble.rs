//! Trained networks at work: one checkpoint, or several whose probabilities are averaged.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{BATCH, Confusion};
use crate::dataset::{CLASSES, Digits};
use crate::engine::loss::{argmax, loss_of, probabilities};
use crate::engine::{Compute, Model};
use crate::recipe::Recipe;
use crate::training::{Checkpoint, CheckpointError, EMBEDDED_NAME, TestFigures};

/// One or more trained networks.
pub struct Ensemble {
    members: Vec<Member>,
}

struct Member {
    model: Model,
    recipe: Recipe,
}

/// What an [`Ensemble`] makes of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// One probability a digit; they add up to 1.
    pub probabilities: [f64; CLASSES],
}

impl Prediction {
    /// The most probable digit.
    pub fn digit(&self) -> usize {
        argmax(&self.probabilities)
    }

    /// The probability of the most probable digit.
    pub fn confidence(&self) -> f64 {
        self.probabilities[self.digit()]
    }
}

/// An [`Ensemble`] measured on labelled images.
#[derive(Debug, Clone)]
pub struct Evaluation {
    /// The mean of the recipe's loss; for several networks, the cross-entropy of their mean
    /// probabilities.
    pub loss: f64,
    pub confusion: Confusion,
    /// The images that were taken for another digit: the surest mistakes first.
    pub wrong: Vec<Mistake>,
}

impl Evaluation {
    /// What a run's summary says of its test images.
    pub fn test_figures(&self) -> TestFigures {
        TestFigures {
            images: self.confusion.images(),
            loss: self.loss,
            accuracy: self.confusion.accuracy(),
            errors: self.confusion.errors(),
        }
    }
}

/// An image that was taken for another digit than it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mistake {
    /// The index of the image among the digits.
    pub index: u32,
    pub truth: usize,
    pub predicted: usize,
    /// The probability of `predicted`.
    pub confidence: f64,
}

/// A network whose answer is no probability.
#[derive(Debug, Error)]
#[error(
    "the network's answer is not a number: its weights are so large that they overflow; train it \
     again with a lower learning rate"
)]
pub struct NotANumber;

impl Ensemble {
    /// Loads every checkpoint, or the embedded one if there is none, for evaluation by `compute`.
    pub fn load(paths: &[PathBuf], compute: &Compute) -> Result<Self, CheckpointError> {
        if paths.is_empty() {
            return Self::embedded(compute);
        }
        let load = |path: &PathBuf| Self::member(&Checkpoint::load(path)?, path, compute);
        let members: Vec<Member> = paths.iter().map(load).collect::<Result<_, _>>()?;
        let classes = |member: &Member| member.recipe.data.classes.clone();
        let differs = |member| classes(member) != classes(&members[0]);
        if let Some(other) = members.iter().position(differs) {
            return Err(CheckpointError::Classes {
                first: paths[0].clone(),
                other: paths[other].clone(),
            });
        }
        Ok(Self { members })
    }

    /// The network that this program carries, for evaluation by `compute`.
    pub fn embedded(compute: &Compute) -> Result<Self, CheckpointError> {
        let path = Path::new(EMBEDDED_NAME);
        Self::of(&Checkpoint::embedded()?, path, compute)
    }

    /// A checkpoint's network, for evaluation by `compute`; `path` is what messages call it.
    pub fn of(
        checkpoint: &Checkpoint,
        path: &Path,
        compute: &Compute,
    ) -> Result<Self, CheckpointError> {
        let member = Self::member(checkpoint, path, compute)?;
        Ok(Self {
            members: vec![member],
        })
    }

    fn member(
        checkpoint: &Checkpoint,
        path: &Path,
        compute: &Compute,
    ) -> Result<Member, CheckpointError> {
        Ok(Member {
            model: checkpoint.model(path, compute)?,
            recipe: checkpoint.recipe.clone(),
        })
    }

    /// The recipe of the first checkpoint.
    pub fn recipe(&self) -> &Recipe {
        &self.members[0].recipe
    }

    /// Predictions for images of 784 bytes, in their order.
    pub fn predict(&self, images: &[&[u8]]) -> Result<Vec<Prediction>, NotANumber> {
        let mut predictions = Vec::with_capacity(images.len());
        for batch in images.chunks(BATCH) {
            predictions.extend(self.predict_batch(batch)?.into_iter().map(|(_, p)| p));
        }
        Ok(predictions)
    }

    /// Measures the networks on the images of `digits` at `indices`.
    pub fn evaluate(&self, digits: &Digits, indices: &[u32]) -> Result<Evaluation, NotANumber> {
        let mut confusion = Confusion::default();
        let mut wrong = Vec::new();
        let mut loss_sum = 0.0;
        for indices in indices.chunks(BATCH) {
            let (images, _) = digits.select(indices);
            for (&index, (logits, prediction)) in indices.iter().zip(self.predict_batch(&images)?) {
                let truth = usize::from(digits.label(index as usize));
                confusion.add(truth, prediction.digit());
                if prediction.digit() != truth {
                    wrong.push(Mistake {
                        index,
                        truth,
                        predicted: prediction.digit(),
                        confidence: prediction.confidence(),
                    });
                }
                loss_sum += match &self.members[..] {
                    [member] => loss_of(member.recipe.training.loss.into(), &logits, truth),
                    _ => -prediction.probabilities[truth].max(f64::MIN_POSITIVE).ln(),
                };
            }
        }
        let surest = |a: &Mistake, b: &Mistake| b.confidence.total_cmp(&a.confidence);
        wrong.sort_by(|a, b| surest(a, b).then(a.index.cmp(&b.index)));
        Ok(Evaluation {
            loss: loss_sum / indices.len() as f64,
            confusion,
            wrong,
        })
    }

    /// The first network's logits, and the mean of all networks' probabilities, a pair an image.
    fn predict_batch(&self, images: &[&[u8]]) -> Result<Vec<(Vec<f32>, Prediction)>, NotANumber> {
        let mut results: Vec<(Vec<f32>, Prediction)> = Vec::with_capacity(images.len());
        for (number, member) in self.members.iter().enumerate() {
            let logits = member.model.logits(images);
            for (index, row) in logits.chunks_exact(CLASSES).enumerate() {
                if number == 0 {
                    let probabilities = [0.0; CLASSES];
                    results.push((row.to_vec(), Prediction { probabilities }));
                }
                let mean = &mut results[index].1.probabilities;
                for (mean, p) in mean.iter_mut().zip(probabilities(row)) {
                    *mean += p / self.members.len() as f64;
                }
                if mean.iter().any(|p| p.is_nan()) {
                    return Err(NotANumber);
                }
            }
        }
        Ok(results)
    }
}
