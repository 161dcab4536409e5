//! The figures of each epoch, and the log that keeps them.

use serde::{Deserialize, Serialize};

/// Mean loss and fraction of right answers over a set of images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    pub loss: f64,
    pub accuracy: f64,
}

/// One finished epoch, without anything that depends on the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u64,
    /// The learning rate it was trained with.
    pub lr: f64,
    /// Measured while learning, batch by batch, before each update.
    pub train: Figures,
    /// Measured after the epoch; `None` when the recipe holds out no validation images.
    pub val: Option<Figures>,
}

impl Epoch {
    /// What the best epoch is chosen by: the validation loss, or without validation images the
    /// training loss.
    pub fn selection_loss(&self) -> f64 {
        self.val.unwrap_or(self.train).loss
    }
}

/// One line of `metrics.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    #[serde(flatten)]
    pub epoch: Epoch,
    /// Training and validation together.
    pub seconds: f64,
    /// Training only.
    pub images_per_second: f64,
}

/// The first line of `metrics.csv`, the log as a table.
pub const CSV_HEADER: &str =
    "epoch,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second\n";

/// Lines are a few hundred bytes long. In memory an unknown key may take many times its text.
const MAX_LINE: usize = 4096;

impl LogLine {
    /// The lines of a log that are whole.
    pub fn parse_all(text: &str) -> Vec<Self> {
        let lines = text.lines().filter(|line| line.len() <= MAX_LINE);
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The line as it stands in the file, with its newline.
    pub fn to_json(&self) -> String {
        let mut json = serde_json::to_string(self).expect("figures are JSON numbers");
        json.push('\n');
        json
    }

    /// The line as a row of the table, with its newline; without validation images these columns are
    /// empty.
    pub fn to_csv(&self) -> String {
        let Epoch {
            epoch,
            lr,
            train,
            val,
        } = &self.epoch;
        let val = val.map_or_else(
            || ",".to_string(),
            |val| format!("{},{}", val.loss, val.accuracy),
        );
        format!(
            "{epoch},{lr},{},{},{val},{},{}\n",
            train.loss, train.accuracy, self.seconds, self.images_per_second
        )
    }
}
