//! Showing a download on stderr: a bar on a terminal, one plain line elsewhere.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressFinish};

use crate::terminal::{bar_style, note};

/// One file's progress. The bar goes away when this is dropped, whether the download went well or
/// not: what remains on the screen is what the command says at its end.
pub(super) struct DownloadProgress {
    bar: Option<ProgressBar>,
}

impl DownloadProgress {
    /// Shows that an address is being fetched; `bytes` is its length, if the server told it.
    pub fn start(url: &str, bytes: Option<u64>) -> Self {
        let bar = stderr().is_terminal().then(|| bar(url, bytes));
        if bar.is_none() {
            note(&format!("downloading {url}"));
        }
        Self { bar }
    }

    /// Shows how many bytes have come in all.
    pub fn at(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        }
    }
}

fn bar(url: &str, bytes: Option<u64>) -> ProgressBar {
    let (bar, template) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "{msg} [{bar:30}] {bytes}/{total_bytes} {eta}",
        ),
        None => (ProgressBar::no_length(), "{msg} {spinner} {bytes}"),
    };
    let name = url.rsplit('/').next().unwrap_or(url).to_owned();
    bar.with_style(bar_style(template))
        .with_message(name)
        .with_finish(ProgressFinish::AndClear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bars_templates_are_valid() {
        for bytes in [None, Some(100)] {
            let progress = DownloadProgress {
                bar: Some(bar("https://example.org/images.gz", bytes)),
            };
            progress.at(30);
        }
    }
}
