//! Helper threads for work that takes microseconds.
//!
//! A training step of a small network has half a dozen phases of 10 to 20 microseconds; waking a
//! thread that sleeps takes longer than that. The helpers here spin a little while after each
//! phase before they sleep, and a phase never waits for a helper that has not come yet: the caller
//! takes the items from the front, helpers from the back, and whoever is there does them.
//!
//! On a busy machine a helper can lose its processor in the middle of an item. The caller then waits
//! asleep: it keeps its share of the processor for when the item is done.

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a helper spins before it sleeps: many times a phase, and nothing a user would notice.
const SPIN: Duration = Duration::from_micros(100);
/// How long the caller spins for a helper's last item before it sleeps, and how long at a time.
const WAIT: Duration = Duration::from_micros(150);
const NAP: Duration = Duration::from_micros(50);

/// The caller and its helpers.
#[derive(Debug)]
pub struct Workers {
    shared: Arc<Shared>,
    helpers: Vec<Helper>,
    /// One caller at a time: this keeps it on one thread.
    _not_sync: PhantomData<Cell<()>>,
}

#[derive(Debug)]
struct Helper {
    thread: Thread,
    handle: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// The number of the job, whether it is open, and how many helpers are at it: see [`OPEN`].
    gate: AtomicU64,
    /// The items not taken yet: the first in the low half, the one after the last in the high.
    items: AtomicU64,
    job: UnsafeCell<Job>,
    sleeping: Vec<AtomicBool>,
    panicked: AtomicBool,
    quit: AtomicBool,
}

/// A borrowed closure whose lifetime the gate stands for.
#[derive(Debug, Clone, Copy)]
struct Job {
    data: *const (),
    /// Calls the closure behind `data` with an item's number.
    call: unsafe fn(*const (), usize),
}

// SAFETY: `job` is written only by the caller while the gate is shut and nobody is inside, and
// read only by helpers that the gate has counted; the gate's atomics order the two. What it points
// to is `Sync`.
unsafe impl Sync for Shared {}
// SAFETY: as above; nothing in it belongs to a thread.
unsafe impl Send for Shared {}

/// In the gate, above a byte that counts the helpers at the job.
const OPEN: u64 = 1 << 8;
const INSIDE: u64 = OPEN - 1;
/// Above both, the job's number.
const NUMBER: u64 = OPEN << 1;

impl Workers {
    /// The calling thread and `threads - 1` helpers, at most 255. When the system has no more
    /// threads to give, there are fewer.
    pub fn new(threads: usize) -> Self {
        let count = threads.saturating_sub(1).min(INSIDE as usize);
        let shared = Arc::new(Shared {
            gate: AtomicU64::new(0),
            items: AtomicU64::new(0),
            job: UnsafeCell::new(Job {
                data: std::ptr::null(),
                call: |_, _| {},
            }),
            sleeping: (0..count).map(|_| AtomicBool::new(false)).collect(),
            panicked: AtomicBool::new(false),
            quit: AtomicBool::new(false),
        });
        let helpers = (0..count).map_while(|index| {
            let shared = Arc::clone(&shared);
            let builder = thread::Builder::new().name(format!("helper-{index}"));
            let handle = builder.spawn(move || shared.help(index)).ok()?;
            Some(Helper {
                thread: handle.thread().clone(),
                handle: Some(handle),
            })
        });
        Self {
            helpers: helpers.collect(),
            shared,
            _not_sync: PhantomData,
        }
    }

    /// How many threads work on a job.
    pub fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `work` with every number below `items`, in no certain order, on any of the threads.
    pub fn run<F: Fn(usize) + Sync>(&self, items: usize, work: F) {
        let count = u32::try_from(items).unwrap_or(u32::MAX);
        assert_eq!(count as usize, items, "a job has fewer than 2^32 items");
        if items < 2 || self.helpers.is_empty() {
            (0..items).for_each(work);
            return;
        }

        /// # Safety
        /// `data` points to an `F`.
        unsafe fn call<F: Fn(usize)>(data: *const (), item: usize) {
            // SAFETY: the caller's promise.
            unsafe { (*data.cast::<F>())(item) }
        }
        let shared = &*self.shared;
        // SAFETY: the gate is shut and nobody inside: this is the only thread that opens it, and
        // it has waited for that below.
        unsafe {
            *shared.job.get() = Job {
                data: (&raw const work).cast(),
                call: call::<F>,
            };
        }
        shared
            .items
            .store(u64::from(count) << 32, Ordering::Relaxed);
        let number = shared.gate.load(Ordering::Relaxed) & !(NUMBER - 1);
        let open = number.wrapping_add(NUMBER) | OPEN;
        shared.gate.store(open, Ordering::SeqCst);
        // From here on `work` must outlive every helper at it, whatever happens.
        let shut = Shut(shared);
        for (helper, sleeping) in self.helpers.iter().zip(&shared.sleeping) {
            if sleeping.load(Ordering::SeqCst) && sleeping.swap(false, Ordering::SeqCst) {
                helper.thread.unpark();
            }
        }
        while let Some(item) = shared.take_first() {
            work(item);
        }
        drop(shut);
        assert!(
            !shared.panicked.load(Ordering::Relaxed),
            "a helper thread panicked"
        );
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.shared.quit.store(true, Ordering::SeqCst);
        for helper in &mut self.helpers {
            helper.thread.unpark();
            if let Some(handle) = helper.handle.take() {
                // It has nothing to say; a panic was reported by `run`.
                let _ = handle.join();
            }
        }
    }
}

/// Shuts the gate and waits until nobody is inside.
struct Shut<'a>(&'a Shared);

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        self.0.gate.fetch_and(!OPEN, Ordering::Relaxed);
        let started = Instant::now();
        while self.0.gate.load(Ordering::Acquire) & INSIDE != 0 {
            if started.elapsed() < WAIT {
                std::hint::spin_loop()
            } else {
                thread::sleep(NAP)
            }
        }
    }
}

impl Shared {
    fn take_first(&self) -> Option<usize> {
        let take = |items: u64| ((items as u32) < (items >> 32) as u32).then(|| items + 1);
        let items = self
            .items
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        items.ok().map(|items| items as u32 as usize)
    }

    fn take_last(&self) -> Option<usize> {
        let take = |items: u64| ((items as u32) < (items >> 32) as u32).then(|| items - (1 << 32));
        let items = self
            .items
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        items.ok().map(|items| (items >> 32) as usize - 1)
    }

    /// What a helper thread does.
    fn help(&self, index: usize) {
        let mut last = 0;
        let mut idle_since = Instant::now();
        while !self.quit.load(Ordering::Relaxed) {
            let gate = self.gate.load(Ordering::Relaxed);
            let number = gate & !(NUMBER - 1);
            if gate & OPEN == 0 || number == last {
                self.idle(index, idle_since, last);
                continue;
            }
            let entered =
                self.gate
                    .compare_exchange(gate, gate + 1, Ordering::Acquire, Ordering::Relaxed);
            if entered.is_err() {
                continue;
            }
            last = number;
            {
                let _leave = Leave(self);
                // SAFETY: the gate has counted this thread in, so the job stays as it is.
                let job = unsafe { *self.job.get() };
                while let Some(item) = self.take_last() {
                    // SAFETY: the caller of `run` keeps the closure until this thread has left.
                    unsafe { (job.call)(job.data, item) };
                }
            }
            idle_since = Instant::now();
        }
    }

    fn idle(&self, index: usize, since: Instant, last: u64) {
        for _ in 0..32 {
            std::hint::spin_loop();
        }
        if since.elapsed() < SPIN {
            return;
        }
        self.sleeping[index].store(true, Ordering::SeqCst);
        // Opened after the last look: the caller may not have seen that this thread sleeps.
        let gate = self.gate.load(Ordering::SeqCst);
        let open = gate & OPEN != 0 && gate & !(NUMBER - 1) != last;
        if !open && !self.quit.load(Ordering::SeqCst) {
            thread::park();
        }
        self.sleeping[index].store(false, Ordering::SeqCst);
    }
}

/// Counts a helper out, even one that panics.
struct Leave<'a>(&'a Shared);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.panicked.store(true, Ordering::Relaxed);
        }
        self.0.gate.fetch_sub(1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn every_item_is_done_once() {
        for threads in [1, 2, 3, 8] {
            let workers = Workers::new(threads);
            for items in [0, 1, 2, 3, 7, 64, 1000] {
                for _ in 0..50 {
                    let done: Vec<AtomicUsize> = (0..items).map(|_| AtomicUsize::new(0)).collect();
                    workers.run(items, |item| {
                        done[item].fetch_add(1, Ordering::Relaxed);
                    });
                    assert!(done.iter().all(|count| count.load(Ordering::Relaxed) == 1));
                }
            }
        }
    }

    #[test]
    fn helpers_that_sleep_are_woken() {
        let workers = Workers::new(2);
        let helped = AtomicUsize::new(0);
        let caller = thread::current().id();
        for _ in 0..20 {
            thread::sleep(SPIN * 5);
            workers.run(64, |_| {
                thread::sleep(Duration::from_micros(100));
                if thread::current().id() != caller {
                    helped.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        assert!(helped.load(Ordering::Relaxed) > 0);
    }

    #[test]
    fn a_panic_in_a_helper_reaches_the_caller() {
        let workers = Workers::new(2);
        let caller = thread::current().id();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            workers.run(64, |_| {
                thread::sleep(Duration::from_millis(1));
                assert_eq!(thread::current().id(), caller, "made to fail");
            });
        }));
        assert!(result.is_err());
    }
}
