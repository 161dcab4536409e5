//! When to give up waiting for a lower validation loss.

use super::metrics::Epoch;
use crate::recipe::EarlyStoppingSpec;

/// Whether the run ends here. It follows from the finished epochs alone, so there is nothing to
/// save for a resumed run.
pub(super) fn is_due(spec: Option<EarlyStoppingSpec>, epochs: &[Epoch]) -> bool {
    let Some(spec) = spec else {
        return false;
    };
    let (mut best, mut waited) = (f64::INFINITY, 0);
    for epoch in epochs {
        let loss = epoch.selection_loss();
        if loss < best - spec.min_delta {
            best = loss;
            waited = 0;
        } else {
            waited += 1;
        }
    }
    waited >= spec.patience
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Figures;

    fn epochs(losses: &[f64]) -> Vec<Epoch> {
        let epoch = |(index, &loss): (usize, &f64)| {
            let figures = Figures {
                loss,
                accuracy: 0.5,
            };
            Epoch {
                epoch: index as u64 + 1,
                lr: 0.1,
                train: Figures {
                    loss: 9.0,
                    accuracy: 0.5,
                },
                val: Some(figures),
            }
        };
        losses.iter().enumerate().map(epoch).collect()
    }

    #[test]
    fn a_run_ends_after_patience_epochs_without_a_lower_loss() {
        let due = |patience, min_delta, losses: &[f64]| {
            let spec = EarlyStoppingSpec {
                patience,
                min_delta,
            };
            is_due(Some(spec), &epochs(losses))
        };
        assert!(!due(2, 0.0, &[]));
        assert!(!due(2, 0.0, &[1.0, 0.9, 0.9]));
        assert!(due(2, 0.0, &[1.0, 0.9, 0.9, 0.95]));
        assert!(!due(2, 0.0, &[1.0, 0.9, 0.9, 0.8, 0.85]));
        // Falling, but by too little: the best one stays where it was.
        assert!(due(2, 0.1, &[1.0, 0.95, 0.91]));
        assert!(!due(2, 0.1, &[1.0, 0.95, 0.89]));
        assert!(!is_due(None, &epochs(&[1.0, 2.0, 3.0])));
    }
}
