//! A layer that is a function of each value by itself, and learns nothing.

use std::fmt::Debug;

use burn::tensor::Tensor;

use super::Function;
use crate::kernels::{Lanes, Place, Pointwise};
use crate::network::burn_form::{Activations, BurnPass};
use crate::network::kernel_form::{KernelForm, Unsupported};
use crate::network::layer::Layer;
use crate::network::onnx_form::OnnxForm;
use crate::network::parameter::Parameter;
use crate::network::shape::Shape;
use crate::network::torch_form::{TorchForm, call};
use crate::schema::{SchemaError, Section};

/// A function of each value by itself. Its shapes, its place in a network and what else makes a
/// [`Layer`] follow from that.
pub trait Activation: Debug + Copy {
    /// PyTorch's name of it, without `torch.nn`.
    const TORCH_NAME: &'static str;

    /// Reads the function's keys, with their defaults and checks.
    fn read(section: &Section<'_>) -> Result<Self, SchemaError>;

    /// The layer in a few words, such as `leaky_relu 0.01`.
    fn describe(&self) -> String;

    /// Whether a larger input never gives a smaller output: then it can trade places with
    /// max-pooling, which leaves it fewer values to compute.
    fn is_monotone(self) -> bool;

    /// With burn's operations.
    fn on_burn<const D: usize>(self, x: Tensor<D>) -> Tensor<D>;

    /// As operations of an ONNX graph; returns the name of the last one's output.
    fn on_onnx(self, form: &mut OnnxForm<'_>, input: String) -> String;

    /// The arguments of PyTorch's module that are not its defaults.
    fn torch_argument(self) -> Option<String> {
        None
    }

    /// On registers.
    fn apply<V: Lanes>(self, x: V) -> V;

    /// The derivative at `x`, where the function's value is `y`.
    fn derivative<V: Lanes>(self, x: V, y: V) -> V;

    /// Whether it is exactly ReLU, for which the kernels have loops of their own.
    fn is_relu(self) -> bool {
        false
    }
}

impl<A: Activation + Into<Function>> Layer for A {
    fn read(section: &Section<'_>) -> Result<Self, SchemaError> {
        A::read(section)
    }

    fn describe(&self) -> String {
        Activation::describe(self)
    }

    fn output(&self, input: Shape) -> Result<Shape, String> {
        Ok(input)
    }

    fn parameters(&self, _input: Shape) -> Vec<Parameter> {
        Vec::new()
    }

    fn activation(&self) -> Option<&'static str> {
        Some(A::TORCH_NAME)
    }

    fn on_burn(&self, _pass: &mut BurnPass<'_>, input: Activations) -> Activations {
        match input {
            Activations::Maps(x) => Activations::Maps(Activation::on_burn(*self, x)),
            Activations::Features(x) => Activations::Features(Activation::on_burn(*self, x)),
        }
    }

    fn on_kernels(&self, form: &mut KernelForm<'_>) -> Result<(), Unsupported> {
        form.pointwise((*self).into());
        Ok(())
    }

    fn on_onnx(&self, form: &mut OnnxForm<'_>, input: String) -> String {
        Activation::on_onnx(*self, form, input)
    }

    fn in_torch(&self, _form: TorchForm<'_>) -> String {
        call(A::TORCH_NAME, &[], [self.torch_argument()])
    }
}

impl<A: Activation + Send + Sync> Pointwise for A {
    #[inline(always)]
    fn is_relu(self) -> bool {
        Activation::is_relu(self)
    }

    #[inline(always)]
    fn is_monotone(self) -> bool {
        Activation::is_monotone(self)
    }

    #[inline(always)]
    fn apply<V: Lanes>(self, x: V, _place: Place) -> V {
        Activation::apply(self, x)
    }

    #[inline(always)]
    fn derivative<V: Lanes>(self, x: V, y: V, _place: Place) -> V {
        Activation::derivative(self, x, y)
    }
}
