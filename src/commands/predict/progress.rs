//! Showing on a terminal how many pictures have been read.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressFinish};

use crate::terminal::bar_style;

/// Fewer pictures than this are read before a bar would be of use.
const MANY: usize = 50;

/// A bar on stderr; it goes away when this is dropped.
pub struct PredictProgress {
    bar: Option<ProgressBar>,
}

impl PredictProgress {
    /// A bar if stderr is a terminal and there are many pictures, else nothing.
    pub fn new(pictures: usize) -> Self {
        let shown = pictures >= MANY && stderr().is_terminal();
        Self {
            bar: shown.then(|| bar(pictures)),
        }
    }

    /// Adds to the pictures that have been read.
    pub fn add(&mut self, pictures: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(pictures as u64);
        }
    }

    /// Prints something without the bar in its way.
    pub fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

fn bar(pictures: usize) -> ProgressBar {
    let template = "pictures [{bar:30}] {pos}/{len}  {per_sec}, {eta} to go";
    ProgressBar::new(pictures as u64)
        .with_style(bar_style(template))
        .with_finish(ProgressFinish::AndClear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_template_is_valid() {
        let mut progress = PredictProgress {
            bar: Some(bar(100)),
        };
        progress.add(30);
        assert_eq!(progress.suspend(|| 1), 1);
    }
}
