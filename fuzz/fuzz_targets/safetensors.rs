#![no_main]

#[path = "../meter.rs"]
mod meter;
#[path = "../checks/weights.rs"]
mod weights;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(weights::memory(data), || {
    weights::check(data)
}));
