//! Batch normalisation as part of the convolution or linear layer before it.

use crate::network::{NamedTensor, OnnxAttribute, OnnxNode};

/// ONNX's default.
const EPSILON: f32 = 1e-5;

/// Folds each `BatchNormalization` that follows a `Conv` or a `Gemm`, whose output nothing else reads,
/// into its weights and bias: `w * scale` and `(b - mean) * scale + shift`, with a scale of
/// `weight / sqrt(variance + epsilon)`, computed in double precision.
pub fn fold(nodes: &mut Vec<OnnxNode>, constants: &mut Vec<NamedTensor>) {
    while let Some((layer, norm)) = pair(nodes) {
        let norm = nodes.remove(norm);
        let [_, tensors @ ..] = &norm.inputs[..] else {
            unreachable!("a normalisation has inputs");
        };
        let taken: Vec<NamedTensor> = tensors.iter().map(|name| take(constants, name)).collect();
        let [weight, shift, mean, variance] = &taken[..] else {
            unreachable!("a normalisation has four tensors");
        };
        let epsilon = norm.attributes.iter().find_map(|(_, value)| match value {
            OnnxAttribute::Float(epsilon) => Some(*epsilon),
            _ => None,
        });
        let epsilon = f64::from(epsilon.unwrap_or(EPSILON));
        let deviation = variance
            .values
            .iter()
            .map(|&v| (f64::from(v) + epsilon).sqrt());
        let scales = weight.values.iter().zip(deviation);
        let scales: Vec<f64> = scales.map(|(&w, d)| f64::from(w) / d).collect();

        let node = &mut nodes[layer];
        let weights = constants
            .iter_mut()
            .find(|tensor| tensor.name == node.inputs[1]);
        if let Some(weights) = weights {
            let row = weights.values.len() / scales.len();
            for (row, scale) in weights.values.chunks_exact_mut(row).zip(&scales) {
                row.iter_mut()
                    .for_each(|w| *w = (f64::from(*w) * scale) as f32);
            }
        }
        let old = node.inputs.get(2).map(|name| take(constants, name));
        let old = old.map_or_else(|| vec![0.0; scales.len()], |tensor| tensor.values);
        let bias = old.iter().enumerate().map(|(channel, &b)| {
            let centred = f64::from(b) - f64::from(mean.values[channel]);
            (centred * scales[channel] + f64::from(shift.values[channel])) as f32
        });
        let bias = NamedTensor {
            name: format!("{}.bias", norm.output),
            shape: vec![scales.len()],
            values: bias.collect(),
        };
        node.inputs.truncate(2);
        node.inputs.push(bias.name.clone());
        node.output = norm.output;
        constants.push(bias);
    }
}

/// The first layer that a normalisation can be folded into, and the normalisation.
fn pair(nodes: &[OnnxNode]) -> Option<(usize, usize)> {
    let norms = nodes.iter().enumerate();
    let mut norms = norms.filter(|(_, node)| node.operator == "BatchNormalization");
    norms.find_map(|(norm, node)| {
        let source = &node.inputs[0];
        let layer = nodes.iter().position(|other| other.output == *source)?;
        let readers = nodes.iter().flat_map(|other| &other.inputs);
        let fits = ["Conv", "Gemm"].contains(&nodes[layer].operator)
            && readers.filter(|input| *input == source).count() == 1;
        fits.then_some((layer, norm))
    })
}

fn take(constants: &mut Vec<NamedTensor>, name: &str) -> NamedTensor {
    let place = constants.iter().position(|tensor| tensor.name == name);
    constants.swap_remove(place.expect("a graph has all that its operations take"))
}
