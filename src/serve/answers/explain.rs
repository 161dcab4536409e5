//! `POST /api/explain`: what goes on inside of a network that reads a digit.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

use super::query::Asked;
use crate::dataset::{PIXELS, SIDE};
use crate::engine::{FeatureMaps, feature_maps};
use crate::evaluation::Prediction;
use crate::serve::app::App;
use crate::serve::error::{HttpError, json};
use crate::serve::reader::Loaded;

/// The side of the square that covers a part of the digit, and how far it moves, in pixels.
const PATCH: usize = 4;
const STEP: usize = 2;

/// More than 784 numbers need.
const MOST: usize = 64 << 10;

#[derive(Debug, Deserialize)]
pub struct Ask {
    checkpoint: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Body {
    pixels: Vec<u8>,
}

#[derive(Debug, Serialize)]
struct Explanation {
    digit: usize,
    confidence: f64,
    layers: Vec<Layer>,
    occlusion: Occlusion,
}

/// The channels that a convolution makes of the digit.
#[derive(Debug, Serialize)]
struct Layer {
    name: String,
    channels: usize,
    height: usize,
    width: usize,
    /// A byte a value, from `low` to `high`, channel by channel, in base64.
    values: String,
    low: f32,
    high: f32,
}

/// How much the log-odds of the digit fall when a patch of paper covers a pixel.
///
/// Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", 2013, section 4.2.
#[derive(Debug, Serialize)]
struct Occlusion {
    patch: usize,
    /// Of each pixel the mean over the patches that cover it.
    values: Vec<f64>,
}

pub async fn explain(
    State(app): State<Arc<App>>,
    Asked(ask): Asked<Ask>,
    request: Request,
) -> Result<Response, HttpError> {
    let network = app.network(ask.checkpoint).await?;
    let body = app.bodies.read(request.into_body(), MOST).await?;
    let body: Body = serde_json::from_slice(&body.bytes)
        .map_err(|error| HttpError::bad(format!("the body is not as it should be: {error}")))?;
    if body.pixels.len() != PIXELS {
        return Err(HttpError::bad(format!(
            "`pixels` needs {PIXELS} numbers, not {}",
            body.pixels.len()
        )));
    }
    let explanation = app
        .reader
        .with(&network, move |loaded| of(loaded, &body.pixels));
    Ok(json(&explanation.await?))
}

fn of(loaded: &Loaded, pixels: &[u8]) -> Result<Explanation, HttpError> {
    let failed = |problem: String| HttpError::internal(problem);
    let covered: Vec<Vec<u8>> = places().map(|place| without(pixels, place)).collect();
    let images: Vec<&[u8]> = std::iter::once(pixels)
        .chain(covered.iter().map(Vec::as_slice))
        .collect();
    let predictions = loaded.ensemble.predict(&images);
    let predictions = predictions.map_err(|error| failed(error.to_string()))?;
    let (whole, covered) = (&predictions[0], &predictions[1..]);
    let digit = whole.digit();
    let falls = covered
        .iter()
        .map(|prediction| log_odds(whole, digit) - log_odds(prediction, digit));
    let checkpoint = &loaded.checkpoint;
    let maps = feature_maps(
        &checkpoint.recipe.model.layers,
        checkpoint.recipe.data.normalize,
        &checkpoint.tensors,
        pixels,
    );
    let maps = maps.map_err(|error| failed(error.to_string()))?;
    Ok(Explanation {
        digit,
        confidence: whole.confidence(),
        layers: maps.into_iter().map(layer).collect(),
        occlusion: Occlusion {
            patch: PATCH,
            values: spread(falls),
        },
    })
}

/// The upper left corners of the patches, some of them outside of the image by a step.
fn places() -> impl Iterator<Item = (isize, isize)> {
    let along = || (-(STEP as isize)..SIDE as isize).step_by(STEP);
    along().flat_map(move |y| along().map(move |x| (x, y)))
}

/// The pixels of a patch that are in the image.
fn patch((x, y): (isize, isize)) -> impl Iterator<Item = usize> {
    let along = |start: isize| {
        let end = start + PATCH as isize;
        (start.max(0) as usize..end.clamp(0, SIDE as isize) as usize).collect::<Vec<_>>()
    };
    let columns = along(x);
    along(y).into_iter().flat_map(move |row| {
        let columns = columns.clone();
        columns.into_iter().map(move |column| row * SIDE + column)
    })
}

fn without(pixels: &[u8], place: (isize, isize)) -> Vec<u8> {
    let mut pixels = pixels.to_vec();
    patch(place).for_each(|pixel| pixels[pixel] = 0);
    pixels
}

/// The logarithm of the probability of `digit` over that of all others.
fn log_odds(prediction: &Prediction, digit: usize) -> f64 {
    let probabilities = prediction.probabilities.iter().enumerate();
    let others: f64 = probabilities
        .filter(|(other, _)| *other != digit)
        .map(|(_, p)| p)
        .sum();
    let odds =
        prediction.probabilities[digit].max(f64::MIN_POSITIVE) / others.max(f64::MIN_POSITIVE);
    odds.ln()
}

/// Each pixel's mean over the patches that cover it.
fn spread(falls: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sums = vec![(0.0, 0.0); PIXELS];
    for (place, fall) in places().zip(falls) {
        for pixel in patch(place) {
            sums[pixel].0 += fall;
            sums[pixel].1 += 1.0;
        }
    }
    sums.into_iter()
        .map(|(sum, count): (f64, f64)| sum / count.max(1.0))
        .collect()
}

fn layer(maps: FeatureMaps) -> Layer {
    let low = maps.values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = maps
        .values
        .iter()
        .copied()
        .fold(f32::NEG_INFINITY, f32::max);
    let range = (high - low).max(f32::MIN_POSITIVE);
    let byte = |value: &f32| ((value - low) / range * 255.0).round() as u8;
    let bytes: Vec<u8> = maps.values.iter().map(byte).collect();
    let [channels, height, width] = maps.shape;
    Layer {
        name: maps.layer,
        channels,
        height,
        width,
        values: BASE64_STANDARD.encode(bytes),
        low,
        high,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pixel_is_covered_as_often_as_any_other() {
        let mut counts = [0; PIXELS];
        places()
            .flat_map(patch)
            .for_each(|pixel| counts[pixel] += 1);
        assert_eq!(counts, [4; PIXELS]);
        // A fall at one place is seen at its patch, and nowhere else.
        let falls = places().map(|place| if place == (8, 10) { 4.0 } else { 0.0 });
        let values = spread(falls);
        let seen: Vec<usize> = (0..PIXELS).filter(|&pixel| values[pixel] != 0.0).collect();
        assert_eq!(seen, patch((8, 10)).collect::<Vec<_>>());
        assert_eq!(values[10 * SIDE + 8], 1.0);
    }
}
