//! Showing a download on stderr: a bar on a terminal, one plain line elsewhere.

use std::io::{self, IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};

/// One file's progress. The bar goes away when this is dropped, whether the download went well or
/// not: what remains on the screen is what the command says at its end.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Shows that an address is being fetched; `bytes` is its length, if the server told it.
    pub fn start(url: &str, bytes: Option<u64>) -> Self {
        let mut stderr = io::stderr();
        if !stderr.is_terminal() {
            // A closed stderr is no reason to stop (`eprintln!` would panic).
            let _ = writeln!(stderr, "downloading {url}");
            return Self { bar: None };
        }
        let (bar, template) = match bytes {
            Some(bytes) => (
                ProgressBar::new(bytes),
                "{msg} [{bar:30}] {bytes}/{total_bytes} {eta}",
            ),
            None => (ProgressBar::no_length(), "{msg} {spinner} {bytes}"),
        };
        let name = url.rsplit('/').next().unwrap_or(url).to_owned();
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            bar: Some(
                bar.with_style(style.progress_chars("=> "))
                    .with_message(name),
            ),
        }
    }

    /// Shows how many bytes have come in all.
    pub fn at(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
