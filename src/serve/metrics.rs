//! What Prometheus asks for: counts of requests, pictures and connections, and how long answers take.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::http::StatusCode;

/// Upper bounds of the times of answers, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2.0];

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
pub struct Metrics {
    pub connections: Counter,
    /// Pictures that were read, and pictures that could not be.
    pub pictures: Counter,
    pub unreadable: Counter,
    /// Answers by the first digit of their status.
    answers: [Counter; 6],
    /// Answers that took at most as long as each bound, and all.
    times: [Counter; BOUNDS.len() + 1],
    microseconds: Counter,
}

impl Metrics {
    /// Counts an answer.
    pub fn count(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100);
        self.answers[class.min(5)].add(1);
        let seconds = took.as_secs_f64();
        let bucket = BOUNDS.iter().position(|&bound| seconds <= bound);
        self.times[bucket.unwrap_or(BOUNDS.len())].add(1);
        self.microseconds.add(took.as_micros() as u64);
    }

    /// All of them, as Prometheus takes it.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut counter = |name: &str, help: &str, values: &[(String, u64)]| {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} counter");
            for (labels, value) in values {
                let _ = writeln!(text, "{name}{labels} {value}");
            }
        };
        let one = |counter: &Counter| [(String::new(), counter.get())];
        counter(
            "mnistctl_connections_total",
            "Connections that were taken in.",
            &one(&self.connections),
        );
        counter(
            "mnistctl_pictures_total",
            "Pictures that were read.",
            &one(&self.pictures),
        );
        counter(
            "mnistctl_unreadable_pictures_total",
            "Pictures that could not be read.",
            &one(&self.unreadable),
        );
        let answers = (1..6).map(|class| {
            let labels = format!("{{status=\"{class}xx\"}}");
            (labels, self.answers[class].get())
        });
        counter(
            "mnistctl_answers_total",
            "Answers to requests.",
            &answers.collect::<Vec<_>>(),
        );
        let name = "mnistctl_answer_seconds";
        let help = "The time from a request's head to its answer.";
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} histogram");
        let mut sum = 0;
        for (bound, count) in BOUNDS.iter().zip(&self.times) {
            sum += count.get();
            let _ = writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {sum}");
        }
        sum += self.times[BOUNDS.len()].get();
        let seconds = self.microseconds.get() as f64 / 1e6;
        let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {sum}");
        let _ = writeln!(text, "{name}_sum {seconds}\n{name}_count {sum}");
        text
    }
}
