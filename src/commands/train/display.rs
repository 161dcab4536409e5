//! What a user sees while a network learns: bars on a terminal, a line an epoch elsewhere.
//! All of it goes to stderr.

use std::io::{IsTerminal, stderr};

use indicatif::{MultiProgress, ProgressBar};

use crate::terminal::{bar_style, loss_text, lr_text, note};
use crate::training::{Callback, Figures, LogLine, Position, RunningMetrics};

/// Shows the progress of a training run.
pub struct Display {
    /// `None` where stderr is not a terminal.
    bars: Option<Bars>,
    /// The number of epochs of the whole run, known once the first one begins.
    epochs: u64,
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

impl Display {
    /// Bars if stderr is a terminal, lines if not.
    pub fn new() -> Self {
        Self {
            bars: stderr().is_terminal().then(Bars::new),
            epochs: 0,
        }
    }

    fn show(&self, text: &str) {
        match &self.bars {
            // Above the bars. Only a vanished terminal can fail here.
            Some(bars) => {
                let _ = bars.all.println(text);
            }
            None => note(text),
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

impl Callback for Display {
    fn epoch_started(&mut self, at: Position) {
        self.epochs = at.epochs;
        if let Some(bars) = &self.bars {
            if bars.epochs.length() != Some(at.epochs) {
                // The first epoch of this process: a resumed run's earlier ones took it no time.
                bars.epochs.set_length(at.epochs);
                bars.epochs.set_position(at.epoch);
                bars.epochs.reset_eta();
            }
            bars.epochs.set_position(at.epoch);
            bars.batches.set_length(at.steps);
            bars.batches.set_position(at.step);
            bars.batches.set_message("");
        }
    }

    fn step_done(&mut self, so_far: &RunningMetrics) {
        if let Some(bars) = &self.bars {
            bars.batches.inc(1);
            if bars.batches.position() % 16 == 0 && so_far.images > 0 {
                let Figures { loss, accuracy } = so_far.figures();
                bars.batches
                    .set_message(format!("loss {loss:.4}, accuracy {accuracy:.4}"));
            }
        }
    }

    fn epoch_finished(&mut self, line: &LogLine, is_best: bool) {
        if let Some(bars) = &self.bars {
            bars.epochs.set_position(line.epoch.epoch);
        }
        self.show(&describe(line, self.epochs, is_best));
    }

    fn warning(&mut self, text: &str) {
        self.show(&format!("warning: {text}"));
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
        let mut display = Display {
            bars: Some(Bars::new()),
            epochs: 0,
        };
        display.epoch_started(Position {
            epoch: 0,
            step: 0,
            epochs: 2,
            steps: 10,
        });
        display.step_done(&RunningMetrics::default());
        display.finish();
    }
}
