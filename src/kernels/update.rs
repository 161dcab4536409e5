//! The optimizers' steps over a run of parameters, as `torch.optim` computes them.

use super::lanes::{Lanes, kernel};

/// One optimizer's step, with everything worked out that is the same for all parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    Sgd {
        lr: f32,
        momentum: f32,
        /// What the gradient is weighted with on its way into the momentum: 1 - dampening, and 1
        /// in the first step.
        gradient_weight: f32,
        nesterov: bool,
        weight_decay: f32,
    },
    Adam {
        beta1: f32,
        beta2: f32,
        /// 1 - beta1 and 1 - beta2, which are subtracted in double precision.
        beta1_rest: f32,
        beta2_rest: f32,
        /// lr / (1 - beta1^t).
        step_size: f32,
        /// 1 / sqrt(1 - beta2^t).
        second_scale: f32,
        eps: f32,
        /// Added to the gradient, times the weight: Adam's weight decay.
        weight_decay: f32,
        /// What the weight is multiplied with first: 1 - lr * AdamW's weight decay.
        keep: f32,
    },
    RmsProp {
        lr: f32,
        alpha: f32,
        /// 1 - alpha, which is subtracted in double precision.
        alpha_rest: f32,
        eps: f32,
        weight_decay: f32,
        momentum: f32,
    },
}

kernel! {
    /// Moves `values` one step against `gradients`. `first` is SGD's or RMSprop's momentum or Adam's
    /// `exp_avg`, `second` Adam's `exp_avg_sq` or RMSprop's `square_avg`; what a rule has no use for may be empty. All others are as
    /// long as `values`, a multiple of the register's lanes.
    pub fn update(
        rule: Rule,
        values: &mut [f32],
        gradients: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) = update_in
}

#[inline(always)]
fn update_in<V: Lanes>(
    rule: Rule,
    values: &mut [f32],
    gradients: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    assert!(values.len().is_multiple_of(V::N) && values.len() == gradients.len());
    let s = V::splat;
    let pairs = values
        .chunks_exact_mut(V::N)
        .zip(gradients.chunks_exact(V::N));
    match rule {
        Rule::Sgd {
            lr,
            momentum: 0.0,
            weight_decay,
            ..
        } => {
            for (value, gradient) in pairs {
                let x = V::read(value);
                let g = x.mul_add(s(weight_decay), V::read(gradient));
                g.mul_add(s(-lr), x).write(value);
            }
        }
        Rule::Sgd {
            lr,
            momentum,
            gradient_weight,
            nesterov,
            weight_decay,
        } => {
            assert_eq!(pairs.len() * V::N, first.len());
            for ((value, gradient), buffer) in pairs.zip(first.chunks_exact_mut(V::N)) {
                let x = V::read(value);
                let g = x.mul_add(s(weight_decay), V::read(gradient));
                let b = V::read(buffer).mul_add(s(momentum), g.mul(s(gradient_weight)));
                b.write(buffer);
                let direction = match nesterov {
                    true => b.mul_add(s(momentum), g),
                    false => b,
                };
                direction.mul_add(s(-lr), x).write(value);
            }
        }
        Rule::Adam {
            beta1,
            beta2,
            beta1_rest,
            beta2_rest,
            step_size,
            second_scale,
            eps,
            weight_decay,
            keep,
        } => {
            assert_eq!(pairs.len() * V::N, first.len());
            assert_eq!(pairs.len() * V::N, second.len());
            let moments = first
                .chunks_exact_mut(V::N)
                .zip(second.chunks_exact_mut(V::N));
            for ((value, gradient), (first, second)) in pairs.zip(moments) {
                let x = V::read(value);
                let g = x.mul_add(s(weight_decay), V::read(gradient));
                // What is flushed is nothing beside eps: its square root is below 1e-16.
                let g = g.flush(1e-17);
                let m = V::read(first).mul_add(s(beta1), g.mul(s(beta1_rest)));
                let m = m.flush(1e-30);
                let v = V::read(second).mul_add(s(beta2), g.mul(g).mul(s(beta2_rest)));
                let v = v.flush(1e-34);
                m.write(first);
                v.write(second);
                let denominator = v.sqrt().mul_add(s(second_scale), s(eps));
                let x = x.mul(s(keep));
                m.div(denominator).mul_add(s(-step_size), x).write(value);
            }
        }
        Rule::RmsProp {
            lr,
            alpha,
            alpha_rest,
            eps,
            weight_decay,
            momentum,
        } => {
            assert_eq!(pairs.len() * V::N, second.len());
            assert!(momentum == 0.0 || pairs.len() * V::N == first.len());
            let mut first = first.chunks_exact_mut(V::N);
            for ((value, gradient), second) in pairs.zip(second.chunks_exact_mut(V::N)) {
                let x = V::read(value);
                let g = x.mul_add(s(weight_decay), V::read(gradient)).flush(1e-17);
                let v = V::read(second).mul_add(s(alpha), g.mul(g).mul(s(alpha_rest)));
                let v = v.flush(1e-34);
                v.write(second);
                let mut direction = g.div(v.sqrt().add(s(eps)));
                if let Some(buffer) = first.next() {
                    direction = V::read(buffer).mul_add(s(momentum), direction).flush(1e-30);
                    direction.write(buffer);
                }
                direction.mul_add(s(-lr), x).write(value);
            }
        }
    }
}
