//! A network as burn's operations.

use burn::tensor::{Device, Tensor, TensorData};

use super::named_tensor::NamedTensor;
use super::plan::{Plan, PlannedLayer};

/// A batch's activations between two layers.
#[derive(Debug, Clone)]
pub enum Activations {
    /// `[batch, channels, height, width]`.
    Maps(Tensor<4>),
    /// `[batch, features]`.
    Features(Tensor<2>),
}

impl Activations {
    /// # Panics
    /// For a vector, which a [`Plan`] lets no layer meet that needs feature maps.
    pub fn into_maps(self) -> Tensor<4> {
        match self {
            Activations::Maps(x) => x,
            Activations::Features(_) => unreachable!("a plan has checked the shapes"),
        }
    }

    /// # Panics
    /// For feature maps, which a [`Plan`] lets no layer meet that needs a vector.
    pub fn into_features(self) -> Tensor<2> {
        match self {
            Activations::Features(x) => x,
            Activations::Maps(_) => unreachable!("a plan has checked the shapes"),
        }
    }
}

/// The tensors of a network on a device, in the plan's order, each flattened to `[elements]`: so all
/// of them are of one type, whatever their layers make of them.
pub type DeviceState = Vec<Tensor<1>>;

/// Host tensors, in the plan's order, on a device.
pub fn to_device<'a>(
    tensors: impl IntoIterator<Item = &'a NamedTensor>,
    device: &Device,
) -> DeviceState {
    let tensors = tensors.into_iter();
    tensors
        .map(|tensor| {
            let data = TensorData::new(tensor.values.clone(), [tensor.values.len()]);
            Tensor::from_data(data, device)
        })
        .collect()
}

/// One pass of a batch through a network.
#[derive(Debug)]
pub struct BurnPass<'a> {
    state: &'a [Tensor<1>],
    training: bool,
    images_together: Option<usize>,
    means_in_parts: bool,
    /// The layer that is running.
    current: Option<&'a PlannedLayer>,
    /// New values of buffers: their places in the state, and what they become.
    updates: Vec<(usize, Tensor<1>)>,
}

impl<'a> BurnPass<'a> {
    /// A pass in evaluation.
    pub fn new(state: &'a [Tensor<1>]) -> Self {
        Self {
            state,
            training: false,
            images_together: None,
            means_in_parts: false,
            current: None,
            updates: Vec::new(),
        }
    }

    /// As in training: BatchNorm uses the batch's statistics. Dropout drops when the images are on an
    /// autodiff device.
    #[must_use]
    pub fn training(self) -> Self {
        Self {
            training: true,
            ..self
        }
    }

    /// Convolves at most this many images at once.
    #[must_use]
    pub fn with_images_together(self, images: Option<usize>) -> Self {
        Self {
            images_together: images,
            ..self
        }
    }

    /// Takes means over one dimension after the other, so that the sums are the shorter.
    #[must_use]
    pub fn with_means_in_parts(self, in_parts: bool) -> Self {
        Self {
            means_in_parts: in_parts,
            ..self
        }
    }

    /// Logits `[batch, 10]` of normalised images `[batch, 1, 28, 28]`.
    pub fn logits(&mut self, plan: &'a Plan, images: Tensor<4>) -> Tensor<2> {
        self.run(&plan.layers, Activations::Maps(images))
            .into_features()
    }

    /// What this pass has made of buffers: their places in the state, and their new values.
    pub fn into_updates(self) -> Vec<(usize, Tensor<1>)> {
        self.updates
    }

    /// Runs layers one after the other.
    pub fn run(&mut self, layers: &'a [PlannedLayer], input: Activations) -> Activations {
        layers.iter().fold(input, |x, planned| {
            let outer = self.current.replace(planned);
            let output = planned.spec.as_layer().on_burn(self, x);
            self.current = outer;
            output
        })
    }

    /// Runs one of the lists of layers inside the current one.
    pub fn run_inner(&mut self, list: usize, input: Activations) -> Activations {
        let inner = self.current.map_or(&[][..], |layer| &layer.inner[list]);
        self.run(inner, input)
    }

    pub fn is_training(&self) -> bool {
        self.training
    }

    /// How many images a layer should take at most at once, where the backend computes more exactly
    /// with few.
    pub fn images_together(&self) -> Option<usize> {
        self.images_together
    }

    /// Whether means should be taken over one dimension after the other, where the backend loses too
    /// much in long sums.
    pub fn means_in_parts(&self) -> bool {
        self.means_in_parts
    }

    /// The current layer's tensor at this place among its parameters.
    ///
    /// # Panics
    /// When the layer has fewer, or it has another number of dimensions.
    pub fn tensor<const D: usize>(&self, place: usize) -> Tensor<D> {
        let layer = self.current.expect("only layers that run ask for tensors");
        let shape: [usize; D] = layer.parameters[place]
            .shape
            .as_slice()
            .try_into()
            .expect("a layer knows its own parameters");
        self.state[layer.first_parameter + place]
            .clone()
            .reshape(shape)
    }

    /// Gives the current layer's buffer at this place a new value.
    pub fn update(&mut self, place: usize, value: Tensor<1>) {
        let layer = self.current.expect("only layers that run have buffers");
        self.updates.push((layer.first_parameter + place, value));
    }
}
