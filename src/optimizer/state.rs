//! What an optimizer remembers, on the host, as checkpoints hold it.

use crate::network::{Plan, Role};

/// One of a parameter's moments, in PyTorch's order; `None` where the optimizer keeps none.
pub type HostMoment = Option<Vec<f32>>;

/// What an optimizer remembers of one parameter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moments {
    /// PyTorch's name of the parameter: `0.weight`.
    pub name: String,
    /// SGD's or RMSprop's momentum buffer, or Adam's `exp_avg`.
    pub first: HostMoment,
    /// Adam's `exp_avg_sq` or RMSprop's `square_avg`.
    pub second: HostMoment,
}

/// An optimizer's state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OptimizerState {
    /// Steps taken; Adam's bias correction needs it.
    pub steps: u64,
    /// One entry for each trained parameter, in the plan's order; none before the first step.
    pub moments: Vec<Moments>,
}

impl OptimizerState {
    /// Whether it can have come from training a network of this plan.
    ///
    /// # Errors
    /// A sentence that says why not.
    pub fn check(&self, plan: &Plan) -> Result<(), String> {
        let fits = |moment: &HostMoment, size: usize| match moment {
            Some(values) => values.len() == size && values.iter().all(|value| value.is_finite()),
            None => true,
        };
        // Second moments are means of squares.
        let positive = |moment: &HostMoment| moment.iter().flatten().all(|&value| value >= 0.0);
        let trained = plan.parameters().filter(|(_, p)| p.role == Role::Trained);
        let trained: Vec<_> = trained.map(|(name, p)| (name, p.elements())).collect();
        let pairs = self.moments.iter().zip(&trained);
        let all_fit = self.moments.len() == trained.len()
            && pairs.into_iter().all(|(moments, (name, size))| {
                moments.name == *name
                    && fits(&moments.first, *size)
                    && fits(&moments.second, *size)
                    && positive(&moments.second)
            });
        // Before the first step there is nothing to remember.
        if all_fit || (self.steps == 0 && self.moments.is_empty()) {
            Ok(())
        } else {
            Err("the optimizer's state does not fit the network".into())
        }
    }
}
