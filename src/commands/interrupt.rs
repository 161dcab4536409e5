//! Ctrl-C: the first asks the command to save and stop, a second one ends it at once.

use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// What a shell reports for a program that SIGINT ended.
pub const EXIT_CODE: u8 = 130;

/// From now on, Ctrl-C (and SIGTERM) set [`requested`].
pub fn listen() {
    let handler = || {
        if REQUESTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
    };
    // It only fails when a handler exists already; then that one stays.
    let _ = ctrlc::set_handler(handler);
}

/// Whether the command should save and stop.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}
