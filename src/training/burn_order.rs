//! Moments as format version 1 of checkpoints holds them: without names, and those of a linear
//! layer's weight as `[in, out]`, as burn lays it out, where PyTorch has `[out, in]`.

use crate::network::{Plan, Role};
use crate::optimizer::{Moments, OptimizerState};

/// A parameter's first and second moment, flattened; `None` where the optimizer keeps none.
pub type UnnamedMoments = (Option<Vec<f32>>, Option<Vec<f32>>);

/// The state in PyTorch's layout, or why `moments` are not those of these parameters.
pub fn to_pytorch(
    steps: u64,
    moments: Vec<UnnamedMoments>,
    plan: &Plan,
) -> Result<OptimizerState, String> {
    let parameters = plan.parameters().filter(|(_, p)| p.role == Role::Trained);
    let parameters: Vec<_> = parameters.map(|(name, p)| (name, &p.shape)).collect();
    let fits = moments.is_empty() || moments.len() == parameters.len();
    if !fits {
        return Err("the optimizer's state does not fit the network".into());
    }
    let named = |((first, second), (name, shape)): (UnnamedMoments, (String, &Vec<usize>))| {
        let turned = |values: Vec<f32>| match shape[..] {
            [out, input] => transposed(values, input, out),
            _ => values,
        };
        Moments {
            name,
            first: first.map(turned),
            second: second.map(turned),
        }
    };
    Ok(OptimizerState {
        steps,
        moments: moments.into_iter().zip(parameters).map(named).collect(),
    })
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
        let text = "name = 'case'\n[training]\nepochs = 1\n[optimizer]\nkind = 'adam'\n[model]\n\
            layers = [{ kind = 'conv', out_channels = 1, kernel_size = 2, stride = 27 }, 'flatten', \
            { kind = 'linear', out_features = 10 }]\n";
        let recipe = crate::recipe::Recipe::parse("case", text, &[]).unwrap();
        let plan = Plan::new(&recipe.model.layers).unwrap();
        let linear: Vec<f32> = (0..10).map(|i| i as f32).collect();
        let burn = vec![
            (Some(vec![1.0, 2.0, 3.0, 4.0]), None),
            (None, Some(vec![7.0])),
            // [in, out] of one input is [out, in] as well.
            (Some(linear.clone()), None),
            (None, None),
        ];
        let state = to_pytorch(3, burn, &plan).unwrap();
        assert_eq!(state.check(&plan), Ok(()));
        assert_eq!(state.moments[0].first, Some(vec![1.0, 2.0, 3.0, 4.0]));
        assert_eq!(state.moments[2].first, Some(linear));
        assert_eq!(state.moments[1].second, Some(vec![7.0]));
        // [in, out]: a row for each of the three inputs.
        let values = vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(transposed(values, 3, 2), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
        // A value too few: not transposed, and refused.
        assert_eq!(transposed(vec![0.0; 5], 3, 2), [0.0; 5]);
        assert!(to_pytorch(3, vec![(None, None)], &plan).is_err());
    }
}
