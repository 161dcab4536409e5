//! Many pictures at once.

use std::collections::HashSet;
use std::fs;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::Duration;

use mnistctl::ink::InkError;
use mnistctl::ink::files::{Input, expand};
use mnistctl::ink::reader::Reader;

use crate::common::raw_png;

/// A folder of files that hold their own number.
fn numbered(count: usize) -> (tempfile::TempDir, Vec<Input>) {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..count {
        let path = folder.path().join(format!("{number:05}.png"));
        fs::write(path, number.to_string()).unwrap();
    }
    let listing = expand(&[folder.path().to_path_buf()]);
    assert_eq!(listing.inputs.len(), count);
    (folder, listing.inputs)
}

fn number(_: &str, bytes: &[u8]) -> Result<usize, InkError> {
    Ok(std::str::from_utf8(bytes).unwrap().parse().unwrap())
}

#[test]
fn thousands_of_files_come_in_order_and_in_batches() {
    let (_folder, inputs) = numbered(3000);
    let mut reader = Reader::new(inputs, 4);
    let mut seen = 0;
    loop {
        let batch = reader.batch(700, number);
        if batch.is_empty() {
            break;
        }
        assert!(batch.len() <= 700);
        for reading in batch {
            assert_eq!(reading.result.unwrap(), seen);
            assert!(reading.input.name().ends_with(&format!("{seen:05}.png")));
            seen += 1;
        }
    }
    assert_eq!(seen, 3000);
    assert!(reader.batch(700, number).is_empty());
}

#[test]
fn all_threads_read_and_slow_pictures_are_handed_over_early() {
    let (_folder, inputs) = numbered(40);
    let mut reader = Reader::new(inputs, 4);
    let threads: Mutex<HashSet<ThreadId>> = Mutex::default();
    let batch = reader.batch(40, |name, bytes| {
        threads.lock().unwrap().insert(thread::current().id());
        thread::sleep(Duration::from_millis(100));
        number(name, bytes)
    });
    assert_eq!(threads.lock().unwrap().len(), 4);
    // 100 ms each on four threads: after a quarter of a second no more are begun.
    assert!((1..40).contains(&batch.len()), "{}", batch.len());
    let rest = reader.batch(40, number);
    assert_eq!(batch.len() + rest.len(), 40);
    assert_eq!(*rest[0].result.as_ref().unwrap(), batch.len());
}

#[test]
fn one_bad_input_leaves_the_others() {
    let (folder, mut inputs) = numbered(3);
    inputs.insert(1, Input::File(folder.path().join("missing.png")));
    inputs.extend(expand(&[folder.path().join("00000.png")]).inputs);
    let batch = Reader::new(inputs, 2).batch(9, number);
    let results: Vec<Option<usize>> = batch.into_iter().map(|r| r.result.ok()).collect();
    assert_eq!(results, [Some(0), None, Some(1), Some(2), Some(0)]);
}

/// Each of these would take nearly all the memory there is: they must wait for each other, and
/// must not wait forever. The file is larger than what is read unasked.
#[test]
fn large_pictures_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut png = raw_png((9_400, 9_400), 8, 2, &[], &[]);
    png.resize(100_000, 0);
    for number in 0..8 {
        fs::write(folder.path().join(format!("{number}.png")), &png).unwrap();
    }
    let inputs = expand(&[folder.path().to_path_buf()]).inputs;
    let reading = Mutex::new(0);
    let batch = Reader::new(inputs, 8).batch(8, |_, _| {
        *reading.lock().unwrap() += 1;
        thread::sleep(Duration::from_millis(10));
        let mut reading = reading.lock().unwrap();
        assert_eq!(*reading, 1);
        *reading -= 1;
        Ok(())
    });
    assert_eq!(batch.len(), 8);
    assert!(batch.iter().all(|reading| reading.result.is_ok()));
}
