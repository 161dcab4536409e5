//! A picture in any format, read as one digit and as many.

use mnistctl::ink::decode::{MAX_MEMORY, decode, memory as estimate};
use mnistctl::ink::{InkError, read_bytes, read_many_bytes};

/// What the program promises for itself, which is twice what it takes into account.
pub fn memory(_: &[u8]) -> usize {
    2 * MAX_MEMORY as usize
}

pub fn check(data: &[u8]) {
    check_decoding(data);
    check_ink(data);
}

/// From bytes to a page; returns how many pixels that has.
pub fn check_decoding(data: &[u8]) -> usize {
    assert!(estimate(data) <= MAX_MEMORY);
    let page = match decode("picture", data) {
        Ok(page) => page,
        Err(error) => {
            check_error(&error);
            return 0;
        }
    };
    assert!(page.image.width().max(page.image.height()) <= 1200);
    page.image.pixels().len()
}

/// From a page to digits.
pub fn check_ink(data: &[u8]) {
    let (width, height) = match decode("picture", data) {
        Ok(page) => page.size,
        Err(_) => return,
    };
    match read_bytes("picture", data) {
        Ok(single) => {
            // As a network might answer that can't read the first.
            let answers = [[0.1; 10], [0.0; 10], [1.0; 10]];
            let best = single.best(&answers[..single.candidates().len()]);
            assert!(best < single.candidates().len());
        }
        Err(error) => check_error(&error),
    }
    let numbers = match read_many_bytes("picture", data) {
        Ok(numbers) => numbers,
        Err(error) => return check_error(&error),
    };
    let mut probabilities = Vec::new();
    for (index, candidate) in numbers.candidates().enumerate() {
        let [left, top, across, down] = candidate.place;
        assert!(
            across > 0 && left + across <= width && down > 0 && top + down <= height,
            "{:?} in {width}x{height}",
            candidate.place
        );
        // As a network might answer: each is sure of another digit.
        let mut answer = [0.01; 10];
        answer[index % 10] = 0.91;
        probabilities.push(answer);
    }
    let best = numbers.best(&probabilities).concat();
    assert!(best.iter().all(|&index| index < probabilities.len()));
}

/// Messages are one line, whatever the file says.
fn check_error(error: &InkError) {
    let text = error.to_string();
    assert!(
        !text.is_empty() && !text.contains(char::is_control),
        "{text:?}"
    );
}
