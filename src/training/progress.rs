//! What a user sees while a network learns: bars on a terminal, a line an epoch elsewhere.
//! All of it goes to stderr.

use std::io::{IsTerminal, Write, stderr};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::metrics::LogLine;
use super::tally::Tally;

/// Writes a line to stderr. Whoever has closed it does not want to read it, which is no reason
/// to end a run. It may quote from a file, so nothing that a terminal obeys is passed on.
pub fn note(line: &str) {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    let line = line.replace(obeyed, "\u{FFFD}");
    let _ = writeln!(stderr(), "{line}");
}

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
        let style = |template: &str| {
            ProgressStyle::with_template(template)
                .expect("the template is a constant that a test has drawn")
                .progress_chars("=> ")
        };
        let epochs = style("epochs  [{bar:30}] {pos}/{len}  {elapsed} elapsed, {eta} to go");
        let batches = style("batches [{bar:30}] {pos}/{len}  {msg}");
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

/// A learning rate as a person writes it: 0.01, 1e-7. Multiplying by 0.1 leaves digits behind
/// (0.00000010000000000000002) that only the log needs.
pub(super) fn lr_text(lr: f64) -> String {
    let rounded: f64 = format!("{lr:.4e}").parse().unwrap_or(lr);
    match (1e-4..1e6).contains(&rounded) {
        true => rounded.to_string(),
        false => format!("{rounded:e}"),
    }
}

/// A loss in few digits, also one that has grown beyond all bounds.
pub(super) fn loss_text(loss: f64) -> String {
    match loss < 1e6 {
        true => format!("{loss:.4}"),
        false => format!("{loss:.4e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn learning_rates_are_written_as_people_write_them() {
        let lowered = 0.01 * 0.1 * 0.1 * 0.1 * 0.1 * 0.1;
        assert_eq!(lr_text(0.01), "0.01");
        assert_eq!(lr_text(0.01 * 0.1), "0.001");
        assert_eq!(lr_text(lowered), "1e-7");
        assert_eq!(lr_text(1.0), "1");
        assert_eq!(lr_text(1e6), "1e6");
        assert_eq!(lr_text(1e300), "1e300");
        assert_eq!(loss_text(1.25), "1.2500");
        assert_eq!(loss_text(1.5587e31), "1.5587e31");
    }

    #[test]
    fn the_bars_templates_are_valid() {
        let mut progress = Progress {
            bars: Some(Bars::new()),
        };
        progress.start_epoch(1, 2, 10, 0);
        progress.finish();
    }
}
