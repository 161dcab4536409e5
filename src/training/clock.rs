//! How long an epoch takes.

use std::time::Instant;

/// The time of one epoch, which an interruption divides among several processes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// What earlier processes took.
    before: f64,
    /// When this process began with the epoch; `None` until then.
    started: Option<Instant>,
}

impl Clock {
    /// A clock that stands, and shows what earlier processes took.
    pub fn stopped_at(seconds: f64) -> Self {
        Self {
            before: seconds,
            started: None,
        }
    }

    pub fn start(&mut self) {
        self.started = Some(Instant::now());
    }

    pub fn seconds(&self) -> f64 {
        let running = self.started.map(|started| started.elapsed().as_secs_f64());
        self.before + running.unwrap_or(0.0)
    }
}
