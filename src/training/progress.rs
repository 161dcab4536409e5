//! What a user sees while a network learns: bars on a terminal, a line an epoch elsewhere.
//! All of it goes to stderr.

use std::io::{IsTerminal, stderr};

use indicatif::{MultiProgress, ProgressBar};

use super::metrics::LogLine;
use super::tally::Tally;
use crate::terminal::{bar_style, loss_text, lr_text, note};

/// Shows a run's progress.
pub struct Progress {
    /// `None` where stderr is not a terminal.
    bars: Option<Bars>,
}

struct Bars {
    all: MultiProgress,
    epochs: ProgressBar,
    batches: ProgressBar,
}

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::new();
        let epochs = bar_style("epochs  [{bar:30}] {pos}/{len}  {elapsed} elapsed, {eta} to go");
        let batches = bar_style("batches [{bar:30}] {pos}/{len}  {msg}");
        Self {
            epochs: all.add(ProgressBar::new(0).with_style(epochs)),
            batches: all.add(ProgressBar::new(0).with_style(batches)),
            all,
        }
    }
}

impl Progress {
    /// Bars if stderr is a terminal, lines if not.
    pub fn new() -> Self {
        Self {
            bars: stderr().is_terminal().then(Bars::new),
        }
    }

    /// Begins epoch `epoch` of `epochs` at batch `step` of `steps`.
    pub fn start_epoch(&mut self, epoch: u64, epochs: u64, steps: u64, step: u64) {
        if let Some(bars) = &self.bars {
            if bars.epochs.length() != Some(epochs) {
                // The first epoch of this process: a resumed run's earlier ones took it no time.
                bars.epochs.set_length(epochs);
                bars.epochs.set_position(epoch - 1);
                bars.epochs.reset_eta();
            }
            bars.epochs.set_position(epoch - 1);
            bars.batches.set_length(steps);
            bars.batches.set_position(step);
            bars.batches.set_message("");
        }
    }

    /// One batch is done; `tally` is the epoch's so far.
    pub fn step(&mut self, tally: &Tally) {
        if let Some(bars) = &self.bars {
            bars.batches.inc(1);
            if bars.batches.position() % 16 == 0 {
                let (loss, accuracy) = (tally.loss(), tally.accuracy());
                bars.batches
                    .set_message(format!("loss {loss:.4}, accuracy {accuracy:.4}"));
            }
        }
    }

    /// An epoch is done and saved.
    pub fn finish_epoch(&mut self, line: &LogLine, epochs: u64, is_best: bool) {
        let text = describe(line, epochs, is_best);
        match &self.bars {
            Some(bars) => {
                bars.epochs.set_position(line.epoch.epoch);
                // Above the bars. Only a vanished terminal can fail here.
                let _ = bars.all.println(text);
            }
            None => note(&text),
        }
    }

    /// Something that the user should know while the run goes on: a sentence without its end.
    pub fn warn(&mut self, warning: &str) {
        let text = format!("warning: {warning}");
        match &self.bars {
            Some(bars) => {
                let _ = bars.all.println(text);
            }
            None => note(&text),
        }
    }

    /// Takes the bars away.
    pub fn finish(&mut self) {
        if let Some(bars) = self.bars.take() {
            bars.batches.finish_and_clear();
            bars.epochs.finish_and_clear();
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

fn describe(line: &LogLine, epochs: u64, is_best: bool) -> String {
    let epoch = &line.epoch;
    let width = epochs.to_string().len();
    let mut text = format!(
        "epoch {:>width$}/{epochs}  train loss {}, accuracy {:.4}",
        epoch.epoch,
        loss_text(epoch.train.loss),
        epoch.train.accuracy
    );
    if let Some(val) = &epoch.val {
        let loss = loss_text(val.loss);
        text += &format!("  val loss {loss}, accuracy {:.4}", val.accuracy);
    }
    text += &format!(
        "  lr {}  {:.1} s, {:.0} images/s",
        lr_text(epoch.lr),
        line.seconds,
        line.images_per_second
    );
    if is_best {
        text += "  (best)";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_templates_are_valid() {
        let mut progress = Progress {
            bars: Some(Bars::new()),
        };
        progress.start_epoch(1, 2, 10, 0);
        progress.finish();
    }
}
