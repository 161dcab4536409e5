//! `[augment]`: how training images are varied, each time they are seen.

use serde::Serialize;

use super::error::RecipeError;
use super::section::Section;

/// `[augment]`. What is not named is not done, and a recipe without it trains on the images as
/// they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct AugmentSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affine: Option<AffineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elastic: Option<ElasticSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_erasing: Option<RandomErasingSpec>,
}

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

impl AugmentSpec {
    /// Whether nothing is done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn read(section: Section<'_>) -> Result<Self, RecipeError> {
        // An empty table asks for the defaults, an absent one for nothing.
        let affine = section.optional_section("affine")?;
        let elastic = section.optional_section("elastic")?;
        let erasing = section.optional_section("random_erasing")?;
        let augment = Self {
            affine: affine.map(AffineSpec::read).transpose()?,
            elastic: elastic.map(ElasticSpec::read).transpose()?,
            random_erasing: erasing.map(RandomErasingSpec::read).transpose()?,
        };
        section.finish()?;
        Ok(augment)
    }
}

impl AffineSpec {
    fn read(section: Section<'_>) -> Result<Self, RecipeError> {
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

impl ElasticSpec {
    fn read(section: Section<'_>) -> Result<Self, RecipeError> {
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
            p: section.number_where("p", 1.0, "a probability between 0 and 1", fraction)?,
        };
        section.finish()?;
        Ok(elastic)
    }
}

impl RandomErasingSpec {
    fn read(section: Section<'_>) -> Result<Self, RecipeError> {
        let erasing = Self {
            p: section.number_where("p", 0.5, "a probability between 0 and 1", fraction)?,
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

fn fraction(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Recipe;

    /// A built-in recipe with these lines at its end.
    fn with(lines: &str) -> Result<Recipe, String> {
        let text = Recipe::builtin_text("lenet").unwrap();
        assert!(!text.contains("[augment]"));
        Recipe::parse("mine.toml", &format!("{text}\n[augment]\n{lines}\n"), &[])
            .map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_named_is_not_done() {
        let plain = Recipe::load("lenet", &[]).unwrap();
        assert_eq!(plain.augment, AugmentSpec::default());
        assert!(!plain.to_toml().contains("augment"));
        assert_eq!(with("").unwrap(), plain);
    }

    #[test]
    fn every_value_is_read_and_survives_being_written_out() {
        let full = with(
            "affine = { degrees = 10, translate = [0.1, 0.2], scale = [0.9, 1.1], shear = 5.5 }\n\
             elastic = { alpha = 30, sigma = 3.5, p = 0.75 }\n\
             random_erasing = { p = 0.25, scale = [0, 0.2], ratio = [0.5, 2], value = 1 }",
        )
        .unwrap();
        assert_eq!(
            full.augment,
            AugmentSpec {
                affine: Some(AffineSpec {
                    degrees: 10.0,
                    translate: (0.1, 0.2),
                    scale: (0.9, 1.1),
                    shear: 5.5,
                }),
                elastic: Some(ElasticSpec {
                    alpha: 30.0,
                    sigma: 3.5,
                    p: 0.75,
                }),
                random_erasing: Some(RandomErasingSpec {
                    p: 0.25,
                    scale: (0.0, 0.2),
                    ratio: (0.5, 2.0),
                    value: 1.0,
                }),
            }
        );
        assert_eq!(Recipe::parse("again", &full.to_toml(), &[]).unwrap(), full);
    }

    #[test]
    fn an_empty_table_asks_for_the_defaults() {
        let augment = with("affine = {}\nelastic = {}\nrandom_erasing = {}").unwrap();
        let affine = AffineSpec {
            degrees: 0.0,
            translate: (0.0, 0.0),
            scale: (1.0, 1.0),
            shear: 0.0,
        };
        let elastic = ElasticSpec {
            alpha: 34.0,
            sigma: 4.0,
            p: 1.0,
        };
        let erasing = RandomErasingSpec {
            p: 0.5,
            scale: (0.02, 0.33),
            ratio: (0.3, 3.3),
            value: 0.0,
        };
        assert_eq!(augment.augment.affine, Some(affine));
        assert_eq!(augment.augment.elastic, Some(elastic));
        assert_eq!(augment.augment.random_erasing, Some(erasing));
        let set = ["augment.elastic.sigma=5".to_string()];
        let changed = Recipe::load("lenet", &set).unwrap().augment.elastic;
        assert_eq!(changed.unwrap().sigma, 5.0);
    }

    #[test]
    fn mistakes_are_refused_in_sentences() {
        for (lines, words) in [
            (
                "afine = {}",
                "unknown key `afine` in [augment]; did you mean `affine`?",
            ),
            ("noise = {}", "unknown key `noise` in [augment]"),
            ("affine = 10", "`affine` in [augment] must be a table"),
            ("affine = { degree = 1 }", "did you mean `degrees`?"),
            (
                "affine = { degrees = 200 }",
                "`degrees` in [affine] must be between 0 and 180",
            ),
            ("affine = { degrees = -1 }", "not -1"),
            ("affine = { degrees = nan }", "must be finite"),
            (
                "affine = { translate = 0.1 }",
                "must be a list of two numbers",
            ),
            ("affine = { translate = [0.1, 1.5] }", "not [0.1, 1.5]"),
            (
                "affine = { translate = [nan, 0] }",
                "two fractions between 0 and 1",
            ),
            (
                "affine = { scale = [1.1, 0.9] }",
                "the smaller one first, not [1.1, 0.9]",
            ),
            (
                "affine = { scale = [0, 1] }",
                "`scale` in [affine] must be two factors",
            ),
            ("affine = { scale = [1, inf] }", "between 0.1 and 10"),
            (
                "affine = { shear = 61 }",
                "`shear` in [affine] must be between 0 and 60",
            ),
            (
                "elastic = { alpha = -1 }",
                "`alpha` in [elastic] must be between 0 and 1000",
            ),
            (
                "elastic = { sigma = 0 }",
                "`sigma` in [elastic] must be greater than 0",
            ),
            ("elastic = { sigma = 28.5 }", "at most 28 pixels"),
            (
                "elastic = { p = 1.5 }",
                "`p` in [elastic] must be a probability",
            ),
            ("elastic = { P = 1 }", "unknown key `P` in [elastic]"),
            (
                "random_erasing = { p = -0.1 }",
                "`p` in [random_erasing] must be a probability",
            ),
            ("random_erasing = { scale = [0.5, 0.1] }", "not [0.5, 0.1]"),
            (
                "random_erasing = { scale = [0.5, 1.1] }",
                "fractions of the image's area",
            ),
            (
                "random_erasing = { ratio = [0, 1] }",
                "two numbers between 0.01 and 100",
            ),
            (
                "random_erasing = { value = 255 }",
                "between 0 (paper) and 1 (ink), not 255",
            ),
            (
                "random_erasing = { value = \"random\" }",
                "must be a number",
            ),
        ] {
            let message = with(lines).unwrap_err();
            assert!(message.contains(words), "{lines}: {message}");
            assert!(message.starts_with("mine.toml, line "), "{message}");
        }
    }
}
