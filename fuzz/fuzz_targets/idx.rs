#![no_main]

#[path = "../checks/idx.rs"]
mod idx;
#[path = "../meter.rs"]
mod meter;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(idx::memory(data), || idx::check(data)));
