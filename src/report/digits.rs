//! Digits to look at: those taken for others, those trained on, those of each class.

use super::chart::{Gallery, Thumbnail};
use crate::dataset::{Augment, CLASSES, Classes, Digits, PIXELS, shuffle};
use crate::evaluation::Mistake;
use crate::recipe::Recipe;
use crate::rng::{Rng, Stream};
use crate::training::TrainingData;

/// The most digits in each of the two galleries.
pub const WRONG: usize = 24;
pub const TRAINING: usize = 24;

/// The first of `mistakes`, which come with the surest one first.
pub fn wrong(mistakes: &[Mistake], digits: &Digits, classes: &Classes) -> Vec<Thumbnail> {
    let thumbnail = |mistake: &Mistake| Thumbnail {
        pixels: digits.image(mistake.index as usize).to_vec(),
        caption: format!(
            "{} → {}\n{:.1} %",
            classes.name(mistake.truth),
            classes.name(mistake.predicted),
            100.0 * mistake.confidence
        ),
    };
    mistakes.iter().take(WRONG).map(thumbnail).collect()
}

/// The first images of the first epoch, varied just as the network saw them.
pub fn training(recipe: &Recipe, data: &TrainingData) -> Vec<Thumbnail> {
    let seed = recipe.training.seed;
    let mut order = data.train.clone();
    shuffle(
        &mut order,
        &mut Rng::new(seed, &[Stream::Shuffle as u64, 1]),
    );
    let augment = Augment::new(&recipe.augment);
    let seen = |&index: &u32| {
        let image = data.digits.image(index as usize);
        let label = data.digits.label(index as usize);
        let mut pixels = vec![0; PIXELS];
        match &augment {
            None => pixels.copy_from_slice(image),
            Some(augment) => {
                let rng = Rng::new(seed, &[Stream::Augment as u64, 1, u64::from(index)]);
                augment.apply(image, label, rng, &mut pixels);
            }
        }
        Thumbnail {
            pixels,
            caption: recipe.data.classes.name(usize::from(label)),
        }
    };
    order.iter().take(TRAINING).map(seen).collect()
}

/// The first `each` digits of every class, a row a class. A class with fewer leaves white thumbnails.
pub fn classes(digits: &Digits, each: usize) -> Gallery {
    let mut thumbnails = Vec::with_capacity(CLASSES * each);
    for class in 0..CLASSES {
        let of_class = (0..digits.len()).filter(|&i| usize::from(digits.label(i)) == class);
        let images = of_class.map(|i| digits.image(i).to_vec());
        let images = images.chain(std::iter::repeat(vec![0; PIXELS]));
        thumbnails.extend(images.take(each).map(|pixels| Thumbnail {
            pixels,
            caption: String::new(),
        }));
    }
    Gallery {
        thumbnails,
        columns: each,
        row_names: (0..CLASSES).map(|class| class.to_string()).collect(),
    }
}

/// Tiles as a picture file: their captions on one line each.
pub(super) fn gallery(thumbnails: &[Thumbnail]) -> Gallery {
    let one_line = |thumbnail: &Thumbnail| Thumbnail {
        pixels: thumbnail.pixels.clone(),
        caption: thumbnail.caption.replace('\n', "  "),
    };
    Gallery {
        thumbnails: thumbnails.iter().map(one_line).collect(),
        columns: 8,
        row_names: Vec::new(),
    }
}
