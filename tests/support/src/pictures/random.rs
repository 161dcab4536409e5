//! A seeded generator: the same seed makes the same pictures on every machine.

use std::ops::Range;

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator of its own for each `seed` and each `stream`.
    pub fn new(seed: u64, stream: &str) -> Self {
        // FNV-1a.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let stream = stream.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
        let mut random = Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream,
        };
        random.bits();
        random
    }

    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u64 << 24) as f32
    }

    pub fn within(&mut self, range: Range<f32>) -> f32 {
        range.start + (range.end - range.start) * self.unit()
    }

    /// Small values as often as large ones on a logarithmic scale: for sizes.
    pub fn log_within(&mut self, range: Range<f32>) -> f32 {
        self.within(range.start.ln()..range.end.ln()).exp()
    }

    pub fn whole(&mut self, range: Range<usize>) -> usize {
        range.start + (self.bits() % (range.end - range.start) as u64) as usize
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }

    pub fn one_of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.whole(0..values.len())]
    }

    /// Mean 0 and standard deviation 1, nearly normal: the sum of four uniform numbers, which is
    /// quick enough for every pixel of a large picture.
    pub fn normal(&mut self) -> f32 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        (sum as f32 / 65536.0 - 2.0) * 1.732
    }
}
