//! What a comparison shows, in sentences computed from its figures.
//!
//! Networks that differ in one thing only show what that thing does. Where there are none, the
//! sentence says so: then the difference may come from whatever else they differ in.

use std::collections::BTreeMap;

use super::features::{Case, Feature, features};
use super::plan::Comparison;
use super::table::{Figure, Table, VariantFigures};

/// Times closer than this are called the same: a machine is never quite idle.
const SAME_TIME: f64 = 1.1;

/// The sentences; none for a comparison of fewer than two variants that are complete.
pub fn findings(comparison: &Comparison, table: &Table) -> Vec<String> {
    let measured: Vec<Option<Point>> = table.variants.iter().map(Point::of).collect();
    let points: Vec<(&str, Point)> = measured
        .iter()
        .zip(&table.variants)
        .filter_map(|(point, variant)| Some((variant.variant.as_str(), (*point)?)))
        .collect();
    if points.len() < 2 {
        return Vec::new();
    }
    let mut sentences = vec![extremes(&points)];
    let chance = Chance::of(table);
    for feature in features(&comparison.variants) {
        sentences.extend(of_feature(&feature, &measured, &chance));
    }
    if let Chance::Unknown = chance {
        sentences.push(
            "There is one run of each, so how much of a difference is chance can't be told; \
             --seeds 3 trains each three times."
                .to_string(),
        );
    }
    let mut conditions = table.runs.iter().filter_map(|run| run.measured.as_ref());
    let first = conditions.next().map(|run| (&run.backend, run.threads));
    if conditions.any(|run| Some((&run.backend, run.threads)) != first) {
        sentences.push(
            "The runs were not all trained on the same number of threads, so their times don't \
             compare."
                .to_string(),
        );
    }
    sentences
}

/// The variant that is the most accurate, and the one that is the fastest to train.
fn extremes(points: &[(&str, Point)]) -> String {
    let (mut best, mut fastest) = (points[0], points[0]);
    for point in points {
        if point.1.accuracy > best.1.accuracy {
            best = *point;
        }
        if point.1.seconds < fastest.1.seconds {
            fastest = *point;
        }
    }
    let (accuracy, time) = (best.1.accuracy, seconds(fastest.1.seconds));
    if best.0 == fastest.0 {
        format!(
            "{} has the highest test accuracy, {accuracy:.4}, and was trained fastest, in {time}.",
            best.0
        )
    } else {
        format!(
            "{} has the highest test accuracy, {accuracy:.4}, after {}; {} was trained fastest, in \
             {time}, and has {:.4}.",
            best.0,
            seconds(best.1.seconds),
            fastest.0,
            fastest.1.accuracy
        )
    }
}

/// The figures that the sentences compare.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Point {
    accuracy: f64,
    seconds: f64,
}

impl Point {
    fn of(variant: &VariantFigures) -> Option<Self> {
        Some(Self {
            accuracy: variant.test_accuracy?.mean,
            seconds: variant.seconds?.mean,
        })
    }

    fn mean(points: &[Point]) -> Option<Self> {
        Some(Self {
            accuracy: Figure::of(points.iter().map(|point| point.accuracy))?.mean,
            seconds: Figure::of(points.iter().map(|point| point.seconds))?.mean,
        })
    }
}

/// How far the test accuracies of the seeds of one variant lie apart, at most.
#[derive(Debug, Clone, Copy)]
enum Chance {
    Unknown,
    UpTo(f64),
}

impl Chance {
    fn of(table: &Table) -> Self {
        let several = table.variants.iter().filter(|variant| variant.runs > 1);
        let ranges = several.filter_map(|variant| Some(variant.test_accuracy?.range()));
        match Figure::of(ranges) {
            Some(ranges) => Chance::UpTo(ranges.max),
            None => Chance::Unknown,
        }
    }
}

/// The values of one feature, and the figures that they led to.
struct Group {
    points: Vec<(String, Point)>,
    /// How many networks each point is the mean of.
    networks: usize,
}

fn of_feature(feature: &Feature, measured: &[Option<Point>], chance: &Chance) -> Vec<String> {
    let cases: Vec<(&Case, Point)> = feature
        .cases
        .iter()
        .zip(measured)
        .filter_map(|(case, point)| Some((case.as_ref()?, (*point)?)))
        .collect();
    let groups = alike(&cases);
    if !groups.is_empty() {
        let sentence = |group: &Group| {
            let networks = match group.networks {
                1 => format!("networks alike in {}", feature.alike),
                many => format!(
                    "means over {many} networks each, alike in {}",
                    feature.alike
                ),
            };
            sentence(&feature.name, group, &networks, chance)
        };
        return groups.iter().map(sentence).collect();
    }
    let values = values(&cases);
    if values.len() < 2 {
        return Vec::new();
    }
    let group = Group {
        points: values
            .iter()
            .filter_map(|value| Some((value.clone(), mean_of(&cases, value)?)))
            .collect(),
        networks: 0,
    };
    let caution = "means over networks that differ in more than that, so it need not be the cause";
    vec![sentence(&feature.name, &group, caution, chance)]
}

/// The values that occur, in ascending order where they are numbers, or else as they come.
fn values(cases: &[(&Case, Point)]) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for (case, _) in cases {
        if !values.contains(&case.value) {
            values.push(case.value.clone());
        }
    }
    let number = |value: &String| -> Option<f64> {
        let end = value.find([' ', 'x']).unwrap_or(value.len());
        value[..end].parse().ok()
    };
    if values.iter().all(|value| number(value).is_some()) {
        values.sort_by(|a, b| {
            number(a)
                .unwrap_or(0.0)
                .total_cmp(&number(b).unwrap_or(0.0))
        });
    }
    values
}

fn mean_of(cases: &[(&Case, Point)], value: &str) -> Option<Point> {
    let with_value = cases.iter().filter(|(case, _)| case.value == value);
    Point::mean(&with_value.map(|(_, point)| *point).collect::<Vec<_>>())
}

/// Networks that differ in nothing else than one feature.
type Block<'a> = Vec<(&'a Case, Point)>;

/// Networks that differ in the feature's value alone; those that have the same values to choose
/// from are put together.
fn alike(cases: &[(&Case, Point)]) -> Vec<Group> {
    let mut blocks: BTreeMap<&str, Block<'_>> = BTreeMap::new();
    for (case, point) in cases {
        blocks.entry(&case.rest).or_default().push((case, *point));
    }
    let mut by_values: BTreeMap<Vec<String>, Vec<Block<'_>>> = BTreeMap::new();
    for block in blocks.into_values() {
        let values = values(&block);
        if values.len() > 1 {
            by_values.entry(values).or_default().push(block);
        }
    }
    let groups = by_values.into_iter().map(|(values, blocks)| {
        let point = |value: String| {
            let means: Vec<Point> = blocks
                .iter()
                .filter_map(|block| mean_of(block, &value))
                .collect();
            Some((value, Point::mean(&means)?))
        };
        Group {
            points: values.into_iter().filter_map(point).collect(),
            networks: blocks.len(),
        }
    });
    groups.collect()
}

fn sentence(name: &str, group: &Group, networks: &str, chance: &Chance) -> String {
    let points = group.points.iter();
    let figure = |value: fn(&Point) -> f64| {
        let values = group.points.iter().map(|(_, point)| value(point));
        Figure::of(values).unwrap_or_default()
    };
    let accuracy = figure(|point| point.accuracy);
    let accuracies = points
        .clone()
        .map(|(value, point)| format!("{:.4} with {value}", point.accuracy));
    let gap = match group.points.len() {
        2 => "the difference is",
        _ => "best and worst differ by",
    };
    let gap = format!("{gap} {:.4}", accuracy.range());
    let weight = match chance {
        _ if accuracy.range() < 5e-5 => "there is no difference".to_string(),
        Chance::Unknown => gap,
        Chance::UpTo(range) if accuracy.range() <= *range => format!(
            "{gap}, no more than between the seeds of one network (up to {range:.4}), so it may be \
             chance"
        ),
        Chance::UpTo(range) => {
            format!("{gap}, more than between the seeds of one network (up to {range:.4})")
        }
    };
    let time = figure(|point| point.seconds);
    let times = if time.max / time.min < SAME_TIME {
        format!("took about as long with each ({})", seconds(time.mean))
    } else {
        format!(
            "took {}, the slowest {:.1} times as long as the fastest",
            listed(
                points.map(|(value, point)| { format!("{} with {value}", seconds(point.seconds)) })
            ),
            time.max / time.min
        )
    };
    format!(
        "{name}: test accuracy {} ({networks}); {weight}. Training {times}.",
        listed(accuracies)
    )
}

/// Seconds as text, with hundredths where they matter.
fn seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        format!("{seconds:.2} s")
    } else {
        format!("{seconds:.1} s")
    }
}

/// "a, b and c".
fn listed(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.collect();
    match parts.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        parts => parts.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Wanted;

    /// The findings of a comparison whose variants have these test accuracies, one list of seeds
    /// each, and training seconds.
    fn found(recipes: &[&str], sweeps: &[&str], figures: &[(&[f64], f64)]) -> Vec<String> {
        let texts = |list: &[&str]| -> Vec<String> { list.iter().map(|s| s.to_string()).collect() };
        let wanted = Wanted {
            recipes: &texts(recipes),
            sweeps: &texts(sweeps),
            ..Wanted::default()
        };
        let comparison = Comparison::new(&wanted).unwrap();
        let variants = comparison.variants.iter().zip(figures);
        let figures = variants.map(|(variant, (accuracies, seconds))| VariantFigures {
            variant: variant.label.clone(),
            parameters: variant.parameters,
            runs: accuracies.len(),
            failed: 0,
            seconds: Figure::of([*seconds].into_iter().take(accuracies.len())),
            images_per_second: None,
            epochs_to_98: None,
            reached_98: 0,
            val_accuracy: None,
            test_accuracy: Figure::of(accuracies.iter().copied()),
        });
        let table = Table {
            variants: figures.collect(),
            runs: Vec::new(),
        };
        findings(&comparison, &table)
    }

    #[test]
    fn each_feature_is_judged_by_networks_that_differ_in_it_alone() {
        // conv2-k5-fc2, conv2-k3-fc2, conv2-k7-fc2, conv1-k5-fc2, conv2-k5-fc1
        let sentences = found(
            &["compare"],
            &[],
            &[
                (&[0.990, 0.992], 20.0),
                (&[0.988, 0.990], 10.0),
                (&[0.991, 0.993], 40.0),
                (&[0.970, 0.970], 8.0),
                (&[0.991, 0.991], 19.0),
            ],
        );
        let expected = [
            "conv2-k7-fc2 has the highest test accuracy, 0.9920, after 40.0 s; conv1-k5-fc2 was \
             trained fastest, in 8.00 s, and has 0.9700.",
            "Kernel size: test accuracy 0.9890 with 3x3, 0.9910 with 5x5 and 0.9920 with 7x7 \
             (networks alike in all else); best and worst differ by 0.0030, more than between the \
             seeds of one network (up to 0.0020). Training took 10.0 s with 3x3, 20.0 s with 5x5 \
             and 40.0 s with 7x7, the slowest 4.0 times as long as the fastest.",
            "Number of convolutional layers: test accuracy 0.9700 with 1 and 0.9910 with 2 \
             (networks alike in kernel size, activation, linear layers and training); the \
             difference is 0.0210, more than between the seeds of one network (up to 0.0020). \
             Training took 8.00 s with 1 and 20.0 s with 2, the slowest 2.5 times as long as the \
             fastest.",
            "Number of linear layers: test accuracy 0.9910 with 1 and 0.9910 with 2 (networks \
             alike in kernel size, activation, convolutional layers and training); there is no \
             difference. Training took about as long with each (19.5 s).",
        ];
        assert_eq!(sentences, expected);
    }

    #[test]
    fn networks_alike_in_all_else_are_put_together() {
        // ReLU, LeakyReLU, ELU; first as a fully connected network, then as a LeNet.
        let figures: &[(&[f64], f64)] = &[
            (&[0.970], 1.0),
            (&[0.971], 1.0),
            (&[0.972], 2.0),
            (&[0.990], 3.0),
            (&[0.991], 3.0),
            (&[0.994], 4.0),
        ];
        let sentences = found(&["activations"], &[], figures);
        let of = |name: &str| {
            sentences
                .iter()
                .find(|text| text.starts_with(name))
                .unwrap()
        };
        let words = "0.9800 with ReLU, 0.9810 with LeakyReLU and 0.9830 with ELU (means over 2 \
                     networks each, alike in all else); best and worst differ by 0.0030. Training \
                     took 2.00 s with ReLU, 2.00 s with LeakyReLU and 3.00 s with ELU";
        assert!(of("Activation").contains(words), "{sentences:?}");
        assert!(of("Number of convolutional").contains("need not be the cause"));
        // Both have three linear layers, and only one has kernels.
        for name in ["Kernel size", "Number of linear"] {
            assert!(!sentences.iter().any(|text| text.starts_with(name)));
        }
        assert!(sentences[3].contains("--seeds 3"));
    }

    #[test]
    fn a_sweep_is_judged_recipe_by_recipe_and_failures_are_left_out() {
        let sweeps = ["optimizer.lr=0.01,0.001,0.1"];
        let figures: &[(&[f64], f64)] = &[
            (&[0.98], 1.0),
            (&[0.97], 1.0),
            (&[0.10], 1.0),
            (&[0.96], 1.0),
            (&[0.93], 1.0),
            (&[], 1.0),
        ];
        let sentences = found(&["lenet", "mlp"], &sweeps, figures);
        let swept = sentences
            .iter()
            .filter(|text| text.starts_with("optimizer.lr"));
        let swept: Vec<&String> = swept.collect();
        // The LeNet has three values to choose from, the fully connected network two.
        assert_eq!(swept.len(), 2);
        let words = ["0.9300 with 0.001 and 0.9600 with 0.01", "0.1000 with 0.1"];
        for (text, words) in swept.iter().zip(words) {
            assert!(text.contains(words), "{swept:?}");
        }
    }

    #[test]
    fn nothing_is_said_where_nothing_differs() {
        assert!(found(&["lenet"], &[], &[(&[0.98], 1.0)]).is_empty());
        assert!(found(&["lenet", "mlp"], &[], &[(&[0.98], 1.0), (&[], 1.0)]).is_empty());
    }
}
