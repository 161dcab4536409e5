//! What changes the ink: `european`, `pen`, `breaks`, `downscale`, `clutter` and `random_erasing`.

use serde::Serialize;

use super::{fraction, probability};
use crate::schema::{SchemaError, Section};

/// How people write outside the United States, whose hands are MNIST's: a seven with a bar through
/// its stem, a one with an upstroke and perhaps a foot.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EuropeanSpec {
    /// The probability that a one or a seven is written so.
    pub p: f64,
}

/// Another pen: strokes become wider or thinner.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PenSpec {
    /// What is added to the width of strokes, in pixels: the least, negative for a finer pen, and
    /// the most.
    pub width: (f64, f64),
    /// The probability that an image is written with another pen.
    pub p: f64,
}

/// Broken strokes: short lines of paper through the ink.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BreaksSpec {
    /// The largest number of them, at least 1.
    pub count: u64,
    /// The least and the largest width, in pixels.
    pub width: (f64, f64),
    /// The probability that an image has them.
    pub p: f64,
}

/// Fewer pixels: an image is shrunk and enlarged again, by blocks or smoothly, as Albumentations'
/// `Downscale`. What it is shrunk by need not divide 28.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DownscaleSpec {
    /// The least and the largest factor that the image is shrunk by.
    pub scale: (f64, f64),
    /// The probability that an image is shrunk.
    pub p: f64,
}

/// What is left of ruled lines and dust: faint lines along the rows or columns, and specks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClutterSpec {
    /// The largest number of them, at least 1.
    pub count: u64,
    /// The least and the largest level, from 0 (paper) to 1 (ink).
    pub level: (f64, f64),
    /// The probability that an image has them.
    pub p: f64,
}

/// The arguments of `torchvision.transforms.RandomErasing`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RandomErasingSpec {
    /// The probability that a rectangle is erased.
    pub p: f64,
    /// The least and the largest area, as a fraction of the image's.
    pub scale: (f64, f64),
    /// The least and the largest height divided by width.
    pub ratio: (f64, f64),
    /// What takes its place: from 0 (paper) to 1 (ink).
    pub value: f64,
}

impl EuropeanSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let european = Self {
            p: probability(&section, 0.5)?,
        };
        section.finish()?;
        Ok(european)
    }
}

impl PenSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let pen = Self {
            width: section.pair_where(
                "width",
                (-1.0, 1.0),
                "two widths between -4 and 4 pixels, the smaller one first",
                |low, high| -4.0 <= low && low <= high && high <= 4.0,
            )?,
            p: probability(&section, 1.0)?,
        };
        section.finish()?;
        Ok(pen)
    }
}

impl BreaksSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let breaks = Self {
            count: section.integer("count", 3, 1..=100)?,
            width: section.pair_where(
                "width",
                (0.5, 2.0),
                "two widths between 0 and 28 pixels, the smaller one first",
                |low, high| 0.0 <= low && low <= high && high <= 28.0,
            )?,
            p: probability(&section, 0.5)?,
        };
        section.finish()?;
        Ok(breaks)
    }
}

impl DownscaleSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let downscale = Self {
            scale: section.pair_where(
                "scale",
                (0.35, 0.8),
                "two factors between 0.1 and 1, the smaller one first",
                |low, high| 0.1 <= low && low <= high && high <= 1.0,
            )?,
            p: probability(&section, 0.5)?,
        };
        section.finish()?;
        Ok(downscale)
    }
}

impl ClutterSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let clutter = Self {
            count: section.integer("count", 3, 1..=100)?,
            level: section.pair_where(
                "level",
                (0.1, 0.6),
                "two levels between 0 (paper) and 1 (ink), the smaller one first",
                |low, high| 0.0 <= low && low <= high && high <= 1.0,
            )?,
            p: probability(&section, 0.5)?,
        };
        section.finish()?;
        Ok(clutter)
    }
}

impl RandomErasingSpec {
    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        let erasing = Self {
            p: probability(&section, 0.5)?,
            scale: section.pair_where(
                "scale",
                (0.02, 0.33),
                "two fractions of the image's area between 0 and 1, the smaller one first",
                |low, high| 0.0 <= low && low <= high && high <= 1.0,
            )?,
            ratio: section.pair_where(
                "ratio",
                (0.3, 3.3),
                "two numbers between 0.01 and 100, the smaller one first",
                |low, high| 0.01 <= low && low <= high && high <= 100.0,
            )?,
            value: section.number_where("value", 0.0, "between 0 (paper) and 1 (ink)", fraction)?,
        };
        section.finish()?;
        Ok(erasing)
    }
}
