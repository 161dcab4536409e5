//! An optimizer's state on the host, as checkpoints hold it: by the names, in the order and in the
//! memory layout of PyTorch's `state_dict`.

/// The shapes that [`OptimizerState::check`] holds moments against: the name and shape of every
/// trainable parameter, in layer order.
pub type ParameterShapes = [(String, Vec<usize>)];

/// What an optimizer remembers between two steps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OptimizerState {
    /// Steps taken; Adam's bias correction needs it.
    pub steps: u64,
    /// One entry a parameter, in layer order; empty before the first step.
    pub moments: Vec<Moments>,
}

/// What an optimizer remembers of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The parameter's name in the `state_dict`: `0.weight`.
    pub name: String,
    /// SGD's or RMSprop's momentum buffer, or Adam's `exp_avg`: row-major, in the parameter's
    /// shape.
    pub first: Option<Vec<f32>>,
    /// Adam's `exp_avg_sq` or RMSprop's `square_avg`.
    pub second: Option<Vec<f32>>,
}

impl OptimizerState {
    /// Whether it can have come from training these parameters.
    pub fn check(&self, parameters: &ParameterShapes) -> Result<(), String> {
        // Before the first step there is nothing to remember.
        if self.steps == 0 && self.moments.is_empty() {
            return Ok(());
        }
        let pairs = self.moments.iter().zip(parameters);
        let all_fit = self.moments.len() == parameters.len()
            && pairs
                .into_iter()
                .all(|(moments, (name, shape))| moments.fit(name, shape.iter().product()));
        if all_fit {
            Ok(())
        } else {
            Err("the optimizer's state does not fit the network".into())
        }
    }
}

impl Moments {
    fn fit(&self, name: &str, elements: usize) -> bool {
        let fits = |moment: &Option<Vec<f32>>| match moment {
            Some(values) => {
                values.len() == elements && values.iter().all(|value| value.is_finite())
            }
            None => true,
        };
        // Second moments are means of squares.
        let mut second = self.second.iter().flatten();
        self.name == name
            && fits(&self.first)
            && fits(&self.second)
            && second.all(|&value| value >= 0.0)
    }
}
