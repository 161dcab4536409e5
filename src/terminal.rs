//! How the program talks to people: notes on stderr, progress bars, numbers in few digits, and
//! commands as a shell takes them.

use std::io::{Write, stderr};

use indicatif::ProgressStyle;

/// Writes a line to stderr. Whoever has closed it does not want to read it, which is no reason
/// to end a run. It may quote from a file, so nothing that a terminal obeys is passed on.
pub fn note(line: &str) {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    let line = line.replace(obeyed, "\u{FFFD}");
    let _ = writeln!(stderr(), "{line}");
}

/// How every progress bar is drawn. `template` is a constant of the caller, whose test draws it.
pub fn bar_style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is a constant that a test has drawn")
        .progress_chars("=> ")
}

/// A learning rate as a person writes it: 0.01, 1e-7. Multiplying by 0.1 leaves digits behind
/// (0.00000010000000000000002) that only the log needs.
pub fn lr_text(lr: f64) -> String {
    let rounded: f64 = format!("{lr:.4e}").parse().unwrap_or(lr);
    if (1e-4..1e6).contains(&rounded) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}

/// A loss in few digits, also one that has grown beyond all bounds.
pub fn loss_text(loss: f64) -> String {
    if loss < 1e6 {
        format!("{loss:.4}")
    } else {
        format!("{loss:.4e}")
    }
}

/// `word` as a shell takes it.
pub fn shell_quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
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
    fn a_shell_reads_a_quoted_word_as_one() {
        assert_eq!(shell_quoted("runs/a-1.mpk"), "runs/a-1.mpk");
        assert_eq!(shell_quoted("two words"), "'two words'");
        assert_eq!(shell_quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(shell_quoted(""), "''");
    }
}
