//! A run's log as charts.

use super::chart::{Dash, LineChart, Marker, Scale, Series};
use crate::terminal::lr_text;
use crate::training::{Figures, LogLine};

/// With more drops than this the learning rate falls all the time, and marks would say nothing.
const MOST_DROPS: usize = 12;

/// Training and validation loss by epoch.
pub fn loss(name: &str, log: &[LogLine]) -> LineChart {
    let figure = |figures: &Figures| figures.loss;
    let losses = log.iter().flat_map(|line| {
        let val = line.epoch.val.iter().map(figure);
        std::iter::once(figure(&line.epoch.train)).chain(val)
    });
    chart(name, "loss", scale_of(losses), figures(log, figure), log)
}

/// Training and validation accuracy by epoch.
pub fn accuracy(name: &str, log: &[LogLine]) -> LineChart {
    let series = figures(log, |figures| figures.accuracy);
    chart(name, "accuracy", Scale::Accuracy, series, log)
}

/// The learning rate of each epoch's first batch. Epoch 1 lies between 0 and 1.
pub fn learning_rate(name: &str, log: &[LogLine]) -> LineChart {
    let rates = log.iter().map(|line| line.epoch.lr);
    let points = log.iter().flat_map(|line| {
        let end = line.epoch.epoch as f64;
        [(end - 1.0, line.epoch.lr), (end, line.epoch.lr)]
    });
    let series = Series {
        name: "learning rate".into(),
        points: points.collect(),
        dash: None,
    };
    let mut chart = chart(name, "learning rate", scale_of(rates), vec![series], log);
    for (marker, (_, rate)) in chart.markers.iter_mut().zip(drops(log)) {
        marker.label = lr_text(rate);
    }
    chart
}

/// The epochs after which the learning rate was lowered, with the new rate; none if it falls all
/// the time.
pub fn drops(log: &[LogLine]) -> Vec<(u64, f64)> {
    let drops: Vec<(u64, f64)> = log
        .windows(2)
        .filter(|pair| pair[1].epoch.lr < pair[0].epoch.lr)
        .map(|pair| (pair[0].epoch.epoch, pair[1].epoch.lr))
        .collect();
    if drops.len() > MOST_DROPS {
        Vec::new()
    } else {
        drops
    }
}

/// The charts of two runs as one.
pub fn together(names: [&str; 2], charts: [LineChart; 2]) -> LineChart {
    let [one, other] = charts;
    let named = |name: &str, series: Vec<Series>| -> Vec<Series> {
        let named = series.into_iter().map(|series| Series {
            name: format!("{name}: {}", series.name),
            ..series
        });
        named.collect()
    };
    let mut series = named(names[0], one.series);
    series.extend(named(names[1], other.series));
    LineChart {
        title: format!("{} and {}: {}", names[0], names[1], one.y_label),
        // Where one of them falls far, the other can be read as well.
        y_scale: match (one.y_scale, other.y_scale) {
            (Scale::Log, _) | (_, Scale::Log) => Scale::Log,
            (scale, _) => scale,
        },
        series,
        // Whose they are could not be told.
        markers: Vec::new(),
        x_label: one.x_label,
        y_label: one.y_label,
    }
}

fn chart(name: &str, y: &str, y_scale: Scale, series: Vec<Series>, log: &[LogLine]) -> LineChart {
    let marker = |(epoch, _): (u64, f64)| Marker {
        x: epoch as f64,
        label: String::new(),
    };
    LineChart {
        title: format!("{name}: {y}"),
        x_label: "epoch".into(),
        y_label: y.into(),
        y_scale,
        series,
        markers: drops(log).into_iter().map(marker).collect(),
    }
}

fn figures(log: &[LogLine], figure: impl Fn(&Figures) -> f64) -> Vec<Series> {
    let train = log
        .iter()
        .map(|line| (line.epoch.epoch as f64, figure(&line.epoch.train)));
    let val = log.iter().filter_map(|line| {
        let val = line.epoch.val.as_ref()?;
        Some((line.epoch.epoch as f64, figure(val)))
    });
    let mut series = vec![Series {
        name: "training".into(),
        points: train.collect(),
        dash: Some(Dash::Dashed),
    }];
    let val: Vec<(f64, f64)> = val.collect();
    if !val.is_empty() {
        series.push(Series {
            name: "validation".into(),
            points: val,
            dash: Some(Dash::Solid),
        });
    }
    series
}

/// Logarithmic for what falls by more than a factor of three.
fn scale_of(values: impl Iterator<Item = f64> + Clone) -> Scale {
    let least = values.clone().fold(f64::INFINITY, f64::min);
    let most = values.fold(0.0, f64::max);
    if least > 0.0 && most > 3.0 * least {
        Scale::Log
    } else {
        Scale::Linear
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Epoch;

    fn log(rates: &[f64]) -> Vec<LogLine> {
        let line = |(index, &lr): (usize, &f64)| LogLine {
            epoch: Epoch {
                epoch: index as u64 + 1,
                lr,
                train: Figures {
                    loss: 1.0,
                    accuracy: 0.5,
                },
                val: None,
            },
            seconds: 1.0,
            images_per_second: 1.0,
        };
        rates.iter().enumerate().map(line).collect()
    }

    #[test]
    fn drops_stand_where_the_rate_was_lowered() {
        assert_eq!(drops(&log(&[0.1, 0.1, 0.01, 0.01])), [(2, 0.01)]);
        // A rate that rises first, as with warm-up, only drops where it falls.
        assert_eq!(drops(&log(&[0.01, 0.1, 0.05])), [(2, 0.05)]);
        let falling: Vec<f64> = (1..20).map(|epoch| 1.0 / f64::from(epoch)).collect();
        assert_eq!(drops(&log(&falling)), []);
        let chart = learning_rate("run", &log(&[0.1, 0.1, 0.01 * 0.1]));
        assert_eq!(chart.markers[0].label, "0.001");
        assert_eq!(chart.markers[0].x, 2.0);
        let points = [(0.0, 0.1), (1.0, 0.1), (1.0, 0.1), (2.0, 0.1)];
        assert_eq!(chart.series[0].points[..4], points);
    }

    #[test]
    fn a_run_without_validation_has_one_curve() {
        assert_eq!(loss("run", &log(&[0.1, 0.1])).series.len(), 1);
    }
}
