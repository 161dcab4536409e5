//! `cargo bench --bench pictures`: how many pictures of handwritten digits are read right, for each
//! kind in `tests/support/src/pictures`, as a Markdown table: by what `mnistctl predict` does; by the plain way
//! that people write (grey, resized to 28x28, inverted when it is light); and from the 28x28
//! originals that the pictures were made from. The network is the same.
//!
//! - `--data DIR`: a folder with the complete MNIST;
//! - `--checkpoint FILE`: instead of the network that the program carries;
//! - `--split val`: the last 5,000 training digits instead of the test digits;
//! - `--count N`: pictures a kind (200);
//! - `--kinds a,b`: only kinds with one of these words in their names, `number`: only those of
//!   several digits;
//! - `--write DIR`: saves the pictures as `KIND/NUMBER_DIGIT.EXTENSION`, and those of several digits
//!   as `number/NUMBER_TEXT.EXTENSION` and so on, lines joined by `_`.

use std::fs;
use std::path::{Path, PathBuf};

use image::imageops::{self, FilterType};
use mnistctl::dataset::{DataArg, Digits, Split, find};
use mnistctl::engine::{Backend, available_threads, with_threads};
use mnistctl::evaluation::Ensemble;
use mnistctl::ink::many::Numbers;
use mnistctl::ink::{self, single::Single};
use rayon::prelude::*;
use support::pictures::{KINDS, Kind, draw, lines, number, touching};

/// How many digits at the end of the training file `--split val` takes.
const VALIDATION: usize = 5_000;

/// How many pictures of each kind with several digits there are.
const NUMBERS: usize = 500;

/// A picture's truth, and what the network is shown for it.
struct Example {
    truth: u8,
    /// `None` when the picture can't be read.
    ink: Option<Single>,
    plain: [u8; 784],
    original: [u8; 784],
}

/// How many of a kind's pictures are read right, in the order of the table's columns.
struct Row {
    kind: &'static Kind,
    fractions: [f64; 3],
    unreadable: usize,
}

/// Grey, 28x28, light on dark: nothing else.
fn plain(bytes: &[u8]) -> [u8; 784] {
    let grey = image::load_from_memory(bytes).unwrap().to_luma8();
    let small = imageops::resize(&grey, 28, 28, FilterType::Triangle);
    let mut pixels: [u8; 784] = small.into_raw().try_into().unwrap();
    let sum: u32 = pixels.iter().map(|pixel| u32::from(*pixel)).sum();
    if sum > 127 * 784 {
        pixels = pixels.map(|pixel| 255 - pixel);
    }
    pixels
}

fn write(folder: &Path, kind: &str, number: usize, truth: &str, bytes: &[u8]) {
    let folder = folder.join(kind.replace(", ", "-").replace([' ', '\''], "-"));
    fs::create_dir_all(&folder).unwrap();
    let extension = image::guess_format(bytes).unwrap().extensions_str()[0];
    let name = format!("{number:05}_{truth}.{extension}");
    fs::write(folder.join(name), bytes).unwrap();
}

/// A picture of several digits, and what is written on it, a line break between two lines.
struct Written {
    kind: &'static str,
    text: String,
    bytes: Vec<u8>,
}

/// Four digits on a line, the same touching each other, and two to four lines of two to six digits.
fn written(digits: &Digits, numbers: &[usize], seed: usize) -> [Written; 3] {
    let digit = |at: usize| -> &[u8; 784] {
        let at = numbers[at % numbers.len()];
        digits.image(at).try_into().unwrap()
    };
    let label = |at: usize| digits.label(numbers[at % numbers.len()]).to_string();
    let four = 4 * seed..4 * seed + 4;
    let shown: Vec<_> = four.clone().map(digit).collect();
    let text: String = four.map(label).collect();

    let line = |row: usize| 24 * seed + 6 * row..24 * seed + 6 * row + 2 + (seed + 2 * row) % 5;
    let rows = 0..2 + seed % 3;
    let below: Vec<Vec<_>> = rows.clone().map(|r| line(r).map(digit).collect()).collect();
    let texts: Vec<String> = rows.map(|r| line(r).map(label).collect()).collect();
    let seed = seed as u64;
    [
        ("number", number(&shown, seed), text.clone()),
        ("touching", touching(&shown, seed), text),
        ("lines", lines(&below, seed), texts.join("\n")),
    ]
    .map(|(kind, bytes, text)| Written { kind, text, bytes })
}

/// Prints how many pictures of several digits are read without any mistake.
fn measure_numbers(network: &Ensemble, digits: &Digits, numbers: &[usize], folder: Option<&Path>) {
    let seeds: Vec<usize> = (0..NUMBERS).collect();
    let mut right = [0; 3];
    for seeds in seeds.chunks(50) {
        let drawn: Vec<_> = seeds
            .par_iter()
            .map(|&seed| written(digits, numbers, seed))
            .map(|drawn| drawn.map(|d| (ink::read_many_bytes(d.kind, &d.bytes).ok(), d)))
            .collect();
        for (seed, drawn) in seeds.iter().zip(drawn) {
            for (right, (read, written)) in right.iter_mut().zip(drawn) {
                let read = read.map(|numbers| text(network, &numbers));
                *right += usize::from(read.as_ref() == Some(&written.text));
                if let Some(folder) = folder {
                    let text = written.text.replace('\n', "_");
                    write(folder, written.kind, *seed, &text, &written.bytes);
                }
            }
        }
    }
    println!("| several digits | read without a mistake, of {NUMBERS} |");
    println!("|---|---|");
    for (kind, right) in ["number", "touching", "lines"].iter().zip(right) {
        println!("| {kind} | {:.3} |", right as f64 / NUMBERS as f64);
    }
}

/// What `predict` reads.
fn digit_of(network: &Ensemble, picture: &Single) -> usize {
    let pixels = picture.candidates().iter().map(|d| d.pixels.as_slice());
    let predictions = network.predict(&pixels.collect::<Vec<_>>()).unwrap();
    let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
    predictions[picture.best(&probabilities)].digit()
}

/// What `predict --many` reads.
fn text(network: &Ensemble, numbers: &Numbers) -> String {
    let images: Vec<&[u8]> = numbers
        .candidates()
        .map(|candidate| candidate.digit.pixels.as_slice())
        .collect();
    let predictions = network.predict(&images).unwrap();
    let probabilities: Vec<_> = predictions.iter().map(|p| p.probabilities).collect();
    let line = |line: Vec<usize>| -> String {
        let digits = line.into_iter().map(|index| predictions[index].digit());
        digits.map(|digit| digit.to_string()).collect()
    };
    let lines: Vec<String> = numbers.best(&probabilities).into_iter().map(line).collect();
    lines.join("\n")
}

fn example(kind: &Kind, digits: &Digits, number: usize, folder: Option<&Path>) -> Example {
    let original: [u8; 784] = digits.image(number).try_into().unwrap();
    let truth = digits.label(number);
    let bytes = draw(kind, &original, number as u64);
    if let Some(folder) = folder {
        write(folder, kind.name, number, &truth.to_string(), &bytes);
    }
    Example {
        truth,
        ink: ink::read_bytes(kind.name, &bytes).ok(),
        plain: plain(&bytes),
        original,
    }
}

/// The fraction of the examples that are read right.
fn right(examples: &[Example], read: impl Fn(&Example) -> Option<usize>) -> f64 {
    let is_right = |example: &&Example| read(example) == Some(usize::from(example.truth));
    examples.iter().filter(is_right).count() as f64 / examples.len() as f64
}

fn row(kind: &'static Kind, network: &Ensemble, examples: &[Example]) -> Row {
    let digit = |pixels: &[u8; 784]| Some(network.predict(&[pixels]).unwrap()[0].digit());
    Row {
        kind,
        fractions: [
            right(examples, |example| {
                Some(digit_of(network, example.ink.as_ref()?))
            }),
            right(examples, |example| digit(&example.plain)),
            right(examples, |example| digit(&example.original)),
        ],
        unreadable: examples.iter().filter(|e| e.ink.is_none()).count(),
    }
}

fn print(name: &str, fractions: [f64; 3]) {
    let [ink, plain, original] = fractions.map(|fraction| format!("{fraction:.3}"));
    println!("| {name} | {ink} | {plain} | {original} |");
}

fn table(rows: &[Row]) {
    println!("| kind | mnistctl predict | grey, resized to 28x28 | the 28x28 original |");
    println!("|---|---|---|---|");
    for row in rows {
        let mark = if row.kind.destroyed.is_some() {
            " *"
        } else {
            ""
        };
        print(&format!("{}{mark}", row.kind.name), row.fractions);
    }
    let count = rows.len() as f64;
    let mean = [0, 1, 2].map(|way| rows.iter().map(|row| row.fractions[way]).sum::<f64>() / count);
    print("**mean**", mean);
    println!();
    for kind in rows.iter().map(|row| row.kind) {
        if let Some(what) = kind.destroyed {
            println!("\\* {}: {what}.", kind.name);
        }
    }
    for row in rows.iter().filter(|row| row.unreadable > 0) {
        eprintln!("{}: {} unreadable", row.kind.name, row.unreadable);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let checkpoint: Vec<PathBuf> = option("--checkpoint")
        .into_iter()
        .map(PathBuf::from)
        .collect();
    let data = option("--data").unwrap_or_else(|| "auto".into());
    let count = option("--count").map_or(200, |count| count.parse().unwrap());
    let folder = option("--write").map(PathBuf::from);
    let words = option("--kinds").unwrap_or_default();
    let chosen = |kind: &Kind| words.split(',').any(|word| kind.name.contains(word));
    let (split, size) = match option("--split").as_deref() {
        None | Some("test") => (Split::Test, None),
        Some("val") => (Split::Train, Some(VALIDATION)),
        Some(other) => panic!("--split test or val, not {other}"),
    };
    let source = find(&DataArg::from(data.as_str())).unwrap();
    let digits = source.load(split).unwrap().digits;
    let first = size.map_or(0, |size| digits.len().saturating_sub(size));
    let numbers: Vec<usize> = (first..digits.len()).collect();
    let measure = || {
        let network = Ensemble::load(
            &checkpoint,
            &Backend::Native.compute(available_threads()).unwrap(),
        )
        .unwrap();
        let kinds = KINDS.iter().enumerate().filter(|(_, kind)| chosen(kind));
        let row = |(place, kind): (usize, &'static Kind)| {
            // Other digits for each kind, the same whichever kinds are asked for.
            let examples: Vec<Example> = (place * count..(place + 1) * count)
                .into_par_iter()
                .map(|n| example(kind, &digits, numbers[n % numbers.len()], folder.as_deref()))
                .collect();
            row(kind, &network, &examples)
        };
        let rows: Vec<Row> = kinds.map(row).collect();
        if !rows.is_empty() {
            table(&rows);
        }
        if words.is_empty() || words.contains("number") {
            measure_numbers(&network, &digits, &numbers, folder.as_deref());
        }
    };
    with_threads(available_threads(), measure).unwrap();
}
