#![no_main]

#[path = "../checks/recipe.rs"]
mod recipe;
#[path = "../meter.rs"]
mod meter;

libfuzzer_sys::fuzz_target!(|data: &[u8]| meter::within(recipe::memory(data), || recipe::check(data)));
