//! The parts of a checkpoint as they stand in the file, and whether each makes sense by itself.

use serde::{Deserialize, Serialize};

use crate::network::NamedTensor;
use crate::training::bounded::{at_most, some_at_most};
use crate::training::checkpoint::Resume;
use crate::training::metrics::Epoch;
use crate::training::optimizer::OptimizerState;
use crate::training::scheduler::SchedulerState;
use crate::training::tally::Tally;

/// The most epochs a recipe can ask for.
const MAX_EPOCHS: usize = 100_000;

/// Of 200 layers, the most a recipe can list, each of them a BatchNorm.
const MAX_TENSORS: usize = 800;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub format: String,
    pub version: u32,
    pub recipe: String,
    pub normalize: WireNormalize,
    #[serde(deserialize_with = "at_most::<_, _, MAX_EPOCHS>")]
    pub metrics: Vec<Epoch>,
    #[serde(deserialize_with = "at_most::<_, _, MAX_TENSORS>")]
    pub tensors: Vec<WireTensor>,
    pub resume: Option<WireResume>,
}

/// The part that every version has, read first.
#[derive(Deserialize)]
pub struct Header {
    pub format: String,
    pub version: u32,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct WireNormalize {
    pub mean: f64,
    pub std: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireTensor {
    pub name: String,
    #[serde(deserialize_with = "at_most::<_, _, 4>")]
    pub shape: Vec<u64>,
    pub dtype: String,
    #[serde(with = "serde_bytes")]
    pub data: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireResume {
    pub step: u64,
    pub tally: Tally,
    #[serde(default)]
    pub seconds: f64,
    pub scheduler: SchedulerState,
    pub optimizer_steps: u64,
    /// Two entries a parameter: first and second moment, empty where there is none.
    #[serde(deserialize_with = "at_most::<_, _, MAX_TENSORS>")]
    pub optimizer_moments: Vec<serde_bytes::ByteBuf>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, MAX_TENSORS>"
    )]
    pub weights: Option<Vec<WireTensor>>,
    pub backend: String,
    pub data: String,
    pub sha256: String,
    pub limit: Option<u64>,
}

impl From<&NamedTensor> for WireTensor {
    fn from(tensor: &NamedTensor) -> Self {
        Self {
            name: tensor.name.clone(),
            shape: tensor.shape.iter().map(|&side| side as u64).collect(),
            dtype: "f32".into(),
            data: to_bytes(&tensor.values),
        }
    }
}

impl WireTensor {
    pub fn check(self) -> Result<NamedTensor, String> {
        if self.dtype != "f32" {
            return Err(format!(
                "the tensor {} has the dtype `{}`, and only f32 exists",
                shown(&self.name),
                shown(&self.dtype)
            ));
        }
        let elements = self
            .shape
            .iter()
            .try_fold(1u64, |product, &side| product.checked_mul(side))
            .and_then(|elements| elements.checked_mul(4));
        if elements != Some(self.data.len() as u64) {
            return Err(format!(
                "the tensor {} has the shape {:?} but {} bytes of data",
                shown(&self.name),
                self.shape,
                self.data.len()
            ));
        }
        Ok(NamedTensor {
            name: self.name,
            shape: self.shape.iter().map(|&side| side as usize).collect(),
            values: from_bytes(&self.data),
        })
    }
}

impl From<&Resume> for WireResume {
    fn from(resume: &Resume) -> Self {
        let bytes = |moment: &Option<Vec<f32>>| {
            serde_bytes::ByteBuf::from(to_bytes(moment.as_deref().unwrap_or(&[])))
        };
        let moments = resume.optimizer.moments.iter();
        Self {
            step: resume.step,
            tally: resume.tally,
            seconds: resume.seconds,
            scheduler: resume.scheduler.clone(),
            optimizer_steps: resume.optimizer.steps,
            optimizer_moments: moments
                .flat_map(|(first, second)| [bytes(first), bytes(second)])
                .collect(),
            weights: resume
                .weights
                .as_ref()
                .map(|tensors| tensors.iter().map(WireTensor::from).collect()),
            backend: resume.backend.clone(),
            data: resume.data.clone(),
            sha256: resume.sha256.clone(),
            limit: resume.limit,
        }
    }
}

impl WireResume {
    pub fn check(self) -> Result<Resume, String> {
        if !self
            .optimizer_moments
            .iter()
            .all(|m| m.len().is_multiple_of(4))
            || !self.optimizer_moments.len().is_multiple_of(2)
        {
            return Err("the optimizer's moments are incomplete".into());
        }
        if !self.scheduler.lr.is_finite() || self.scheduler.lr < 0.0 {
            return Err("the learning rate is not a number it could have written".into());
        }
        if !self.seconds.is_finite() || self.seconds < 0.0 {
            return Err("the time its epoch took is not one it could have taken".into());
        }
        let values = |bytes: &serde_bytes::ByteBuf| match bytes.is_empty() {
            true => None,
            false => Some(from_bytes(bytes)),
        };
        Ok(Resume {
            step: self.step,
            tally: self.tally,
            seconds: self.seconds,
            scheduler: self.scheduler,
            optimizer: OptimizerState {
                steps: self.optimizer_steps,
                moments: self
                    .optimizer_moments
                    .chunks_exact(2)
                    .map(|pair| (values(&pair[0]), values(&pair[1])))
                    .collect(),
            },
            weights: self
                .weights
                .map(|tensors| tensors.into_iter().map(WireTensor::check).collect())
                .transpose()?,
            backend: self.backend,
            data: self.data,
            sha256: self.sha256,
            limit: self.limit,
        })
    }
}

/// The beginning of a text from a file, for messages.
pub fn shown(text: &str) -> String {
    text.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}

fn to_bytes(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn from_bytes(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}
