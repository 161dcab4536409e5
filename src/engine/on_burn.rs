//! Networks as burn's operations, on any of burn's devices.
//!
//! Nothing is copied to the host step by step: the logits and the average of the weights stay on the
//! device, which the host would otherwise wait for. Every some steps the logits are read together, and
//! the host finds losses and right answers: on the device these would be half a dozen small kernels a step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use burn::tensor::{Device, Tensor};
use rayon::ThreadPool;

use super::{Engine, Setup, StepFigures, loss};
use crate::dataset::{Batch, Batcher, CLASSES, targets};
use crate::kernels::Arithmetic;
use crate::network::{
    BurnPass, DeviceState, NamedTensor, Parameter, Plan, Role, StateError, to_device,
};
use crate::optimizer::{HostMoment, Moments, OptimizerState};

/// Steps whose logits stay on the device until they are read together.
const READ_EVERY: usize = 32;

/// A network with burn's operations and autodiff, its optimizer, and the moving average of its
/// weights, all of them on a device.
#[derive(Debug)]
pub struct OnBurn {
    setup: Setup,
    /// With autodiff.
    device: Device,
    pool: Arc<ThreadPool>,
    batcher: Batcher,
    images_together: Option<usize>,
    means_in_parts: bool,
    /// Without autodiff; a step gives it to what it trains.
    state: DeviceState,
    average: Option<DeviceState>,
    /// Steps taken, and both moments of each trained parameter: none before the first step.
    steps: u64,
    moments: Vec<[Tensor<1>; 2]>,
    /// Logits `[batch, classes]` of the steps that have not been read, and their labels.
    unread: Vec<(Tensor<2>, Vec<u8>)>,
    /// How often the host has waited for the device.
    reads: AtomicU64,
}

impl OnBurn {
    /// A network with its first weights on `device`; what it computes on the processor is divided
    /// over the threads of `pool`.
    pub fn new(setup: Setup, device: &Device, pool: Arc<ThreadPool>) -> Self {
        let initial = setup.plan.initial_state(setup.seed);
        Self {
            state: to_device(&initial, &device.clone().without_autodiff()),
            device: device.clone().autodiff(),
            pool,
            batcher: Batcher::new(setup.normalize),
            images_together: None,
            means_in_parts: false,
            average: None,
            steps: 0,
            moments: Vec::new(),
            unread: Vec::new(),
            reads: AtomicU64::new(0),
            setup,
        }
    }

    /// Adds up less at a time, for a backend that loses too much in long sums: means over one dimension
    /// after the other, and convolutions of at most so many images, if that is given.
    pub fn add_up_in_parts(&mut self, images_together: Option<usize>) {
        self.means_in_parts = true;
        self.images_together = images_together;
    }

    /// How often the host has waited for the device so far.
    pub fn device_reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }

    /// The loss and its gradients by every trained parameter, with their names and in PyTorch's
    /// order, of a batch in training, without moving a weight.
    pub fn gradients(&mut self, batch: Batch<'_>, random: u64) -> (f64, Vec<NamedTensor>) {
        let pool = Arc::clone(&self.pool);
        pool.install(|| {
            let pass = self.backward(batch, random);
            let loss = f64::from(pass.loss.into_scalar::<f32>());
            let trained = self.setup.plan.parameters().zip(pass.gradients);
            let gradients = trained.filter_map(|((name, parameter), gradient)| {
                Some(NamedTensor {
                    name,
                    shape: parameter.shape.clone(),
                    values: self.host(gradient?),
                })
            });
            let gradients = gradients.collect();
            self.take(pass.updates);
            (loss, gradients)
        })
    }

    /// Forward and backward.
    fn backward(&self, batch: Batch<'_>, random: u64) -> Backward {
        let images = batch.images.iter().copied();
        let images = self.batcher.images(images, &self.device);
        // Dropout draws from the device's generator.
        self.device.seed(random);
        let state: DeviceState = self
            .roles()
            .zip(&self.state)
            .map(|(role, tensor)| match role {
                Role::Trained => tensor.clone().autodiff().require_grad(),
                Role::Mean | Role::Variance => tensor.clone(),
            })
            .collect();
        let mut pass = BurnPass::new(&state)
            .training()
            .with_images_together(self.images_together)
            .with_means_in_parts(self.means_in_parts);
        let logits = pass.logits(&self.setup.plan, images);
        let updates = pass.into_updates();
        // What has been asked for so far is handed over here, in each step at the same place: burn makes
        // kernels of several operations, and finds them again in what follows.
        let handed_over = self.device.clone().without_autodiff().flush();
        handed_over.expect("a device that works takes its work");
        let targets = targets(batch.labels, &self.device);
        let loss = loss::loss(self.setup.criterion, logits.clone(), targets);
        let gradients = loss.backward();
        Backward {
            loss: loss.without_autodiff(),
            logits: logits.without_autodiff(),
            gradients: state.iter().map(|tensor| tensor.grad(&gradients)).collect(),
            updates,
        }
    }

    fn roles(&self) -> impl Iterator<Item = Role> {
        self.setup
            .plan
            .parameters()
            .map(|(_, parameter)| parameter.role)
    }

    /// Puts new values into the state.
    fn take(&mut self, updates: Vec<(usize, Tensor<1>)>) {
        for (place, value) in updates {
            self.state[place] = value;
        }
    }

    /// Shortens the gradients to `max_norm` when all of them together are longer, as
    /// `torch.nn.utils.clip_grad_norm_` does, without looking at the norm.
    fn clip(gradients: &mut [Option<Tensor<1>>], max_norm: f64) {
        let squares = gradients.iter().flatten();
        let squares: Vec<_> = squares.map(|g| g.clone().square().sum()).collect();
        if squares.is_empty() {
            return;
        }
        let norm = Tensor::cat(squares, 0).sum().sqrt();
        // With PyTorch's 1e-6.
        let factor = (norm + 1e-6).recip() * max_norm;
        let factor = factor.clamp_max(1.0);
        for gradient in gradients.iter_mut().flatten() {
            *gradient = gradient.clone() * factor.clone();
        }
    }

    /// Moves every trained parameter one step against its gradient.
    fn update(&mut self, lr: f64, gradients: Vec<Option<Tensor<1>>>) {
        self.steps += 1;
        let rule = self.setup.optimizer.rule(lr, self.steps);
        self.fill_moments();
        // Only what is trained has a gradient, and all of it has: its layers all ran.
        let gradients = self.state.iter_mut().zip(gradients);
        let trained = gradients.filter_map(|(tensor, gradient)| Some((tensor, gradient?)));
        for ((tensor, gradient), moments) in trained.zip(&mut self.moments) {
            let mut own = moments.clone().map(OnDevice);
            let value = rule.step(OnDevice(tensor.clone()), OnDevice(gradient), &mut own);
            *tensor = value.0;
            *moments = own.map(|moment| moment.0);
        }
    }

    /// Makes moments of zeros where there are none yet.
    fn fill_moments(&mut self) {
        if !self.moments.is_empty() {
            return;
        }
        let trained = self.roles().zip(&self.state);
        let trained = trained.filter(|(role, _)| *role == Role::Trained);
        let keeps = self.setup.optimizer.moments();
        self.moments = trained
            .map(|(_, tensor)| {
                // What the optimizer keeps no moment of has a single zero in its place.
                keeps.map(|keeps| {
                    if keeps {
                        tensor.zeros_like()
                    } else {
                        Tensor::zeros([1], &tensor.device())
                    }
                })
            })
            .collect();
    }

    /// Moves the average towards the weights; it begins as a copy of them.
    fn move_average(&mut self, decay: f64) {
        let Some(average) = &mut self.average else {
            self.average = Some(self.state.clone());
            return;
        };
        for (average, now) in average.iter_mut().zip(&self.state) {
            let way = now.clone() - average.clone();
            *average = average.clone() + way * (1.0 - decay);
        }
    }

    /// A tensor's values, for which the host waits.
    fn host(&self, tensor: Tensor<1>) -> Vec<f32> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let data = tensor.into_data();
        data.try_into_vec()
            .expect("networks are f32 on every backend")
    }

    fn named(&self, state: &[Tensor<1>]) -> Vec<NamedTensor> {
        let all = self.setup.plan.parameters().zip(state);
        all.map(|((name, Parameter { shape, .. }), tensor)| NamedTensor {
            name,
            shape: shape.clone(),
            values: self.host(tensor.clone()),
        })
        .collect()
    }

    fn read(&self, tensors: &[NamedTensor]) -> Result<DeviceState, StateError> {
        let found = self.setup.plan.check_state(tensors)?;
        let device = self.device.clone().without_autodiff();
        Ok(to_device(found, &device))
    }
}

/// What forward and backward give.
struct Backward {
    /// The mean loss `[1]`.
    loss: Tensor<1>,
    /// `[batch, classes]`.
    logits: Tensor<2>,
    /// In the plan's order; `None` for what isn't trained.
    gradients: Vec<Option<Tensor<1>>>,
    /// New running statistics, with their places in the state.
    updates: Vec<(usize, Tensor<1>)>,
}

impl Engine for OnBurn {
    fn step(&mut self, batch: Batch<'_>, lr: f64, random: u64) -> Vec<StepFigures> {
        let pool = Arc::clone(&self.pool);
        pool.install(|| {
            let mut pass = self.backward(batch, random);
            self.take(std::mem::take(&mut pass.updates));
            if let Some(max_norm) = self.setup.clip_grad_norm {
                Self::clip(&mut pass.gradients, max_norm);
            }
            self.update(lr, pass.gradients);
            if let Some(decay) = self.setup.ema_decay {
                self.move_average(decay);
            }
            self.unread.push((pass.logits, batch.labels.to_vec()));
        });
        if self.unread.len() < READ_EVERY {
            return Vec::new();
        }
        self.flush()
    }

    fn flush(&mut self) -> Vec<StepFigures> {
        if self.unread.is_empty() {
            return Vec::new();
        }
        let pool = Arc::clone(&self.pool);
        pool.install(|| {
            let (logits, labels): (Vec<_>, Vec<_>) = self.unread.drain(..).unzip();
            let logits = self.host(Tensor::cat(logits, 0).flatten(0, 1));
            let mut logits = &logits[..];
            let of_step = |labels: Vec<u8>| {
                let (own, rest) = logits.split_at(labels.len() * CLASSES);
                logits = rest;
                let mut figures = StepFigures::default();
                figures.add_logits(self.setup.criterion, own, &labels);
                figures
            };
            labels.into_iter().map(of_step).collect()
        })
    }

    fn logits(&self, images: &[&[u8]]) -> Vec<f32> {
        self.pool.install(|| {
            let device = self.device.clone().without_autodiff();
            let input = self.batcher.images(images.iter().copied(), &device);
            let state = self.average.as_ref().unwrap_or(&self.state);
            let mut pass = BurnPass::new(state).with_images_together(self.images_together);
            let logits = pass.logits(&self.setup.plan, input);
            self.host(logits.flatten(0, 1))
        })
    }

    fn state(&self) -> Vec<NamedTensor> {
        self.pool.install(|| self.named(&self.state))
    }

    fn load_state(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        self.state = self.read(tensors)?;
        Ok(())
    }

    fn average(&self) -> Option<Vec<NamedTensor>> {
        let average = self.average.as_ref()?;
        Some(self.pool.install(|| self.named(average)))
    }

    fn load_average(&mut self, tensors: &[NamedTensor]) -> Result<(), StateError> {
        self.average = Some(self.read(tensors)?);
        Ok(())
    }

    fn optimizer_state(&self) -> OptimizerState {
        let [first, second] = self.setup.optimizer.moments();
        let moment = |keeps: bool, tensor: &Tensor<1>| -> HostMoment {
            keeps.then(|| self.host(tensor.clone()))
        };
        let trained = trained(&self.setup.plan).zip(&self.moments);
        self.pool.install(|| OptimizerState {
            steps: self.steps,
            moments: trained
                .map(|((name, _), moments)| Moments {
                    name,
                    first: moment(first, &moments[0]),
                    second: moment(second, &moments[1]),
                })
                .collect(),
        })
    }

    fn load_optimizer_state(&mut self, state: &OptimizerState) -> Result<(), String> {
        state.check(&self.setup.plan)?;
        self.steps = state.steps;
        self.moments = Vec::new();
        self.fill_moments();
        let device = self.device.clone().without_autodiff();
        for (own, moments) in self.moments.iter_mut().zip(&state.moments) {
            for (own, values) in own.iter_mut().zip([&moments.first, &moments.second]) {
                if let Some(values) = values {
                    *own = Tensor::from_floats(&values[..], &device);
                }
            }
        }
        Ok(())
    }
}

/// The names of a plan's trained parameters.
fn trained(plan: &Plan) -> impl Iterator<Item = (String, &Parameter)> {
    plan.parameters()
        .filter(|(_, parameter)| parameter.role == Role::Trained)
}

/// A parameter's values on a device, for an optimizer's rule.
#[derive(Clone)]
struct OnDevice(Tensor<1>);

impl Arithmetic for OnDevice {
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    fn mul(self, other: Self) -> Self {
        Self(self.0 * other.0)
    }

    fn div(self, other: Self) -> Self {
        Self(self.0 / other.0)
    }

    fn sqrt(self) -> Self {
        Self(self.0.sqrt())
    }

    fn scale(self, factor: f32) -> Self {
        Self(self.0 * factor)
    }

    fn scale_offset(self, factor: f32, number: f32) -> Self {
        Self(self.0 * factor + number)
    }

    fn scale_add(self, factor: f32, addend: Self) -> Self {
        if factor == 0.0 {
            return addend;
        }
        Self(self.0 * factor + addend.0)
    }

    /// Devices compute as fast with the smallest numbers as with others, and beside the eps that a
    /// recipe may have they are nothing.
    fn flush(self, _least: f32) -> Self {
        self
    }
}
