#![no_main]

#[path = "../meter.rs"]
mod meter;
#[path = "../checks/request.rs"]
mod request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(request::memory(data), || {
    request::check(data)
}));
