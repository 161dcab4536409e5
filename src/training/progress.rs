//! Messages for the user, on stderr.

use std::io::{Write, stderr};

/// Writes a line to stderr. Whoever has closed it does not want to read it, which is no reason
/// to end a run. It may quote from a file, so nothing that a terminal obeys is passed on.
pub fn note(line: &str) {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    let line = line.replace(obeyed, "\u{FFFD}");
    let _ = writeln!(stderr(), "{line}");
}
