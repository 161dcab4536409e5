//! What a user sees while runs are trained: on a terminal a line for each that is running and one
//! for all together, with those that have ended above; elsewhere a line when a run starts and one
//! when it ends. All of it goes to stderr.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar};

use super::plan::Comparison;
use super::standing::{Ending, Standing};
use crate::terminal::{bar_style, note};
use crate::training::RunFolder;

/// Reading the logs of running runs more often would show nothing new.
const REFRESH: Duration = Duration::from_millis(250);

/// Shows the progress of many runs.
pub(super) struct ComparisonProgress {
    /// `None` where stderr is not a terminal.
    live: Option<Live>,
    /// How many runs are to be trained, have been started, and have failed.
    runs: usize,
    started: usize,
    failed: usize,
}

struct Live {
    lines: MultiProgress,
    total: ProgressBar,
    /// The indices and lines of the runs.
    running: Vec<(usize, ProgressBar)>,
    refreshed: Instant,
}

impl Live {
    fn new() -> Self {
        let lines = MultiProgress::new();
        let total = lines.add(ProgressBar::new(0).with_style(bar_style(
            "runs [{bar:30}] {pos}/{len}  {elapsed} elapsed{msg}",
        )));
        total.enable_steady_tick(Duration::from_secs(1));
        Self {
            lines,
            total,
            running: Vec::new(),
            refreshed: Instant::now(),
        }
    }
}

impl ComparisonProgress {
    pub fn new() -> Self {
        Self {
            live: stderr().is_terminal().then(Live::new),
            runs: 0,
            started: 0,
            failed: 0,
        }
    }

    /// `complete` of the runs are complete already, and others may be impossible to train.
    pub fn begin(&mut self, complete: usize, to_train: usize) {
        self.runs = to_train;
        note(&format!(
            "{complete} runs are complete, {to_train} are left to train"
        ));
        if let Some(live) = &self.live {
            live.total.set_length(to_train as u64);
        }
    }

    pub fn start(&mut self, index: usize, comparison: &Comparison, standing: &Standing) {
        self.started += 1;
        let run = &comparison.runs[index];
        let title = comparison.title(run);
        match &mut self.live {
            Some(live) => {
                // The title last: it is what may be cut off.
                let template = "  [{bar:8}] {pos}/{len}  {wide_msg}";
                let line = ProgressBar::new(run.recipe.training.epochs)
                    .with_style(bar_style(template))
                    .with_message(title);
                let line = live.lines.insert_before(&live.total, line);
                line.tick();
                live.running.push((index, line));
            }
            None => {
                let verb = match standing {
                    Standing::Unfinished => "goes on",
                    _ => "starts",
                };
                note(&format!(
                    "{title} {verb} ({} of {})",
                    self.started, self.runs
                ));
            }
        }
    }

    /// Draws what the running runs have logged.
    pub fn update(&mut self, comparison: &Comparison) {
        let Some(live) = &mut self.live else { return };
        if live.refreshed.elapsed() < REFRESH {
            return;
        }
        live.refreshed = Instant::now();
        for (index, line) in &live.running {
            let folder = RunFolder::open(&comparison.runs[*index].folder);
            let log = folder.read_metrics().unwrap_or_default();
            let Some(last) = log.last() else { continue };
            let (what, figures) = match last.epoch.val {
                Some(val) => ("val", val),
                None => ("train", last.epoch.train),
            };
            // The accuracy, and images a second.
            line.set_message(format!(
                "{what} {:.4}  {:>6.0}/s  {}",
                figures.accuracy,
                last.images_per_second,
                comparison.title(&comparison.runs[*index])
            ));
            line.set_position(last.epoch.epoch);
        }
    }

    pub fn end(&mut self, index: usize, comparison: &Comparison, ending: &Ending) {
        let title = comparison.title(&comparison.runs[index]);
        let text = match ending {
            Ending::Complete(finished) => {
                let summary = &finished.summary;
                format!(
                    "{title}: test accuracy {:.4}, {:.1} s",
                    summary.test.accuracy, summary.seconds
                )
            }
            Ending::Failed(reason) => {
                self.failed += 1;
                format!("{title} failed: {reason}")
            }
            Ending::Interrupted => format!("{title} stopped"),
        };
        let Some(live) = &mut self.live else {
            note(&text);
            return;
        };
        if let Some(place) = live.running.iter().position(|(run, _)| *run == index) {
            live.running.remove(place).1.finish_and_clear();
        }
        live.total.inc(1);
        if self.failed > 0 {
            live.total.set_message(format!(", {} failed", self.failed));
        }
        // Above the lines. Only a vanished terminal can fail here.
        let _ = live.lines.println(text);
    }

    /// A signal asked us to stop; `running` runs save themselves.
    pub fn stopping(&self, running: usize) {
        let text = format!("stopping; the {running} that are running are saved first");
        match &self.live {
            Some(live) => drop(live.lines.println(text)),
            None => note(&text),
        }
    }

    /// Takes the live lines away.
    pub fn finish(&mut self) {
        if let Some(live) = self.live.take() {
            for (_, line) in &live.running {
                line.finish_and_clear();
            }
            live.total.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::Wanted;

    #[test]
    fn the_lines_templates_are_valid() {
        let wanted = Wanted {
            recipes: &["lenet".to_string()],
            seeds: Some(2),
            ..Wanted::default()
        };
        let comparison = Comparison::new(&wanted).unwrap();
        let mut progress = ComparisonProgress::new();
        progress.live = Some(Live::new());
        progress.begin(0, 2);
        progress.start(0, &comparison, &Standing::Unfinished);
        progress.update(&comparison);
        progress.end(0, &comparison, &Ending::Failed("no".into()));
        progress.finish();
    }
}
