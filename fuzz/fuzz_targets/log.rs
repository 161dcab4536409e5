#![no_main]

#[path = "../checks/log.rs"]
mod log;
#[path = "../meter.rs"]
mod meter;
#[path = "../sample.rs"]
mod sample;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(log::memory(data), || {
    log::check_figures(data);
    // A hundred times as slow.
    if sample::is_one_in(32, data) {
        log::check_page(data);
    }
}));
