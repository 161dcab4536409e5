//! Many inputs -> what is in them: on all cores, in order, a batch at a time, in bounded memory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::vec::IntoIter;

use super::InkError;
use super::decode::{MAX_MEMORY, memory};
use super::files::{Input, MAX_FILE_BYTES, load, load_stdin, size};

/// After this long, a batch is handed over with what has been read, so that large pictures are
/// not waited for longer than anyone likes to.
const PATIENCE: Duration = Duration::from_millis(250);

/// How many pictures are read at once. There is memory for about three photographs, and small ones
/// come faster than any network takes them.
pub const MAX_THREADS: usize = 4;

/// A file of no more than this is read without asking whether there is memory for it.
const SMALL_FILE: u64 = 64 << 10;

/// The result of reading an input.
#[derive(Debug)]
pub struct Reading<T> {
    pub input: Input,
    pub result: Result<T, InkError>,
}

/// Reads inputs with several threads.
///
/// The threads are its own, not rayon's: one of these that waits for its share of a picture takes
/// up the next picture meanwhile, and would then wait for memory that it holds itself.
pub struct Reader {
    inputs: IntoIter<Input>,
    threads: usize,
    memory: Memory,
}

impl Reader {
    pub fn new(inputs: Vec<Input>, threads: usize) -> Self {
        Self {
            inputs: inputs.into_iter(),
            threads: threads.min(MAX_THREADS),
            memory: Memory::new(MAX_MEMORY),
        }
    }

    /// Reads the next inputs, at most `most`, with `read`, which gets a name for messages and the
    /// bytes. Their order is kept; none are left when it returns none.
    pub fn batch<T: Send>(
        &mut self,
        most: usize,
        read: impl Fn(&str, &[u8]) -> Result<T, InkError> + Sync,
    ) -> Vec<Reading<T>> {
        let began = Instant::now();
        let threads = self.threads.min(self.inputs.len()).min(most);
        let queue = Mutex::new((0, self.inputs.by_ref().take(most)));
        let take = || {
            let (taken, inputs) = &mut *lock(&queue);
            if *taken > 0 && began.elapsed() > PATIENCE {
                return None;
            }
            *taken += 1;
            Some((*taken, inputs.next()?))
        };
        let memory = &self.memory;
        let work = || {
            let mut readings = Vec::new();
            while let Some((index, input)) = take() {
                readings.push((index, read_one(input, memory, &read)));
            }
            readings
        };
        let mut readings: Vec<(usize, Reading<T>)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let results = workers.into_iter().map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            results.flatten().collect()
        });
        readings.sort_unstable_by_key(|&(index, _)| index);
        readings.into_iter().map(|(_, reading)| reading).collect()
    }
}

fn read_one<T>(
    input: Input,
    memory: &Memory,
    read: impl Fn(&str, &[u8]) -> Result<T, InkError>,
) -> Reading<T> {
    let name = input.name();
    let result = match &input {
        Input::File(path) => memory.within(size(path), || load(path), |bytes| read(&name, bytes)),
        Input::Stdin => memory.within(MAX_FILE_BYTES, load_stdin, |bytes| read(&name, bytes)),
        Input::Failed { .. } => {
            let Input::Failed { path, error } = input else {
                unreachable!("it was matched above")
            };
            return Reading {
                input: Input::File(path),
                result: Err(error),
            };
        }
    };
    Reading { input, result }
}

/// The memory that the pictures being read may take together, in bytes.
struct Memory {
    total: u64,
    free: Mutex<u64>,
    freed: Condvar,
    /// Held by the one thread that has a file and waits for more, to decode it: two of them could
    /// wait for each other.
    growing: Mutex<()>,
}

/// Memory in use.
struct Taken<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    fn new(total: u64) -> Self {
        Self {
            total,
            free: Mutex::new(total),
            freed: Condvar::new(),
            growing: Mutex::new(()),
        }
    }

    /// Loads a file of `size` bytes and reads it, once there is memory for each.
    fn within<T>(
        &self,
        size: u64,
        load: impl FnOnce() -> Result<Vec<u8>, InkError>,
        read: impl FnOnce(&[u8]) -> Result<T, InkError>,
    ) -> Result<T, InkError> {
        let growing = (size > SMALL_FILE).then(|| lock(&self.growing));
        let file = growing.as_ref().map(|_| self.take(size));
        let bytes = load()?;
        let held = file.as_ref().map_or(0, |file| file.bytes);
        let _picture = self.take(memory(&bytes).min(self.total - held));
        drop(growing);
        read(&bytes)
    }

    fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.total);
        let mut free = self
            .freed
            .wait_while(lock(&self.free), |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Taken {
            memory: self,
            bytes,
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *lock(&self.memory.free) += self.bytes;
        self.memory.freed.notify_all();
    }
}

/// What is locked here is never left half changed, so a panic elsewhere does no harm to it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
