//! A backend's name -> a burn [`Device`].

use std::num::NonZero;

use burn::tensor::Device;
use clap::ValueEnum;
use thiserror::Error;

use crate::kernels::Isa;

/// The backends that `--backend` can name, whether this binary has them or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Backend {
    /// burn's pure Rust CPU backend; the fastest here.
    Flex,
    /// burn's older CPU backend.
    Ndarray,
    /// Graphics cards through Vulkan, Metal, DirectX 12 or OpenGL.
    Wgpu,
}

/// What computes.
#[derive(Debug, Clone)]
pub struct Engine {
    pub backend: Backend,
    /// The backend's device, without autodiff.
    pub device: Device,
    /// Our kernels, for this instruction set, instead of the device's operations.
    pub fused: Option<Isa>,
}

#[derive(Debug, Error)]
pub enum BackendError {
    #[error(
        "the backend {name} is not built into this mnistctl; build it with\n  \
         cargo install --path . --features {name}"
    )]
    NotBuilt { name: &'static str },
    #[error(
        "wgpu finds no graphics adapter it can use: {0}\nTry --backend flex, or install a driver \
         (on Debian without a graphics card: mesa-vulkan-drivers)"
    )]
    NoAdapter(String),
    #[error("can't start {threads} threads: {problem}")]
    Threads { threads: usize, problem: String },
}

impl Backend {
    pub fn name(self) -> &'static str {
        match self {
            Backend::Flex => "flex",
            Backend::Ndarray => "ndarray",
            Backend::Wgpu => "wgpu",
        }
    }

    /// What runs this backend fastest: for flex our own kernels, if `fused` lets them.
    pub fn engine(self, fused: bool) -> Result<Engine, BackendError> {
        Ok(Engine {
            backend: self,
            device: self.device()?,
            fused: (self == Backend::Flex && fused).then(Isa::best),
        })
    }

    /// The device that runs this backend, without autodiff.
    pub fn device(self) -> Result<Device, BackendError> {
        match self {
            #[cfg(feature = "flex")]
            Backend::Flex => Ok(Device::flex()),
            #[cfg(feature = "ndarray")]
            // burn deprecates it in favour of flex; it stays selectable for comparisons.
            #[allow(deprecated)]
            Backend::Ndarray => Ok(Device::ndarray()),
            #[cfg(feature = "wgpu")]
            Backend::Wgpu => wgpu(),
            #[allow(unreachable_patterns)]
            missing => Err(BackendError::NotBuilt {
                name: missing.name(),
            }),
        }
    }
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, BackendError> {
    Device::wgpu_options()
        .init()
        .map_err(|error| BackendError::NoAdapter(error.to_string()))
}

/// Whether `device` is the ndarray backend's, with or without autodiff.
#[cfg(feature = "ndarray")]
pub(crate) fn is_ndarray(device: &Device) -> bool {
    Backend::Ndarray
        .device()
        .is_ok_and(|ndarray| ndarray == *device)
}

/// As many threads as the machine runs at once.
pub fn available_threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Runs `work` in a pool of `threads` threads, which the CPU backends split their work over.
/// Inside the pool is also where they are fastest: called from outside, each of burn's parallel
/// operations first hands its work over to the pool.
pub fn with_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> Result<T, BackendError> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| BackendError::Threads {
            threads,
            problem: error.to_string(),
        })?;
    Ok(pool.install(work))
}

/// A CPU device for unit tests, whichever backend is built in.
#[cfg(test)]
pub(crate) fn any_cpu() -> Device {
    Backend::Flex
        .device()
        .or_else(|_| Backend::Ndarray.device())
        .expect("tests need a CPU backend")
}
