//! Axes: from values to places along a line, and the ticks that a reader finds round.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::text;

/// How values are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    Linear,
    /// Logarithmic; values must be positive.
    Log,
    /// For accuracies, fractions of 1: logarithmic in what is missing to 1, so that halving the
    /// errors is always the same distance.
    Accuracy,
}

/// One axis of a chart.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub label: String,
    scale: Scale,
    /// The smallest share of errors that is told from none at all; for [`Scale::Accuracy`].
    fewest: f64,
    /// The ends, as places.
    pub low: f64,
    pub high: f64,
    /// Places and texts.
    pub ticks: Vec<(f64, String)>,
}

/// Which way an axis runs, and so what keeps its labels apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Across,
    Up,
}

impl Axis {
    /// An axis of `length` CSS pixels that shows all `values` that its scale can show.
    pub fn new(
        label: &str,
        scale: Scale,
        values: impl Iterator<Item = f64> + Clone,
        (direction, length): (Direction, i32),
    ) -> Self {
        let least_error = values
            .clone()
            .map(|value| 1.0 - value)
            .filter(|&error| error > 0.0)
            .fold(1.0, f64::min);
        let mut axis = Self {
            label: label.to_string(),
            scale,
            fewest: (least_error / 2.0).max(1e-9),
            low: 0.0,
            high: 1.0,
            ticks: Vec::new(),
        };
        let places: Vec<f64> = values
            .clone()
            .filter_map(|value| axis.place(value))
            .collect();
        if !places.is_empty() {
            let low = places.iter().copied().fold(f64::INFINITY, f64::min);
            let high = places.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let margin = match high - low {
                0.0 => (0.05 * high.abs()).max(1e-3),
                spread => 0.04 * spread,
            };
            (axis.low, axis.high) = (low - margin, high + margin);
        }
        let whole = values.clone().all(|value| value.fract() == 0.0);
        axis.ticks = axis.choose_ticks(whole, (direction, length));
        axis
    }

    /// Where `value` stands; `None` if the scale has no place for it.
    pub fn place(&self, value: f64) -> Option<f64> {
        let place = match self.scale {
            Scale::Linear => value,
            Scale::Log if value <= 0.0 => return None,
            Scale::Log => value.log10(),
            Scale::Accuracy => -(1.0 - value).max(self.fewest).log10(),
        };
        place.is_finite().then_some(place)
    }

    fn value(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Linear => place,
            Scale::Log => 10f64.powf(place),
            Scale::Accuracy => 1.0 - 10f64.powf(-place),
        }
    }

    fn choose_ticks(
        &self,
        whole: bool,
        (direction, length): (Direction, i32),
    ) -> Vec<(f64, String)> {
        let most = match direction {
            Direction::Across => 7,
            Direction::Up => 6,
        };
        let (low, high) = (self.value(self.low), self.value(self.high));
        let candidates = match self.scale {
            Scale::Linear => round_steps(low, high, most, whole),
            Scale::Log => by_decade(low, high, |decade| {
                [1.0, 2.0, 5.0].map(|digit| digit * decade)
            }),
            Scale::Accuracy => by_decade(1.0 - high, 1.0 - low, |decade| {
                [0.1, 0.2, 0.5].map(|digit| digit * decade * 10.0)
            })
            .into_iter()
            .map(|(error, rank)| (1.0 - error, rank))
            .collect(),
        };
        let inside = |&(value, _): &(f64, u8)| {
            let place = self.place(value);
            place.is_some_and(|place| (self.low..=self.high).contains(&place))
        };
        let mut values: Vec<(f64, u8)> = candidates.into_iter().filter(inside).collect();
        if values.len() < 3 && self.scale != Scale::Linear {
            // Less than a decade: round steps say more.
            values = round_steps(low, high, most, whole);
        }
        self.thinned(values, (direction, length))
    }

    /// Keeps the ticks whose labels have room, those of the lowest rank first.
    fn thinned(
        &self,
        mut values: Vec<(f64, u8)>,
        (direction, length): (Direction, i32),
    ) -> Vec<(f64, String)> {
        values.sort_by(|a, b| a.1.cmp(&b.1).then(a.0.total_cmp(&b.0)));
        let decimals = |value: f64| match self.scale {
            // They are evenly spaced, so they all get the number of decimals that one of them
            // needs.
            Scale::Linear => values.iter().map(|tick| decimals_of(tick.0, &values)).max(),
            _ => Some(decimals_of(value, &values)),
        };
        let mut kept: Vec<(f64, String, f64, f64)> = Vec::new();
        for &(value, _) in &values {
            let Some(place) = self.place(value) else {
                continue;
            };
            let label = number(value, decimals(value).unwrap_or(0));
            let middle = (place - self.low) / (self.high - self.low) * f64::from(length);
            let half = match direction {
                Direction::Across => f64::from(text::width(&label, text::SMALL)) / 2.0 + 5.0,
                Direction::Up => 11.0,
            };
            let (from, to) = (middle - half, middle + half);
            if kept.iter().all(|&(_, _, a, b)| to <= a || from >= b) {
                kept.push((place, label, from, to));
            }
        }
        kept.sort_by(|a, b| a.0.total_cmp(&b.0));
        kept.into_iter()
            .map(|(place, label, _, _)| (place, label))
            .collect()
    }
}

/// Places as plotters' coordinates.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (from, to): (i32, i32)) -> i32 {
        let part = (place - self.low) / (self.high - self.low);
        from + (part * f64::from(to - from)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            // The finer grid between the ticks, which we leave out.
            Vec::new()
        } else {
            self.ticks.iter().map(|(place, _)| *place).collect()
        }
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    /// plotters hands the ticks' places back as they are.
    fn format_ext(&self, place: &f64) -> String {
        let tick = self.ticks.iter().find(|(other, _)| other == place);
        tick.map(|(_, label)| label.clone()).unwrap_or_default()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten between `low` and `high`: at most about `most`.
fn round_steps(low: f64, high: f64, most: usize, whole: bool) -> Vec<(f64, u8)> {
    let spread = high - low;
    if !(spread.is_finite() && spread > 0.0) {
        return vec![(low, 0)];
    }
    let rough = spread / most as f64;
    let decade = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|&step| step >= rough)
        .unwrap_or(10.0 * decade);
    let step = if whole { step.max(1.0) } else { step };
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    // Rounding leaves digits behind (0.30000000000000004), which the label doesn't show.
    (first..=last)
        .map(|count| (count as f64 * step, 0))
        .collect()
}

/// The values that `of_decade` gives for 10^k, for every power between `low` and `high`. Their
/// rank is higher the less round they are.
fn by_decade(low: f64, high: f64, of_decade: impl Fn(f64) -> [f64; 3]) -> Vec<(f64, u8)> {
    if !(low > 0.0 && high.is_finite()) {
        return Vec::new();
    }
    let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
    decades
        .flat_map(|power| {
            let values = of_decade(10f64.powi(power));
            values.into_iter().zip([0u8, 2, 1])
        })
        .collect()
}

/// How many decimals tell `value` from its neighbours among `values`.
fn decimals_of(value: f64, values: &[(f64, u8)]) -> usize {
    let enough = |decimals: &usize| {
        let unit = 10f64.powi(-(*decimals as i32));
        let off = (value / unit - (value / unit).round()).abs() * unit;
        let nearest = values
            .iter()
            .map(|(other, _)| (other - value).abs())
            .filter(|&distance| distance > 0.0)
            .fold(value.abs().max(1e-12), f64::min);
        off < 0.01 * nearest
    };
    (0..12).find(enough).unwrap_or(12)
}

/// A number as it stands beside a tick: 0.95, 20k, 3M, 1e-5.
pub(super) fn number(value: f64, decimals: usize) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".to_string(),
        _ if size >= 1e6 => format!("{}M", plain(value / 1e6)),
        _ if size >= 1e4 => format!("{}k", plain(value / 1e3)),
        _ if size < 1e-3 => format!("{:e}", rounded(value)),
        _ => format!("{value:.decimals$}"),
    }
}

/// At most four digits, without zeros at the end.
fn plain(value: f64) -> String {
    rounded(value).to_string()
}

fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, values: &[f64], direction: Direction) -> Vec<String> {
        let length = if direction == Direction::Up { 220 } else { 400 };
        let axis = Axis::new("", scale, values.iter().copied(), (direction, length));
        axis.ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        let epochs: Vec<f64> = (1..=150).map(f64::from).collect();
        let expected = ["0", "50", "100", "150"];
        assert_eq!(labels(Scale::Linear, &epochs, Direction::Across), expected);
        assert_eq!(
            labels(Scale::Linear, &[1.0, 2.0, 3.0], Direction::Across),
            ["1", "2", "3"]
        );
        assert_eq!(labels(Scale::Linear, &[1.0], Direction::Across), ["1"]);
        let losses = [0.011, 0.4, 2.3];
        assert_eq!(
            labels(Scale::Log, &losses, Direction::Up),
            ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1", "2"]
        );
        let rates = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
        assert_eq!(
            labels(Scale::Log, &rates, Direction::Up),
            ["1e-7", "1e-6", "1e-5", "1e-4", "0.001", "0.01"]
        );
        let parameters = [9_956.0, 61_706.0, 211_140.0];
        assert_eq!(
            labels(Scale::Log, &parameters, Direction::Across),
            ["10k", "20k", "50k", "100k", "200k"]
        );
    }

    #[test]
    fn accuracies_stand_by_what_they_lack() {
        let figures = [0.31, 0.92, 0.97, 0.991];
        let ticks = labels(Scale::Accuracy, &figures, Direction::Up);
        assert_eq!(ticks, ["0.5", "0.8", "0.9", "0.95", "0.98", "0.99"]);
        // A perfect one has a place too, above all others.
        let axis = Axis::new(
            "",
            Scale::Accuracy,
            [0.9, 0.99, 1.0].into_iter(),
            (Direction::Up, 220),
        );
        assert!(axis.place(1.0).unwrap() > axis.place(0.99).unwrap());
        assert!(axis.place(1.0).unwrap() < axis.high);
    }

    #[test]
    fn what_a_scale_cannot_show_has_no_place() {
        let values = [f64::NAN, 0.0, -1.0, 0.5];
        let axis = Axis::new("", Scale::Log, values.into_iter(), (Direction::Up, 220));
        assert!(axis.place(0.0).is_none() && axis.place(f64::NAN).is_none());
        assert!(axis.low < axis.place(0.5).unwrap());
        let nothing = Axis::new("", Scale::Linear, std::iter::empty(), (Direction::Up, 220));
        assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
    }
}
