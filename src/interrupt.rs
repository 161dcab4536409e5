//! Ctrl-C (SIGINT) and SIGTERM: they end the program, at once or when its work is saved.
//!
//! SIGHUP stays as the system has it: it ends a program whose terminal is closed, but not one that
//! `nohup` started.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::{io, process, thread};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether the next signal ends the program, there and then.
static AT_ONCE: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| Arc::new(AtomicBool::new(true)));

/// The number of the signal that came; 0 until then.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// What a shell reports for a program that signal number `signal` ended.
const fn exit_code_of(signal: i32) -> i32 {
    128 + signal
}

/// From now on, a signal ends the program with its own exit code: 130 for SIGINT, 143 for SIGTERM.
pub fn listen() {
    for signal in [SIGINT, SIGTERM] {
        // They are called in this order, so that the first signal of a [`defer`] passes the first
        // and the second does not. A system that refuses them ends the program itself.
        let _ = flag::register_conditional_shutdown(signal, exit_code_of(signal), AT_ONCE.clone())
            .and_then(|_| flag::register_usize(signal, SIGNAL.clone(), signal as usize))
            .and_then(|_| flag::register(signal, AT_ONCE.clone()));
    }
}

/// Until this is dropped, the first signal only sets [`requested`]; a second one ends the program.
pub struct Deferred(());

pub fn defer() -> Deferred {
    AT_ONCE.store(false, Ordering::SeqCst);
    Deferred(())
}

impl Drop for Deferred {
    fn drop(&mut self) {
        AT_ONCE.store(true, Ordering::SeqCst);
    }
}

/// Whether the command should save and stop.
pub fn requested() -> bool {
    SIGNAL.load(Ordering::SeqCst) != 0
}

/// The exit code for having stopped because of [`requested`].
pub fn exit_code() -> u8 {
    exit_code_of(SIGNAL.load(Ordering::SeqCst) as i32) as u8
}

/// Takes the end of standard input for a SIGTERM. A process that holds the other end of it can't
/// be killed without this one noticing.
pub fn listen_to_stdin() {
    thread::spawn(|| {
        // An input that can't be read has ended as well.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let terminate = SIGTERM as usize;
        let first = SIGNAL.compare_exchange(0, terminate, Ordering::SeqCst, Ordering::SeqCst);
        // After a signal, this is no second one: the other process may just have been faster.
        if first.is_ok() && AT_ONCE.swap(true, Ordering::SeqCst) {
            process::exit(exit_code_of(SIGTERM));
        }
    });
}
