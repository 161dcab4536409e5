#![no_main]

#[path = "../checks/checkpoint.rs"]
mod checkpoint;
#[path = "../meter.rs"]
mod meter;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(checkpoint::memory(data), || {
    checkpoint::check(data)
}));
