//! What moves the ink: `affine`, `stretch`, `elastic` and `refit`.

use serde::Serialize;

use super::{fraction, probability};
use crate::schema::{SchemaError, Section};

/// The arguments of `torchvision.transforms.RandomAffine`, with bilinear interpolation, paper
/// around the image, and translations that are not rounded to whole pixels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AffineSpec {
    /// The largest angle, to both sides.
    pub degrees: f64,
    /// The largest shift as a fraction of the width and of the height, to both sides.
    pub translate: (f64, f64),
    /// The smallest and the largest factor.
    pub scale: (f64, f64),
    /// The largest angle of a shear along x, to both sides; in degrees.
    pub shear: f64,
}

/// Other proportions: the width divided by the height becomes another, the area stays.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StretchSpec {
    /// The least and the largest factor of the width divided by the height, as RandomResizedCrop's
    /// `ratio`; their logarithms are equally likely.
    pub ratio: (f64, f64),
    /// The probability that an image is stretched.
    pub p: f64,
}

/// Elastic distortion (Simard, Steinkraus and Platt, "Best practices for convolutional neural
/// networks applied to visual document analysis", 2003), with their values as defaults.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ElasticSpec {
    /// What the smoothed displacements, uniform in -1..1 before, are multiplied by: pixels.
    /// torchvision's `ElasticTransform` has half pixels here.
    pub alpha: f64,
    /// The standard deviation of the Gaussian that smooths them, in pixels.
    pub sigma: f64,
    /// The probability that an image is distorted.
    pub p: f64,
}

/// The ink scaled back into MNIST's box of 20x20 pixels and placed by its centre of mass, as
/// `predict` does it with the ink it finds in a picture, after all that has moved or changed it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RefitSpec {
    /// The probability that an image is refitted.
    pub p: f64,
}

impl AffineSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let angle = |largest| move |angle: f64| (0.0..=largest).contains(&angle);
        let affine = Self {
            degrees: section.number_where(
                "degrees",
                0.0,
                "between 0 and 180, the largest angle to either side",
                angle(180.0),
            )?,
            translate: section.pair_where(
                "translate",
                (0.0, 0.0),
                "two fractions between 0 and 1, of the width and of the height",
                |x, y| fraction(x) && fraction(y),
            )?,
            scale: section.pair_where(
                "scale",
                (1.0, 1.0),
                "two factors between 0.1 and 10, the smaller one first",
                |low, high| 0.1 <= low && low <= high && high <= 10.0,
            )?,
            // At 90 degrees a sheared image is a line.
            shear: section.number_where(
                "shear",
                0.0,
                "between 0 and 60, the largest angle to either side",
                angle(60.0),
            )?,
        };
        section.finish()?;
        Ok(affine)
    }
}

impl StretchSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let stretch = Self {
            ratio: section.pair_where(
                "ratio",
                (0.75, 4.0 / 3.0),
                "two factors between 0.1 and 10, the smaller one first",
                |low, high| 0.1 <= low && low <= high && high <= 10.0,
            )?,
            p: probability(&section, 1.0)?,
        };
        section.finish()?;
        Ok(stretch)
    }
}

impl ElasticSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let elastic = Self {
            alpha: section.number_where("alpha", 34.0, "between 0 and 1000 pixels", |alpha| {
                (0.0..=1000.0).contains(&alpha)
            })?,
            sigma: section.number_where(
                "sigma",
                4.0,
                "greater than 0 and at most 28 pixels",
                |sigma| sigma > 0.0 && sigma <= 28.0,
            )?,
            p: probability(&section, 1.0)?,
        };
        section.finish()?;
        Ok(elastic)
    }
}

impl RefitSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let refit = Self {
            p: probability(&section, 1.0)?,
        };
        section.finish()?;
        Ok(refit)
    }
}
