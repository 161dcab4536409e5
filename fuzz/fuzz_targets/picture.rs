#![no_main]

#[path = "../meter.rs"]
mod meter;
#[path = "../checks/picture.rs"]
mod picture;
#[path = "../sample.rs"]
mod sample;

// Decoders may panic, which is caught and becomes an error. libFuzzer's hook would end the process
// before; a panic that isn't caught still does.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| meter::within(picture::memory(data), || {
        let pixels = picture::check_decoding(data);
        // A hundred times as slow, and more on large pages.
        if (1..100_000).contains(&pixels) && sample::is_one_in(32, data) {
            picture::check_ink(data);
        }
    })
);
