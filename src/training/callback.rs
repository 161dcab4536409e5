//! What a run tells those who watch it.

use super::metrics::LogLine;
use super::running_metrics::RunningMetrics;
use super::scheduler::Position;

/// Called while a run trains. Training prints nothing by itself; a front end shows what it likes.
/// All of it may be left out: `()` is a callback that does nothing.
pub trait Callback {
    /// An epoch begins, or goes on behind the steps that `at` counts.
    fn epoch_started(&mut self, _at: Position) {}

    /// A step is done; `so_far` are the figures of the epoch's steps as far as they are known.
    fn step_done(&mut self, _so_far: &RunningMetrics) {}

    /// An epoch is done and saved.
    fn epoch_finished(&mut self, _line: &LogLine, _is_best: bool) {}

    /// Something that the user should know while the run goes on: a sentence without its full stop.
    fn warning(&mut self, _text: &str) {}
}

impl Callback for () {}

/// Two callbacks, one after the other.
impl<A: Callback, B: Callback> Callback for (A, B) {
    fn epoch_started(&mut self, at: Position) {
        self.0.epoch_started(at);
        self.1.epoch_started(at);
    }

    fn step_done(&mut self, so_far: &RunningMetrics) {
        self.0.step_done(so_far);
        self.1.step_done(so_far);
    }

    fn epoch_finished(&mut self, line: &LogLine, is_best: bool) {
        self.0.epoch_finished(line, is_best);
        self.1.epoch_finished(line, is_best);
    }

    fn warning(&mut self, text: &str) {
        self.0.warning(text);
        self.1.warning(text);
    }
}
