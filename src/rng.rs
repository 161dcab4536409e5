//! Random numbers that are the same on every machine, for every thread count, for ever.
//!
//! The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
//! generators", 2014): a counter that grows by a constant, and a mixing function of that counter.
//! Its whole state is one `u64`, so there is nothing to save in a checkpoint: whoever needs numbers
//! derives a generator from the run's seed and from what the numbers are for.
//!
//! ```
//! use mnistctl::rng::Rng;
//!
//! const SHUFFLE: u64 = 1;
//! let (seed, epoch) = (42, 7);
//! let mut rng = Rng::new(seed, &[SHUFFLE, epoch]); // the same order in epoch 7, resumed or not
//! assert!(rng.below(10) < 10);
//! ```
//!
//! It is not meant for cryptography.

/// The counter's step: 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// What random numbers are for: the first word of a stream, so that no two uses share numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    /// Which images are held out for validation ("split" in ASCII).
    Split = 0x73_70_6C_69_74,
    /// Initial weights.
    Weights = 2,
    /// The order of the training images, by epoch.
    Shuffle = 3,
    /// Dropout, by epoch and step.
    Dropout = 4,
    /// Which test images a limited run is measured with.
    Test = 5,
    /// How training images are varied, by epoch and image.
    Augment = 6,
}

/// A SplitMix64 generator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rng {
    counter: u64,
}

impl Rng {
    /// The generator of one stream of a seed.
    ///
    /// The stream's words say what the numbers are for, from the general to the particular
    /// (purpose, epoch, image). Different words, another order of the words or another number of
    /// them give sequences that have nothing to do with each other. With no words it is plain
    /// SplitMix64, started at `seed`.
    pub fn new(seed: u64, stream: &[u64]) -> Self {
        let start = Self { counter: seed };
        stream.iter().fold(start, |rng, &word| rng.stream(word))
    }

    /// The generator of a stream within this one, which has drawn nothing yet: that of the same
    /// words and one more.
    pub fn stream(&self, word: u64) -> Self {
        // Each half is mixed before the two meet, so that neighbours (seed 1, epoch 2 and seed 2,
        // epoch 1) part; the step between them makes a word of 0 count.
        let counter = mix(mix(self.counter.wrapping_add(STEP)) ^ word).wrapping_add(STEP);
        Self { counter }
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.counter = self.counter.wrapping_add(STEP);
        mix(self.counter)
    }

    /// A number in `[0, 1)`: a multiple of 2^-24, which is all that an `f32` can hold evenly.
    pub fn next_f32(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 * (1.0 / (1u32 << 24) as f32)
    }

    /// A whole number in `0..n`, each equally likely (Lemire, "Fast random integer generation in an
    /// interval", 2019). For `n = 0`, where there is none, it is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let mut product = u128::from(self.next_u64()) * u128::from(n);
        if (product as u64) < n {
            // The low halves under this bound belong to the intervals that hold one value too many:
            // draw again.
            let bound = n.wrapping_neg() % n;
            while (product as u64) < bound {
                product = u128::from(self.next_u64()) * u128::from(n);
            }
        }
        (product >> 64) as u64
    }
}

/// SplitMix64's output function: every input bit reaches every output bit, and no two inputs give
/// the same output.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix64_gives_the_published_numbers() {
        // From the reference implementation (https://prng.di.unimi.it/splitmix64.c), started at
        // 1234567.
        let mut rng = Rng::new(1_234_567, &[]);
        let numbers: Vec<u64> = (0..5).map(|_| rng.next_u64()).collect();
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
        assert_eq!(Rng::new(0, &[]).next_u64(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn streams_differ() {
        let streams: [(u64, &[u64]); 9] = [
            (0, &[]),
            (0, &[0]),
            (0, &[0, 0]),
            (1, &[]),
            (1, &[0]),
            (0, &[1]),
            (1, &[2]),
            (2, &[1]),
            (0, &[1, 0]),
        ];
        let mut first: Vec<u64> = streams
            .iter()
            .map(|(seed, stream)| Rng::new(*seed, stream).next_u64())
            .collect();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), streams.len());
    }

    #[test]
    fn a_stream_within_a_stream_has_one_word_more() {
        assert_eq!(Rng::new(5, &[6]).stream(7), Rng::new(5, &[6, 7]));
    }

    #[test]
    fn below_is_even_and_in_range() {
        let mut rng = Rng::new(3, &[]);
        let mut seen = [0u32; 6];
        for _ in 0..60_000 {
            seen[rng.below(6) as usize] += 1;
        }
        // The standard deviation is 91, so this is more than five of them.
        assert!(seen.iter().all(|n| n.abs_diff(10_000) < 500), "{seen:?}");
        assert_eq!(rng.below(1), 0);
        assert_eq!(rng.below(0), 0);
        assert!(rng.below(u64::MAX) < u64::MAX);
    }

    #[test]
    fn floats_fill_the_unit_interval() {
        let mut rng = Rng::new(4, &[]);
        let numbers: Vec<f32> = (0..20_000).map(|_| rng.next_f32()).collect();
        assert!(numbers.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = numbers.iter().sum::<f32>() / numbers.len() as f32;
        assert!((mean - 0.5).abs() < 0.015, "{mean}");
    }
}
