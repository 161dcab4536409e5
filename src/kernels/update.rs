//! An optimizer's step over a run of parameters.

use super::lanes::{Lanes, kernel};

/// The operations that an optimizer's rule is made of, value by value. Registers have them, and so can
/// whatever else computes with whole vectors, so that a rule is stated once for all.
pub trait Arithmetic: Clone {
    fn add(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    fn sqrt(self) -> Self;
    /// Times a number.
    fn scale(self, factor: f32) -> Self;
    /// `self * factor + number`, rounded once where the processor can.
    fn scale_offset(self, factor: f32, number: f32) -> Self;
    /// `self * factor + addend`, rounded once where the processor can.
    fn scale_add(self, factor: f32, addend: Self) -> Self;
    /// Zero where it is nearer to zero than `least`, for those who compute slowly with the numbers
    /// that are too small for f32's normal form.
    #[must_use]
    fn flush(self, least: f32) -> Self;
}

impl<V: Lanes> Arithmetic for V {
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Lanes::add(self, other)
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Lanes::mul(self, other)
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Lanes::div(self, other)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Lanes::sqrt(self)
    }
    #[inline(always)]
    fn scale(self, factor: f32) -> Self {
        Lanes::mul(self, V::splat(factor))
    }
    #[inline(always)]
    fn scale_offset(self, factor: f32, number: f32) -> Self {
        Lanes::mul_add(self, V::splat(factor), V::splat(number))
    }
    #[inline(always)]
    fn scale_add(self, factor: f32, addend: Self) -> Self {
        Lanes::mul_add(self, V::splat(factor), addend)
    }
    #[inline(always)]
    fn flush(self, least: f32) -> Self {
        Lanes::flush(self, least)
    }
}

/// One step of an optimizer, with everything worked out that is the same for all parameters.
pub trait Rule: Copy + Send + Sync {
    /// The new value of a parameter. Moments are what the optimizer remembers of it: zeros at first,
    /// and left as they are where a rule has no use for them.
    fn step<A: Arithmetic>(&self, value: A, gradient: A, moments: &mut [A; 2]) -> A;
}

kernel! {
    /// Moves `values` one step against `gradients`. The moments that the rule has no use for are
    /// empty. All others are as long as `values`, a multiple of the register's lanes.
    ///
    /// Panics when lengths differ.
    pub fn update<R: Rule>(
        rule: &R,
        values: &mut [f32],
        gradients: &[f32],
        first: &mut [f32],
        second: &mut [f32],
    ) = update_in
}

#[inline(always)]
fn update_in<V: Lanes, R: Rule>(
    rule: &R,
    values: &mut [f32],
    gradients: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    match (first.is_empty(), second.is_empty()) {
        (true, true) => run::<V, R, false, false>(rule, values, gradients, first, second),
        (false, true) => run::<V, R, true, false>(rule, values, gradients, first, second),
        (true, false) => run::<V, R, false, true>(rule, values, gradients, first, second),
        (false, false) => run::<V, R, true, true>(rule, values, gradients, first, second),
    }
}

#[inline(always)]
fn run<V: Lanes, R: Rule, const FIRST: bool, const SECOND: bool>(
    rule: &R,
    values: &mut [f32],
    gradients: &[f32],
    first: &mut [f32],
    second: &mut [f32],
) {
    let len = values.len();
    assert!(len.is_multiple_of(V::N) && len == gradients.len());
    assert!(!FIRST || first.len() == len);
    assert!(!SECOND || second.len() == len);
    let zero = V::splat(0.0);
    let rule = *rule;
    for at in (0..len).step_by(V::N) {
        let mut moments = [
            if FIRST { V::read(&first[at..]) } else { zero },
            if SECOND { V::read(&second[at..]) } else { zero },
        ];
        let value = V::read(&values[at..]);
        let value = rule.step(value, V::read(&gradients[at..]), &mut moments);
        value.write(&mut values[at..]);
        if FIRST {
            moments[0].write(&mut first[at..]);
        }
        if SECOND {
            moments[1].write(&mut second[at..]);
        }
    }
}
