//! The parts of a checkpoint as they stand in the file, and whether each makes sense by itself.
//!
//! Both versions of the format are read into the same types. Version 1 has no `backend` and `isa`
//! beside the recipe, but a `backend` in its resume part, and moments without names, as
//! [`burn_order`] describes.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::bounded::{at_most, some_at_most};
use super::contents::Resume;
use crate::engine::Backend;
use crate::network::{NamedTensor, Plan};
use crate::optimizer::{Moments, OptimizerState};
use crate::training::burn_order;
use crate::training::computed_by::ComputedBy;
use crate::training::metrics::Epoch;
use crate::training::running_metrics::RunningMetrics;
use crate::training::scheduler::SchedulerState;

/// The version that is written. This one and those before it are read.
pub const VERSION: u32 = 2;

/// The most epochs a recipe can ask for.
const MAX_EPOCHS: usize = 100_000;

/// The tensors of 200 BatchNorm layers, the most layers that a recipe can list.
const MAX_TENSORS: usize = 800;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub format: String,
    pub version: u32,
    pub recipe: String,
    #[serde(default)]
    pub backend: Option<String>,
    #[serde(default)]
    pub isa: Option<String>,
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
    #[serde(rename = "tally")]
    pub running: RunningMetrics,
    #[serde(default)]
    pub seconds: f64,
    pub scheduler: SchedulerState,
    pub optimizer_steps: u64,
    /// The moments of version 2, in a list by parameters.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, MAX_TENSORS>"
    )]
    pub moments: Option<Vec<WireMoments>>,
    /// The moments of version 1: two entries for each parameter, its first and second moment, empty
    /// where it has none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, MAX_TENSORS>"
    )]
    pub optimizer_moments: Option<Vec<ByteBuf>>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "some_at_most::<_, _, MAX_TENSORS>"
    )]
    pub weights: Option<Vec<WireTensor>>,
    /// The backend in version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<String>,
    pub data: String,
    pub sha256: String,
    pub limit: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WireMoments {
    pub name: String,
    pub first: Option<ByteBuf>,
    pub second: Option<ByteBuf>,
}

impl Document {
    /// Whether the keys in which the versions differ are those of this document's version.
    pub fn check_version(&self) -> Result<(), String> {
        let old = self.version == 1;
        let top = self.backend.is_some() || self.isa.is_some();
        let resume = self.resume.as_ref();
        let top_fits = !(old && top);
        let resume_fits = resume.is_none_or(|resume| {
            resume.optimizer_moments.is_some() == old
                && resume.backend.is_some() == old
                && resume.moments.is_some() != old
        });
        if top_fits && resume_fits {
            Ok(())
        } else {
            Err(format!(
                "its keys are not those of version {}",
                self.version
            ))
        }
    }

    /// What computed, as far as the document says.
    pub fn computed_by(&self) -> Result<Option<ComputedBy>, String> {
        let resume = self.resume.as_ref();
        let old = resume.and_then(|resume| resume.backend.as_deref());
        let computed_by = match (&self.backend, &self.isa, old) {
            (Some(backend), isa, _) => ComputedBy {
                backend: backend.clone(),
                isa: isa.clone(),
            },
            // What version 1 called flex were our kernels, unless a hidden flag said otherwise.
            (None, None, Some("flex")) => ComputedBy {
                backend: Backend::Native.name().into(),
                isa: None,
            },
            (None, None, Some(backend)) => ComputedBy {
                backend: backend.into(),
                isa: None,
            },
            (None, None, None) => return Ok(None),
            (None, Some(_), _) => {
                return Err("it names an instruction set, but no backend".into());
            }
        };
        for (what, name) in [
            ("backend", Some(&computed_by.backend)),
            ("instruction set", computed_by.isa.as_ref()),
        ] {
            if name.is_some_and(|name| !is_plain_name(name)) {
                return Err(format!("it names a {what} that no version of mnistctl has"));
            }
        }
        Ok(Some(computed_by))
    }
}

/// Short, and of letters, digits and hyphens: it stands in messages and in the commands that they
/// name.
fn is_plain_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    name.len() <= 32 && name.bytes().all(plain)
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

impl From<&Moments> for WireMoments {
    fn from(moments: &Moments) -> Self {
        let bytes = |moment: &Option<Vec<f32>>| {
            let values = moment.as_deref()?;
            Some(ByteBuf::from(to_bytes(values)))
        };
        Self {
            name: moments.name.clone(),
            first: bytes(&moments.first),
            second: bytes(&moments.second),
        }
    }
}

impl WireMoments {
    fn check(self) -> Result<Moments, String> {
        let values = |bytes: Option<ByteBuf>| bytes.as_ref().map(moment).transpose();
        Ok(Moments {
            name: self.name,
            first: values(self.first)?,
            second: values(self.second)?,
        })
    }
}

fn moment(bytes: &ByteBuf) -> Result<Vec<f32>, String> {
    if !bytes.len().is_multiple_of(4) {
        return Err("the optimizer's moments are incomplete".into());
    }
    Ok(from_bytes(bytes))
}

/// Version 1's moments, which are in pairs.
fn version_1_moments(
    steps: u64,
    moments: &[ByteBuf],
    plan: &Plan,
) -> Result<OptimizerState, String> {
    let values = |bytes: &ByteBuf| -> Result<Option<Vec<f32>>, String> {
        let values = moment(bytes)?;
        Ok((!values.is_empty()).then_some(values))
    };
    let (pairs, rest) = moments.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("the optimizer's moments are incomplete".into());
    }
    let pair = |[first, second]: &[ByteBuf; 2]| Ok((values(first)?, values(second)?));
    let pairs = pairs.iter().map(pair).collect::<Result<_, String>>()?;
    burn_order::to_pytorch(steps, pairs, plan)
}

impl From<&Resume> for WireResume {
    fn from(resume: &Resume) -> Self {
        let moments = &resume.optimizer.moments;
        let weights = resume.weights.as_ref();
        Self {
            step: resume.step,
            running: resume.running,
            seconds: resume.seconds,
            scheduler: resume.scheduler.clone(),
            optimizer_steps: resume.optimizer.steps,
            moments: Some(moments.iter().map(WireMoments::from).collect()),
            optimizer_moments: None,
            weights: weights.map(|tensors| tensors.iter().map(WireTensor::from).collect()),
            backend: None,
            data: resume.data.clone(),
            sha256: resume.sha256.clone(),
            limit: resume.limit,
        }
    }
}

impl WireResume {
    /// The state, of a network of this plan.
    pub fn check(self, plan: &Plan) -> Result<Resume, String> {
        if !self.scheduler.lr.is_finite() || self.scheduler.lr < 0.0 {
            return Err("the learning rate is not one that a run can have".into());
        }
        if !self.seconds.is_finite() || self.seconds < 0.0 {
            return Err("the time of the unfinished epoch is impossible".into());
        }
        let steps = self.optimizer_steps;
        let optimizer = match (self.moments, self.optimizer_moments) {
            (Some(moments), _) => OptimizerState {
                steps,
                moments: moments
                    .into_iter()
                    .map(WireMoments::check)
                    .collect::<Result<_, _>>()?,
            },
            (None, moments) => version_1_moments(steps, &moments.unwrap_or_default(), plan)?,
        };
        Ok(Resume {
            step: self.step,
            running: self.running,
            seconds: self.seconds,
            scheduler: self.scheduler,
            optimizer,
            weights: self
                .weights
                .map(|tensors| tensors.into_iter().map(WireTensor::check).collect())
                .transpose()?,
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
    let (values, _) = bytes.as_chunks::<4>();
    values.iter().map(|&b| f32::from_le_bytes(b)).collect()
}
