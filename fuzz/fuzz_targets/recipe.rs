#![no_main]

#[path = "../meter.rs"]
mod meter;
#[path = "../checks/recipe.rs"]
mod recipe;

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| meter::within(recipe::memory(data), || recipe::check(data))
);
