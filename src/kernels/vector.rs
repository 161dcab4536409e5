//! Whole vectors: the gradients' norm, scaling, moving averages.

use super::lanes::{Lanes, kernel};

kernel! {
    /// The sum of the squares. `values` are a multiple of the register's lanes.
    pub fn sum_of_squares(values: &[f32]) -> f32 = sum_of_squares_in
}

kernel! {
    /// Multiplies each value. `values` are a multiple of the register's lanes.
    pub fn scale(values: &mut [f32], factor: f32) = scale_in
}

kernel! {
    /// Moves each of `values` by `part` of the way to its target, as `torch.lerp_`. Both are equally
    /// long, a multiple of the register's lanes.
    pub fn lerp(values: &mut [f32], targets: &[f32], part: f32) = lerp_in
}

#[inline(always)]
fn sum_of_squares_in<V: Lanes>(values: &[f32]) -> f32 {
    assert!(values.len().is_multiple_of(V::N));
    let mut sum = V::splat(0.0);
    for values in values.chunks_exact(V::N) {
        let values = V::read(values);
        sum = values.mul_add(values, sum);
    }
    sum.sum()
}

#[inline(always)]
fn scale_in<V: Lanes>(values: &mut [f32], factor: f32) {
    assert!(values.len().is_multiple_of(V::N));
    for values in values.chunks_exact_mut(V::N) {
        V::read(values).mul(V::splat(factor)).write(values);
    }
}

#[inline(always)]
fn lerp_in<V: Lanes>(values: &mut [f32], targets: &[f32], part: f32) {
    assert!(values.len().is_multiple_of(V::N) && values.len() == targets.len());
    let pairs = values
        .chunks_exact_mut(V::N)
        .zip(targets.chunks_exact(V::N));
    for (values, targets) in pairs {
        let value = V::read(values);
        let way = V::read(targets).sub(value);
        way.mul_add(V::splat(part), value).write(values);
    }
}
