//! Measures what a check allocates.

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Does `work`, which may take `most` bytes.
pub fn within(most: usize, work: impl FnOnce()) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    work();
    let used = MEMORY.peak_usage().saturating_sub(before);
    assert!(used <= most, "it took {used} bytes, and may take {most}");
}
