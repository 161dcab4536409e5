//! One SIMD register of f32 values: AVX-512, AVX2 with FMA, NEON, or plain arrays that every
//! processor runs.
//!
//! The kernels are written once over [`Lanes`] and compiled once for each instruction set, behind
//! [`Isa`], which is chosen at run time. Each lane holds another image of the batch, so what a
//! kernel does to a lane never depends on the others, and there is no shuffling.

#[cfg(target_arch = "aarch64")]
pub(super) mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
pub(super) mod x86;

use std::fmt;

pub(super) use portable::Portable;

/// An instruction set that this processor has. The only ways to one are [`Isa::best`] and
/// [`Isa::available`], which look at the processor: that is what makes calling code compiled for it
/// sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Isa(pub(super) Kind);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

impl Isa {
    /// The widest one.
    pub fn best() -> Self {
        Self::available()[0]
    }

    /// All of them, the widest first.
    pub fn available() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let fma = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if fma && is_x86_feature_detected!("avx512f") {
                all.push(Self(Kind::Avx512));
            }
            if fma {
                all.push(Self(Kind::Avx2));
            }
        }
        // All processors of this kind have it.
        #[cfg(target_arch = "aarch64")]
        all.push(Self(Kind::Neon));
        all.push(Self(Kind::Portable));
        all
    }

    /// How many images one register holds.
    pub fn lanes(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => x86::Avx512::N,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => x86::Avx2::N,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => neon::Neon::N,
            Kind::Portable => Portable::N,
        }
    }

    /// How many registers there are.
    pub(super) fn registers(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => x86::Avx512::REGISTERS,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => x86::Avx2::REGISTERS,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => neon::Neon::REGISTERS,
            Kind::Portable => Portable::REGISTERS,
        }
    }

    /// `avx512`, `avx2`, `neon` or `portable`.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            Kind::Portable => "portable",
        }
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Declares `pub fn name(isa, ...)`, which runs the generic function `name_in::<V>(...)` compiled
/// for the instruction set `isa`.
///
/// The generic functions and everything below them are `#[inline(always)]`: only inside a function
/// with the `target_feature` attribute do intrinsics become single instructions.
macro_rules! kernel {
    (
        $(#[$doc:meta])*
        pub fn $name:ident$(<$param:ident: $bound:ident>)?($($arg:ident: $ty:ty),* $(,)?)
        $(-> $ret:ty)? = $generic:ident
    ) => {
        $(#[$doc])*
        // What a kernel takes is described by its arguments' names; wrapping them up would only
        // be a layer more.
        #[allow(clippy::too_many_arguments)]
        pub fn $name$(<$param: $bound>)?(isa: $crate::kernels::Isa, $($arg: $ty),*) $(-> $ret)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512$(<$param: $bound>)?($($arg: $ty),*) $(-> $ret)? {
                $generic::<$crate::kernels::lanes::x86::Avx512 $(, $param)?>($($arg),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2$(<$param: $bound>)?($($arg: $ty),*) $(-> $ret)? {
                $generic::<$crate::kernels::lanes::x86::Avx2 $(, $param)?>($($arg),*)
            }
            match isa.0 {
                // SAFETY: an `Isa` of this kind exists only on processors that have the features.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::lanes::Kind::Avx512 => unsafe { avx512($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::kernels::lanes::Kind::Avx2 => unsafe { avx2($($arg),*) },
                // Needs no attribute: all code for such a processor may use NEON.
                #[cfg(target_arch = "aarch64")]
                $crate::kernels::lanes::Kind::Neon => {
                    $generic::<$crate::kernels::lanes::neon::Neon $(, $param)?>($($arg),*)
                }
                $crate::kernels::lanes::Kind::Portable => {
                    $generic::<$crate::kernels::lanes::Portable $(, $param)?>($($arg),*)
                }
            }
        }
    };
}
pub(super) use kernel;

/// Tells the processor that what lies at `at` will be read soon. Any address will do.
#[inline(always)]
pub(super) fn prefetch(at: *const f32) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: all processors of this kind have the instruction, and no address makes it fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// A register of `N` f32 values. Operations are lane by lane.
///
/// Only the kernels have types that implement it. It is public for those who state arithmetic that
/// the kernels run, such as an activation function or an optimizer's rule.
pub trait Lanes: Copy {
    /// How many values it holds.
    const N: usize;
    /// How many such registers there are.
    const REGISTERS: usize;

    fn splat(value: f32) -> Self;
    /// # Safety
    /// `N` values can be read at `from`.
    unsafe fn load(from: *const f32) -> Self;
    /// # Safety
    /// `N` values can be written at `to`.
    unsafe fn store(self, to: *mut f32);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    fn div(self, other: Self) -> Self;
    /// `self * factor + addend`, rounded once where the processor can.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// The larger one; `other` where either is not a number.
    fn max(self, other: Self) -> Self;
    fn sqrt(self) -> Self;
    /// `yes` where `self > other`, else `no`.
    fn where_greater(self, other: Self, yes: Self, no: Self) -> Self;
    /// `yes` where `self == other`, else `no`.
    fn where_equal(self, other: Self, yes: Self, no: Self) -> Self;
    /// `self`, or 0 where it is nearer to zero than `least`. Keeps out the numbers too small for
    /// f32's normal form, with which processors compute a hundred times more slowly.
    #[inline(always)]
    fn flush(self, least: f32) -> Self {
        let zero = Self::splat(0.0);
        let size = self.where_greater(zero, self, zero.sub(self));
        // In this order, not-a-number stays what it is.
        Self::splat(least).where_greater(size, zero, self)
    }
    /// The nearest whole number, for values below 2^22.
    fn round(self) -> Self {
        // 1.5 * 2^23: adding it leaves no bits for a fraction.
        let shift = Self::splat(12_582_912.0);
        self.add(shift).sub(shift)
    }
    /// 2 to the power of a whole number between -126 and 127.
    fn exp2_whole(self) -> Self;
    /// The sum of all lanes, in a fixed order.
    fn sum(self) -> f32;
    /// `N` bytes as values.
    /// # Safety
    /// `N` bytes can be read at `from`.
    unsafe fn load_bytes(from: *const u8) -> Self;
    /// Whole numbers from 0 to 255 as bytes.
    /// # Safety
    /// `N` bytes can be written at `to`.
    unsafe fn store_bytes(self, to: *mut u8);
    /// Writes the transpose of `N` rows of `N` values.
    /// # Safety
    /// `N` values can be read at `from + i * from_step` and written at `to + i * to_step` for
    /// each `i` below `N`.
    unsafe fn transpose(from: *const f32, from_step: usize, to: *mut f32, to_step: usize);
    /// Runs a loop as a function by itself; all else is compiled into the kernel that it is part of,
    /// which takes long where there are hundreds of loops.
    /// # Safety
    /// What the loop demands, and a processor with these registers.
    unsafe fn run<L: Loop>(of: L);

    /// The first `N` values of `from`.
    #[inline(always)]
    fn read(from: &[f32]) -> Self {
        assert!(from.len() >= Self::N);
        // SAFETY: the length was checked.
        unsafe { Self::load(from.as_ptr()) }
    }

    /// Overwrites the first `N` values of `to`.
    #[inline(always)]
    fn write(self, to: &mut [f32]) {
        assert!(to.len() >= Self::N);
        // SAFETY: the length was checked.
        unsafe { self.store(to.as_mut_ptr()) }
    }

    /// At most `N` values, and zeros.
    #[inline(always)]
    fn read_some(from: &[f32]) -> Self {
        if from.len() == Self::N {
            return Self::read(from);
        }
        let mut values = [0.0; 16];
        values[..from.len()].copy_from_slice(from);
        Self::read(&values)
    }

    /// Overwrites `to` with as many of the values, at most `N`.
    #[inline(always)]
    fn write_some(self, to: &mut [f32]) {
        if to.len() == Self::N {
            return self.write(to);
        }
        let mut values = [0.0; 16];
        self.write(&mut values);
        to.copy_from_slice(&values[..to.len()]);
    }

    /// A function of each value, lane by lane: slower than whole registers.
    #[inline(always)]
    fn map(self, function: impl Fn(f32) -> f32) -> Self {
        let mut values = [0.0; 16];
        self.write(&mut values);
        for value in &mut values[..Self::N] {
            *value = function(*value);
        }
        Self::read(&values)
    }

    /// `1 / (1 + exp(-x))`.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let one = Self::splat(1.0);
        one.div(one.add(Self::splat(0.0).sub(self).exp()))
    }

    /// e to the power of each value: Cephes' `expf` (Moshier 1989), within 2 ulp; values whose
    /// result would be smaller than the smallest normal number or overflow are clamped to those.
    #[inline(always)]
    fn exp(self) -> Self {
        let s = Self::splat;
        // In this order, not-a-number stays what it is.
        let x = s(-87.3).where_greater(self, s(-87.3), self);
        let x = x.where_greater(s(88.0), s(88.0), x);
        let n = x.mul(s(std::f32::consts::LOG2_E)).round();
        // ln 2 in two parts: the first has few enough bits for n times it to be exact.
        let r = n.mul_add(s(-0.693_359_4), x);
        let r = n.mul_add(s(2.121_944_4e-4), r);
        let mut p = s(1.987_569_1e-4);
        for c in [
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            0.5,
        ] {
            p = p.mul_add(r, s(c));
        }
        let y = p.mul_add(r.mul(r), r).add(s(1.0));
        y.mul(n.exp2_whole())
    }
}

/// An innermost loop, such as that of one tile.
pub trait Loop {
    /// # Safety
    /// Whoever makes one says what has to be true.
    unsafe fn run<V: Lanes>(self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(always)]
    fn check_in<V: Lanes>() {
        let n = V::N;
        let a: Vec<f32> = (0..n).map(|i| i as f32 * 0.75 - 3.0).collect();
        let b: Vec<f32> = (0..n).map(|i| 2.5 - i as f32 * 0.5).collect();
        let (x, y) = (V::read(&a), V::read(&b));
        let values = |v: V| {
            let mut out = vec![0.0; n];
            v.write(&mut out);
            out
        };
        let each = |f: &dyn Fn(f32, f32) -> f32| -> Vec<f32> {
            a.iter().zip(&b).map(|(&a, &b)| f(a, b)).collect()
        };
        assert_eq!(values(x.add(y)), each(&|a, b| a + b));
        assert_eq!(values(x.sub(y)), each(&|a, b| a - b));
        assert_eq!(values(x.mul(y)), each(&|a, b| a * b));
        assert_eq!(values(x.div(y)), each(&|a, b| a / b));
        assert_eq!(values(x.max(y)), each(&f32::max));
        let nan = V::splat(f32::NAN);
        assert_eq!(values(nan.max(y)), b);
        assert!(values(y.max(nan)).iter().all(|v| v.is_nan()));
        assert_eq!(values(x.mul(x).sqrt()), each(&|a, _| a.abs()));
        assert_eq!(values(x.mul_add(y, x)), each(&|a, b| a * b + a));
        let choice = |a: f32, b: f32| if a > b { 1.0 } else { -1.0 };
        let (yes, no) = (V::splat(1.0), V::splat(-1.0));
        assert_eq!(values(x.where_greater(y, yes, no)), each(&choice));
        let choice = |a: f32, b: f32| if a == b { 1.0 } else { -1.0 };
        assert_eq!(values(x.where_equal(y, yes, no)), each(&choice));
        assert_eq!(x.sum(), a.iter().sum::<f32>());
        assert_eq!(values(x.round().exp2_whole()), {
            each(&|a, _| a.round_ties_even().exp2())
        });

        let bytes: Vec<u8> = (0..n).map(|i| (i * 17) as u8).collect();
        let mut stored = vec![0u8; n];
        // SAFETY: both hold N bytes.
        unsafe {
            let loaded = V::load_bytes(bytes.as_ptr());
            assert_eq!(values(loaded)[n - 1], f32::from(bytes[n - 1]));
            loaded.store_bytes(stored.as_mut_ptr());
        }
        assert_eq!(stored, bytes);

        let square: Vec<f32> = (0..n * n).map(|i| i as f32).collect();
        let mut transposed = vec![0.0; n * n];
        // SAFETY: both hold N rows of N values.
        unsafe { V::transpose(square.as_ptr(), n, transposed.as_mut_ptr(), n) };
        for row in 0..n {
            for column in 0..n {
                assert_eq!(transposed[column * n + row], square[row * n + column]);
            }
        }

        for step in -2000..=2000 {
            let x = step as f32 * 0.0437;
            let ours = f64::from(values(V::splat(x).exp())[n - 1]);
            let exact = f64::from(x.clamp(-87.3, 88.0)).exp();
            assert!((ours / exact - 1.0).abs() < 3e-7, "{x}: {ours} {exact}");
        }
    }

    kernel! {
        pub fn check() = check_in
    }

    #[test]
    fn every_instruction_set_computes_the_same() {
        for isa in Isa::available() {
            println!("{isa}");
            check(isa);
        }
    }
}
