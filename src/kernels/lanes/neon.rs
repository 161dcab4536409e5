//! NEON, which every aarch64 processor has.
//!
//! That is why the intrinsics are sound here, apart from what a pointer may point to: Rust calls them
//! unsafe because they are compiled for a named feature, and this one is never missing.

use super::{Lanes, Loop};
use std::arch::aarch64::*;

#[derive(Debug, Clone, Copy)]
pub(in crate::kernels) struct Neon(float32x4_t);

impl Lanes for Neon {
    const N: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        // SAFETY: see the module; so for all below.
        Self(unsafe { vdupq_n_f32(value) })
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        Self(unsafe { vld1q_f32(from) })
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        unsafe { vst1q_f32(to, self.0) }
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(unsafe { vaddq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(unsafe { vsubq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(unsafe { vmulq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn div(self, other: Self) -> Self {
        Self(unsafe { vdivq_f32(self.0, other.0) })
    }
    #[inline(always)]
    fn mul_add(self, factor: Self, addend: Self) -> Self {
        Self(unsafe { vfmaq_f32(addend.0, self.0, factor.0) })
    }
    /// Not NEON's own, which gives not-a-number where either is.
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.where_greater(other, self, other)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self(unsafe { vsqrtq_f32(self.0) })
    }
    #[inline(always)]
    fn where_greater(self, other: Self, yes: Self, no: Self) -> Self {
        Self(unsafe { vbslq_f32(vcgtq_f32(self.0, other.0), yes.0, no.0) })
    }
    #[inline(always)]
    fn where_equal(self, other: Self, yes: Self, no: Self) -> Self {
        Self(unsafe { vbslq_f32(vceqq_f32(self.0, other.0), yes.0, no.0) })
    }
    #[inline(always)]
    fn exp2_whole(self) -> Self {
        unsafe {
            let exponent = vaddq_s32(vcvtq_s32_f32(self.0), vdupq_n_s32(127));
            Self(vreinterpretq_f32_s32(vshlq_n_s32::<23>(exponent)))
        }
    }
    #[inline(always)]
    fn sum(self) -> f32 {
        unsafe { vaddvq_f32(self.0) }
    }
    #[inline(always)]
    unsafe fn load_bytes(from: *const u8) -> Self {
        unsafe {
            let four = u32::from_le_bytes(from.cast::<[u8; 4]>().read());
            let words = vmovl_u8(vcreate_u8(u64::from(four)));
            Self(vcvtq_f32_u32(vmovl_u16(vget_low_u16(words))))
        }
    }
    #[inline(always)]
    unsafe fn store_bytes(self, to: *mut u8) {
        unsafe {
            let words = vmovn_u32(vcvtq_u32_f32(self.0));
            let bytes = vmovn_u16(vcombine_u16(words, words));
            let four = vget_lane_u32::<0>(vreinterpret_u32_u8(bytes));
            to.cast::<[u8; 4]>().write(four.to_le_bytes());
        }
    }
    #[inline(never)]
    unsafe fn run<L: Loop>(of: L) {
        unsafe { of.run::<Self>() }
    }
    #[inline(always)]
    unsafe fn transpose(from: *const f32, from_step: usize, to: *mut f32, to_step: usize) {
        unsafe {
            let row = |i: usize| vld1q_f32(from.add(i * from_step));
            let pairs = |a, b| {
                let (even, odd) = (vtrn1q_f32(a, b), vtrn2q_f32(a, b));
                (vreinterpretq_f64_f32(even), vreinterpretq_f64_f32(odd))
            };
            let (even_01, odd_01) = pairs(row(0), row(1));
            let (even_23, odd_23) = pairs(row(2), row(3));
            let columns = [
                vtrn1q_f64(even_01, even_23),
                vtrn1q_f64(odd_01, odd_23),
                vtrn2q_f64(even_01, even_23),
                vtrn2q_f64(odd_01, odd_23),
            ];
            for (i, column) in columns.into_iter().enumerate() {
                vst1q_f32(to.add(i * to_step), vreinterpretq_f32_f64(column));
            }
        }
    }
}
