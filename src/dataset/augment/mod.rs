//! Training images varied at random: a recipe's `augment`, a list of transforms in the order that
//! they are applied.
//!
//! A kind of transform is one file: its keys with their defaults and checks, and what it does to an
//! image. Below, it has its `mod` line and its line in [`transforms!`].

pub mod affine;
mod breaks;
mod canvas;
mod clutter;
mod downscale;
mod elastic;
mod european;
mod pen;
pub mod random_erasing;
mod refit;
mod segment;
mod stretch;
#[cfg(test)]
mod tests;

use serde::Serialize;

use self::canvas::Canvas;
pub use self::canvas::{IDENTITY, Matrix};
use super::PIXELS;
use crate::kernels::Isa;
use crate::rng::Rng;
use crate::schema::{SchemaError, Section};

/// More than anyone can mean.
const MOST: usize = 100;

/// What every kind of transform has to say.
trait TransformKind: Sized {
    /// Reads its keys, all but `kind`.
    fn read(section: &Section<'_>) -> Result<Self, SchemaError>;

    /// Varies the image on `canvas`. All that is random comes from `rng`, which no other transform
    /// draws from.
    fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>);
}

/// Makes [`Transform`] from `module: Struct` of every kind; the module's name is the word that a
/// recipe uses, and the struct's the same in camel case.
macro_rules! transforms {
    ($($kind:ident: $Kind:ident,)*) => {
        /// One entry of a recipe's `augment`.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum Transform {
            $($Kind($kind::$Kind),)*
        }

        impl Transform {
            /// Every kind that a recipe can name, in the order that messages list them.
            pub const KINDS: &[&str] = &[$(stringify!($kind)),*];

            /// The word that a recipe uses for this transform.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$Kind(_) => stringify!($kind),)*
                }
            }

            fn read(kind: &str, section: &Section<'_>) -> Result<Self, SchemaError> {
                match kind {
                    $(stringify!($kind) => $kind::$Kind::read(section).map(Self::$Kind),)*
                    _ => Err(section.unknown_word("kind", kind, Self::KINDS.iter().copied())),
                }
            }

            fn apply(&self, rng: &mut Rng, canvas: &mut Canvas<'_>) {
                match self {
                    $(Self::$Kind(transform) => transform.apply(rng, canvas),)*
                }
            }
        }
    };
}

transforms! {
    european: European,
    affine: Affine,
    stretch: Stretch,
    elastic: Elastic,
    pen: Pen,
    breaks: Breaks,
    clutter: Clutter,
    downscale: Downscale,
    refit: Refit,
    random_erasing: RandomErasing,
}

/// Reads `augment = [ ... ]`; without it, the list is empty.
pub fn read(recipe: &Section<'_>) -> Result<Vec<Transform>, SchemaError> {
    let transforms = recipe.entries("augment", "transform", MOST, Transform::read)?;
    Ok(transforms.unwrap_or_default())
}

/// Varies images as a recipe says.
#[derive(Debug, Clone)]
pub struct Augment {
    isa: Isa,
    /// The transforms in the order that they are applied, each with the word of its stream.
    transforms: Vec<(u64, Transform)>,
}

impl Augment {
    /// `None` when there are no transforms.
    pub fn new(transforms: &[Transform]) -> Option<Self> {
        let with_word = |(place, transform): (usize, &Transform)| {
            let same = |other: &&Transform| other.kind() == transform.kind();
            let before = transforms[..place].iter().filter(same).count();
            (stream(transform.kind(), before as u64), transform.clone())
        };
        (!transforms.is_empty()).then(|| Self {
            isa: Isa::best(),
            transforms: transforms.iter().enumerate().map(with_word).collect(),
        })
    }

    /// Writes a variation of `image`, which shows `digit`, to `out`; both have 784 bytes. `rng`
    /// decides which, alone; derive it from seed, [`Stream::Augment`](crate::rng::Stream), epoch
    /// and image, and an epoch's images are the same whatever the threads and the order.
    ///
    /// Each transform draws from a stream of its own within `rng`, so what it draws does not depend
    /// on the others, nor on its place among them.
    ///
    /// # Panics
    /// When one of them is not 784 bytes.
    pub fn apply(&self, image: &[u8], digit: u8, rng: Rng, out: &mut [u8]) {
        assert!(image.len() == PIXELS && out.len() == PIXELS);
        out.copy_from_slice(image);
        let mut canvas = Canvas::new(self.isa, digit, out);
        for (word, transform) in &self.transforms {
            transform.apply(&mut rng.stream(*word), &mut canvas);
        }
        canvas.pixels();
    }
}

/// The word that tells a transform's stream of random numbers from the others': the FNV-1a hash of
/// its kind, and for the second of a kind in a list one more, and so on.
fn stream(kind: &str, before: u64) -> u64 {
    const OFFSET: u64 = 0xCBF2_9CE4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01B3;
    let hash = kind.bytes().fold(OFFSET, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    hash.wrapping_add(before)
}

/// Reads `p`, a probability.
fn probability(section: &Section<'_>, default: f64) -> Result<f64, SchemaError> {
    section.number_where("p", default, "a probability between 0 and 1", fraction)
}

/// Reads two numbers between `least` and `most`, the smaller one first; `what` is what they are.
fn ordered(
    section: &Section<'_>,
    key: &'static str,
    default: (f64, f64),
    what: &str,
    (least, most): (f64, f64),
) -> Result<(f64, f64), SchemaError> {
    let rule = format!("two {what} between {least} and {most}, the smaller one first");
    section.pair_where(key, default, &rule, |low, high| {
        least <= low && low <= high && high <= most
    })
}

fn fraction(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

/// True with probability `p`.
fn happens(rng: &mut Rng, p: f64) -> bool {
    f64::from(rng.next_f32()) < p
}

/// A number between `low` and `high`, each equally likely.
fn uniform(rng: &mut Rng, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * f64::from(rng.next_f32())
}

/// Lets one transform vary an image that shows `digit`, for the tests of each kind.
#[cfg(test)]
fn vary(transform: &impl TransformKind, rng: &mut Rng, digit: u8, image: &mut [u8]) {
    let mut canvas = Canvas::new(Isa::best(), digit, image);
    transform.apply(rng, &mut canvas);
    canvas.pixels();
}

/// Asserts that a transform whose `p` is 0.3 changes `image` with that probability.
#[cfg(test)]
fn assert_changes_three_in_ten(transform: &impl TransformKind, digit: u8, image: &[u8; PIXELS]) {
    let changed = (0..4_000).filter(|&i| {
        let mut varied = *image;
        vary(transform, &mut Rng::new(2, &[i]), digit, &mut varied);
        varied != *image
    });
    let changed = changed.count();
    // The standard deviation is 29.
    assert!(changed.abs_diff(1_200) < 150, "{changed}");
}
