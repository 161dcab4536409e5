//! The backends that `--backend` names, and the engines they are.

use std::num::NonZero;
use std::sync::Arc;

use super::error::EngineError;
use super::{Engine, Native, OnBurn, Setup};
use crate::kernels::Isa;
use burn::tensor::Device;
use clap::ValueEnum;
use rayon::{ThreadPool, ThreadPoolBuilder};

/// The backends that `--backend` can name, whether this binary has them or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// Our own kernels for the processor; the fastest here.
    Native,
    /// burn's operations on the processor, by its pure Rust backend.
    Flex,
    /// burn's operations on the processor, by its older backend.
    Ndarray,
    /// burn's operations on graphics cards, through Vulkan, Metal, DirectX 12 or OpenGL.
    Wgpu,
}

/// A backend on this machine.
#[derive(Debug, Clone)]
pub struct Compute {
    pub backend: Backend,
    runs_on: RunsOn,
    pub threads: usize,
}

#[derive(Debug, Clone)]
enum RunsOn {
    Kernels(Isa),
    /// burn's device, and the threads that its CPU backends divide their work over.
    Device(Device, Arc<ThreadPool>),
}

/// How many images ndarray convolves at once.
///
/// burn 0.22.1's processor backends add up one term after the other. For the first conv of a batch of
/// 64 these are 43,264 terms that nearly cancel (a BatchNorm follows): in a mean over all of them, and
/// on ndarray in the gradient of a conv's weights too. What f32 loses there takes a training run
/// 1.2e-4 to 2.4e-4 away from PyTorch's within 20 steps; in parts it stays within 1e-5, to which
/// `tests/golden.rs` holds both.
const FEW_IMAGES: usize = 4;

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Backend::Native => "native",
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
        }
    }

    /// The backend on this machine, with this many threads for what runs on the processor.
    ///
    /// # Errors
    /// When it is not built in, or there is nothing here that it could run on.
    pub fn compute(self, threads: usize) -> Result<Compute, EngineError> {
        let runs_on = match self.device()? {
            None => RunsOn::Kernels(Isa::best()),
            Some(device) => RunsOn::Device(device, Arc::new(pool(threads)?)),
        };
        Ok(Compute {
            backend: self,
            runs_on,
            threads,
        })
    }

    /// burn's device of this backend, without autodiff; `None` for our kernels.
    pub(super) fn device(self) -> Result<Option<Device>, EngineError> {
        match self {
            Backend::Native => Ok(None),
            #[cfg(feature = "flex")]
            Backend::Flex => Ok(Some(Device::flex())),
            #[cfg(feature = "ndarray")]
            // burn deprecates it in favour of flex; it stays selectable for comparisons.
            #[allow(deprecated)]
            Backend::Ndarray => Ok(Some(Device::ndarray())),
            #[cfg(feature = "wgpu")]
            Backend::Wgpu => wgpu().map(Some),
            #[allow(unreachable_patterns)]
            missing => Err(EngineError::NotBuilt {
                name: missing.name(),
            }),
        }
    }
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, EngineError> {
    Device::wgpu_options()
        .init()
        .map_err(|error| EngineError::NoAdapter(error.to_string()))
}

impl Compute {
    /// Our kernels on a certain instruction set of this processor.
    pub fn on_isa(isa: Isa, threads: usize) -> Self {
        Self {
            backend: Backend::Native,
            runs_on: RunsOn::Kernels(isa),
            threads,
        }
    }

    /// The instruction set that our kernels use: it decides the last bits of a result. `None` for
    /// burn's backends.
    pub fn isa(&self) -> Option<&'static str> {
        match &self.runs_on {
            RunsOn::Kernels(isa) => Some(isa.name()),
            RunsOn::Device(..) => None,
        }
    }

    /// An engine with a network's first weights.
    ///
    /// # Errors
    /// When this backend can't run one of the network's layers.
    pub fn engine(&self, setup: Setup) -> Result<Box<dyn Engine>, EngineError> {
        Ok(match &self.runs_on {
            RunsOn::Kernels(isa) => Box::new(Native::new(setup, *isa, self.threads)?),
            RunsOn::Device(device, pool) => {
                let mut engine = OnBurn::new(setup, device, Arc::clone(pool));
                match self.backend {
                    Backend::Flex => engine.add_up_in_parts(None),
                    Backend::Ndarray => engine.add_up_in_parts(Some(FEW_IMAGES)),
                    Backend::Native | Backend::Wgpu => {}
                }
                Box::new(engine)
            }
        })
    }
}

/// As many threads as the machine runs at once.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

fn pool(threads: usize) -> Result<ThreadPool, EngineError> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| EngineError::Threads {
            threads,
            problem: error.to_string(),
        })
}

/// Runs `work` in a pool of `threads` threads, over which the work on many pictures is divided.
pub fn with_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, EngineError> {
    Ok(pool(threads)?.install(work))
}
