//! As many multiply-adds as a core can do: what the other kernels are measured by.

use super::lanes::{Isa, Lanes, kernel};

/// Sums that don't wait for one another: more than a multiply-add's latency times those that start in a
/// cycle, on all processors that we know.
const SUMS: usize = 12;

/// Does about `count` multiply-adds of whole registers, and returns how many multiply-adds of single
/// values these were.
pub fn multiply_adds(isa: Isa, count: usize) -> usize {
    let rounds = count / SUMS;
    // Otherwise the compiler would see that nobody wants the sums.
    std::hint::black_box(multiply_add_rounds(isa, rounds, std::hint::black_box(0.5)));
    rounds * SUMS * isa.lanes()
}

kernel! {
    /// Each round multiplies all sums by the factor.
    pub fn multiply_add_rounds(rounds: usize, factor: f32) -> f32 = multiply_add_rounds_in
}

#[inline(always)]
fn multiply_add_rounds_in<V: Lanes>(rounds: usize, factor: f32) -> f32 {
    let (factor, one) = (V::splat(factor), V::splat(1.0));
    let mut sums = [one; SUMS];
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, one);
        }
    }
    let total = sums.into_iter().reduce(V::add);
    total.map_or(0.0, V::sum)
}
