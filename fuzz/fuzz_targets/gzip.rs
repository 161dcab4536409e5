#![no_main]

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

#[path = "../checks/gzip.rs"]
mod gzip;
#[path = "../checks/idx.rs"]
mod idx;
#[path = "../meter.rs"]
mod meter;

fuzz_target!(|data: &[u8]| meter::within(gzip::memory(data), || gzip::check(data)));

// Every other time what is inside is changed and packed again: with a wrong checksum, nothing
// behind the decoder would ever be reached.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    let mut inside = Vec::new();
    let unpacked = GzDecoder::new(&data[..size])
        .take(1 << 16)
        .read_to_end(&mut inside);
    if seed % 2 == 0 || unpacked.is_err() || inside.is_empty() {
        return fuzzer_mutate(data, size, max_size);
    }
    let length = inside.len();
    inside.resize(length + 100, 0);
    let length = fuzzer_mutate(&mut inside, length, length + 100);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = match packed
        .write_all(&inside[..length])
        .map(|()| packed.finish())
    {
        Ok(Ok(packed)) => packed,
        _ => return fuzzer_mutate(data, size, max_size),
    };
    // The labels behind it stay.
    let labels = data[..size]
        .windows(3)
        .rposition(|start| start == [0x1f, 0x8b, 8]);
    let labels = labels.filter(|&at| at > 0).unwrap_or(size);
    let whole = [&packed, &data[labels..size]].concat();
    if whole.len() > max_size {
        return size;
    }
    data[..whole.len()].copy_from_slice(&whole);
    whole.len()
});
