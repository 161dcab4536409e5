//! `[augment]`: how training images are varied, each time they are seen.

mod geometry;
mod ink;

use serde::Serialize;

use crate::schema::{SchemaError, Section};
pub use geometry::{AffineSpec, ElasticSpec, RefitSpec, StretchSpec};
pub use ink::{BreaksSpec, ClutterSpec, DownscaleSpec, EuropeanSpec, PenSpec, RandomErasingSpec};

/// `[augment]`, in the order that it is done. What is not named is not done, and a recipe without
/// it trains on the images as they are.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct AugmentSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub european: Option<EuropeanSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub affine: Option<AffineSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stretch: Option<StretchSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elastic: Option<ElasticSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pen: Option<PenSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaks: Option<BreaksSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clutter: Option<ClutterSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downscale: Option<DownscaleSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refit: Option<RefitSpec>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub random_erasing: Option<RandomErasingSpec>,
}

impl AugmentSpec {
    /// Whether nothing is done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn read(section: Section<'_>) -> Result<Self, SchemaError> {
        // An empty table asks for the defaults, an absent one for nothing.
        fn part<T>(
            section: &Section<'_>,
            key: &'static str,
            read: impl Fn(Section<'_>) -> Result<T, SchemaError>,
        ) -> Result<Option<T>, SchemaError> {
            section.optional_section(key)?.map(read).transpose()
        }
        let augment = Self {
            european: part(&section, "european", EuropeanSpec::read)?,
            affine: part(&section, "affine", AffineSpec::read)?,
            stretch: part(&section, "stretch", StretchSpec::read)?,
            elastic: part(&section, "elastic", ElasticSpec::read)?,
            pen: part(&section, "pen", PenSpec::read)?,
            breaks: part(&section, "breaks", BreaksSpec::read)?,
            clutter: part(&section, "clutter", ClutterSpec::read)?,
            downscale: part(&section, "downscale", DownscaleSpec::read)?,
            refit: part(&section, "refit", RefitSpec::read)?,
            random_erasing: part(&section, "random_erasing", RandomErasingSpec::read)?,
        };
        section.finish()?;
        Ok(augment)
    }
}

fn probability(section: &Section<'_>, default: f64) -> Result<f64, SchemaError> {
    section.number_where("p", default, "a probability between 0 and 1", fraction)
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
            "european = { p = 0.3 }\n\
             affine = { degrees = 10, translate = [0.1, 0.2], scale = [0.9, 1.1], shear = 5.5 }\n\
             stretch = { ratio = [0.5, 2], p = 0.1 }\n\
             elastic = { alpha = 30, sigma = 3.5, p = 0.75 }\n\
             pen = { width = [-0.5, 2], p = 0.9 }\n\
             breaks = { count = 2, width = [1, 1.5], p = 0.2 }\n\
             clutter = { count = 5, level = [0, 1], p = 0.6 }\n\
             downscale = { scale = [0.3, 1], p = 0.4 }\n\
             refit = { p = 0.8 }\n\
             random_erasing = { p = 0.25, scale = [0, 0.2], ratio = [0.5, 2], value = 1 }",
        )
        .unwrap();
        assert_eq!(
            full.augment,
            AugmentSpec {
                european: Some(EuropeanSpec { p: 0.3 }),
                affine: Some(AffineSpec {
                    degrees: 10.0,
                    translate: (0.1, 0.2),
                    scale: (0.9, 1.1),
                    shear: 5.5,
                }),
                stretch: Some(StretchSpec {
                    ratio: (0.5, 2.0),
                    p: 0.1,
                }),
                elastic: Some(ElasticSpec {
                    alpha: 30.0,
                    sigma: 3.5,
                    p: 0.75,
                }),
                pen: Some(PenSpec {
                    width: (-0.5, 2.0),
                    p: 0.9,
                }),
                breaks: Some(BreaksSpec {
                    count: 2,
                    width: (1.0, 1.5),
                    p: 0.2,
                }),
                clutter: Some(ClutterSpec {
                    count: 5,
                    level: (0.0, 1.0),
                    p: 0.6,
                }),
                downscale: Some(DownscaleSpec {
                    scale: (0.3, 1.0),
                    p: 0.4,
                }),
                refit: Some(RefitSpec { p: 0.8 }),
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
        let augment = with(
            "european = {}\naffine = {}\nstretch = {}\nelastic = {}\npen = {}\nbreaks = {}\n\
             downscale = {}\nrefit = {}\nclutter = {}\nrandom_erasing = {}",
        )
        .unwrap();
        let defaults = AugmentSpec {
            european: Some(EuropeanSpec { p: 0.5 }),
            affine: Some(AffineSpec {
                degrees: 0.0,
                translate: (0.0, 0.0),
                scale: (1.0, 1.0),
                shear: 0.0,
            }),
            stretch: Some(StretchSpec {
                ratio: (0.75, 4.0 / 3.0),
                p: 1.0,
            }),
            elastic: Some(ElasticSpec {
                alpha: 34.0,
                sigma: 4.0,
                p: 1.0,
            }),
            pen: Some(PenSpec {
                width: (-1.0, 1.0),
                p: 1.0,
            }),
            breaks: Some(BreaksSpec {
                count: 3,
                width: (0.5, 2.0),
                p: 0.5,
            }),
            clutter: Some(ClutterSpec {
                count: 3,
                level: (0.1, 0.6),
                p: 0.5,
            }),
            downscale: Some(DownscaleSpec {
                scale: (0.35, 0.8),
                p: 0.5,
            }),
            refit: Some(RefitSpec { p: 1.0 }),
            random_erasing: Some(RandomErasingSpec {
                p: 0.5,
                scale: (0.02, 0.33),
                ratio: (0.3, 3.3),
                value: 0.0,
            }),
        };
        assert_eq!(augment.augment, defaults);
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
                "european = { p = 2 }",
                "`p` in [european] must be a probability",
            ),
            (
                "stretch = { ratio = [2, 1] }",
                "`ratio` in [stretch] must be two factors",
            ),
            ("pen = { width = [-5, 0] }", "between -4 and 4 pixels"),
            ("pen = { width = 1 }", "must be a list of two numbers"),
            ("breaks = { count = 0 }", "`count` in [breaks] must be"),
            ("breaks = { width = [0, 29] }", "between 0 and 28 pixels"),
            (
                "downscale = { scale = [0.5, 1.5] }",
                "two factors between 0.1 and 1",
            ),
            ("refit = 1", "`refit` in [augment] must be a table"),
            ("refit = { size = 20 }", "unknown key `size` in [refit]"),
            (
                "clutter = { level = [0, 255] }",
                "two levels between 0 (paper) and 1 (ink)",
            ),
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
