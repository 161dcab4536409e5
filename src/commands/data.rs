//! `mnistctl data`

mod import;

use std::fmt::Write;
use std::path::Path;

use super::{Error, Status, print};
use crate::cli::{DataAction, DataArgs};
use crate::dataset::{CLASSES, DataArg, Digits, Places, Published, SIDE, Split, find, verify};
use crate::files::write_atomically;
use crate::ink::preview;
use crate::report::{ReportError, digits};

/// How many digits of each class the PNG shows, and how many the terminal, where five fit into 80
/// columns.
const IN_PNG: usize = 16;
const IN_TERMINAL: usize = 5;

pub fn run(args: &DataArgs) -> Result<Status, Error> {
    match &args.action {
        DataAction::Download { dataset } => download(*dataset),
        DataAction::Verify { dataset, data } => verify_files(*dataset, data),
        DataAction::Show { data, out } => show(data, out.as_deref()),
        DataAction::Import(args) => import::run(args),
    }
}

fn download(dataset: Published) -> Result<Status, Error> {
    let folder = Places::of(dataset).download()?;
    let folder = folder.display();
    let usage = match dataset {
        Published::Mnist => String::new(),
        _ => format!(", for --data {folder}"),
    };
    print(&format!("{dataset} is in {folder}{usage}\n"))?;
    Ok(Status::Done)
}

fn verify_files(dataset: Published, data: &str) -> Result<Status, Error> {
    let folder = match DataArg::from(data) {
        DataArg::Sample => {
            let message = "the sample is part of this program; there are no files to verify";
            return Err(Error::Usage(message.into()));
        }
        DataArg::Folder(folder) => folder,
        DataArg::Auto => match Places::of(dataset).find_existing()? {
            Some(folder) => folder,
            None => {
                let words = match dataset {
                    Published::Mnist => String::new(),
                    _ => format!(" {}", dataset.word()),
                };
                return Err(Error::Usage(format!(
                    "{dataset} is in none of the usual places; name its folder with --data, or run \
                     `mnistctl data download{words}`"
                )));
            }
        },
    };
    let checks = verify(&folder, dataset)?;
    for check in &checks {
        print(&format!("{check}\n"))?;
    }
    if checks.iter().all(|check| check.is_ok()) {
        Ok(Status::Done)
    } else {
        Ok(Status::PartlyFailed)
    }
}

fn show(data: &str, out: Option<&Path>) -> Result<Status, Error> {
    let is_png = |path: &Path| {
        path.extension()
            .is_some_and(|ext| ext.eq_ignore_ascii_case("png"))
    };
    if let Some(out) = out.filter(|out| !is_png(out)) {
        let message = format!(
            "--out writes a PNG, so its file should end in .png, not {}",
            out.display()
        );
        return Err(Error::Usage(message));
    }
    let source = find(&DataArg::from(data))?;
    let train = source.load(Split::Train)?.digits;
    let test = source.load(Split::Test)?.digits;
    if let Some(out) = out {
        let png = digits::classes(&train, IN_PNG).png();
        write_atomically(out, &png.map_err(ReportError::from)?)?;
    }
    print(&format!(
        "{}\n\n{}\n{}",
        source.describe(),
        counts(&train, &test),
        previews(&train)
    ))?;
    Ok(Status::Done)
}

/// How many digits of each class there are.
fn counts(train: &Digits, test: &Digits) -> String {
    let count = |digits: &Digits, class: usize| {
        let labels = digits.labels().iter();
        labels.filter(|&&label| usize::from(label) == class).count()
    };
    let mut text = "digit   train    test\n".to_string();
    for class in 0..CLASSES {
        let (train, test) = (count(train, class), count(test, class));
        let _ = writeln!(text, "{class:>5}  {train:>6}  {test:>6}");
    }
    let _ = writeln!(text, "  all  {:>6}  {:>6}", train.len(), test.len());
    text
}

/// The first training digits of each class, at half their size.
fn previews(train: &Digits) -> String {
    let gallery = digits::classes(train, IN_TERMINAL);
    let mut text = String::new();
    for thumbnails in gallery.thumbnails.chunks(IN_TERMINAL) {
        let small = thumbnails
            .iter()
            .map(|thumbnail| preview(&halved(&thumbnail.pixels), SIDE / 2));
        let small: Vec<String> = small.collect();
        let mut lines: Vec<_> = small.iter().map(|digit| digit.lines()).collect();
        for _ in 0..SIDE.div_ceil(4) {
            let row: Vec<&str> = lines.iter_mut().filter_map(Iterator::next).collect();
            let _ = writeln!(text, "{}", row.join(" ").trim_end());
        }
    }
    text
}

/// Half as wide and high: each pixel the mean of four.
fn halved(pixels: &[u8]) -> Vec<u8> {
    let half = SIDE / 2;
    let mean = |index: usize| {
        let corner = index / half * 2 * SIDE + index % half * 2;
        let four = [0, 1, SIDE, SIDE + 1].map(|step| u16::from(pixels[corner + step]));
        (four.iter().sum::<u16>() / 4) as u8
    };
    (0..half * half).map(mean).collect()
}
