//! `train --tensorboard`: the event file, written as the run goes on.

use crate::files::FileError;
use crate::report::tensorboard::{EVENTS, EventFile};
use crate::terminal::note;
use crate::training::{Callback, LogLine, Run, Summary};

/// A run's event file, if it has one.
pub struct Events {
    file: Option<EventFile>,
}

impl Events {
    /// Begins an event file if it is `wanted`, and goes on with one that is there.
    pub fn open(wanted: bool, run: &Run) -> Result<Self, FileError> {
        let folder = run.folder();
        let open = || EventFile::open(folder, &run.job().recipe, &run.log());
        let file = (wanted || folder.file(EVENTS).exists()).then(open);
        Ok(Self {
            file: file.transpose()?,
        })
    }

    /// Adds what the best weights make of the test images.
    pub fn finish(&mut self, run: &Run, summary: &Summary) {
        self.write(|file| file.add_test(run.folder().path(), summary));
    }

    /// Nothing depends on the file, so a problem with it is no more than a warning; the next `train
    /// --resume` adds what is missing.
    fn write(&mut self, write: impl FnOnce(&mut EventFile) -> Result<(), FileError>) {
        if let Some(file) = &mut self.file
            && let Err(error) = write(file)
        {
            note(&format!("warning: TensorBoard's events end here: {error}"));
            self.file = None;
        }
    }
}

impl Callback for Events {
    fn epoch_finished(&mut self, line: &LogLine, _is_best: bool) {
        self.write(|file| file.add_epoch(line));
    }
}
