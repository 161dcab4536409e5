//! Moments as burn lays them out: without names, and those of a linear layer's weight as `[in,
//! out]`, where PyTorch has `[out, in]`. Format version 1 of checkpoints holds them like that.
//!
//! [`from_pytorch`] is there for today's [`Learner`](super::Learner) only. An engine that gives and
//! takes PyTorch's layout needs neither function, and then only reading version 1 uses
//! [`to_pytorch`].

use super::optimizer_state::{Moments, OptimizerState, ParameterShapes};
use crate::network::Plan;

/// A parameter's first and second moment, flattened; `None` where the optimizer keeps none.
pub type UnnamedMoments = (Option<Vec<f32>>, Option<Vec<f32>>);

/// The name and shape of each trainable parameter of a network, in layer order.
pub fn parameter_shapes(plan: &Plan) -> Vec<(String, Vec<usize>)> {
    let mut shapes = plan.state_shapes();
    shapes.retain(|(name, _)| !name.contains(".running_"));
    shapes
}

/// The state in PyTorch's layout, or why `moments` are not those of these parameters.
pub fn to_pytorch(
    steps: u64,
    moments: Vec<UnnamedMoments>,
    parameters: &ParameterShapes,
) -> Result<OptimizerState, String> {
    let fits = moments.is_empty() || moments.len() == parameters.len();
    if !fits {
        return Err("the optimizer's state does not fit the network".into());
    }
    let named = |((first, second), (name, shape)): (UnnamedMoments, &(String, Vec<usize>))| {
        let turned = |values: Vec<f32>| match shape[..] {
            [out, input] => transposed(values, input, out),
            _ => values,
        };
        Moments {
            name: name.clone(),
            first: first.map(turned),
            second: second.map(turned),
        }
    };
    Ok(OptimizerState {
        steps,
        moments: moments.into_iter().zip(parameters).map(named).collect(),
    })
}

/// The moments in burn's layout, of a state that fits the parameters.
pub fn from_pytorch(state: &OptimizerState, parameters: &ParameterShapes) -> Vec<UnnamedMoments> {
    let pairs = state.moments.iter().zip(parameters);
    let unnamed = |(moments, (_, shape)): (&Moments, &(String, Vec<usize>))| {
        let turned = |values: &Vec<f32>| match shape[..] {
            [out, input] => transposed(values.clone(), out, input),
            _ => values.clone(),
        };
        (
            moments.first.as_ref().map(turned),
            moments.second.as_ref().map(turned),
        )
    };
    pairs.map(unnamed).collect()
}

/// The transpose of a row-major matrix. Values that are no such matrix stay as they are: a file may
/// hold any number of them, which [`OptimizerState::check`] refuses.
fn transposed(values: Vec<f32>, rows: usize, columns: usize) -> Vec<f32> {
    if Some(values.len()) != rows.checked_mul(columns) {
        return values;
    }
    let column = |column: usize| values[column..].iter().step_by(columns);
    (0..columns).flat_map(column).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_weights_moments_are_transposed_and_nothing_else_is() {
        let parameters = [
            ("0.weight".to_string(), vec![2, 1, 1, 2]),
            ("2.weight".to_string(), vec![2, 3]),
            ("2.bias".to_string(), vec![2]),
        ];
        let conv = vec![1.0, 2.0, 3.0, 4.0];
        let burn = vec![
            (Some(conv.clone()), None),
            // [in, out]: a row for each of the three inputs.
            (Some(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), Some(vec![9.0; 6])),
            (None, Some(vec![7.0, 8.0])),
        ];
        let state = to_pytorch(3, burn.clone(), &parameters).unwrap();
        assert_eq!(state.check(&parameters), Ok(()));
        assert_eq!(state.moments[0].first, Some(conv));
        assert_eq!(
            state.moments[1].first,
            Some(vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0])
        );
        assert_eq!(state.moments[2].second, Some(vec![7.0, 8.0]));
        assert_eq!(from_pytorch(&state, &parameters), burn);
        // A value too few: not transposed, and refused.
        let short = vec![(None, None), (Some(vec![0.0; 5]), None), (None, None)];
        let state = to_pytorch(3, short, &parameters).unwrap();
        assert!(state.check(&parameters).is_err());
        assert!(to_pytorch(3, vec![(None, None)], &parameters).is_err());
    }
}
