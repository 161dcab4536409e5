#![no_main]

#[path = "../checks/log.rs"]
mod log;
#[path = "../meter.rs"]
mod meter;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(log::memory(data), || log::check(data)));
