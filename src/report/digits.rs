//! Digits to look at: those taken for others, those trained on, those of each class.

use super::chart::{Gallery, Tile};
use crate::dataset::{Augment, CLASSES, Digits, PIXELS, shuffle};
use crate::evaluation::Mistake;
use crate::recipe::Recipe;
use crate::rng::{Rng, Stream};
use crate::training::TrainingData;

/// As many at most.
pub const WRONG: usize = 24;
pub const TRAINING: usize = 24;

/// The surest of `mistakes`, which come in this order.
pub fn wrong(mistakes: &[Mistake], digits: &Digits) -> Vec<Tile> {
    let tile = |mistake: &Mistake| Tile {
        pixels: digits.image(mistake.index as usize).to_vec(),
        caption: format!(
            "{} → {}\n{:.1} %",
            mistake.truth,
            mistake.predicted,
            100.0 * mistake.confidence
        ),
    };
    mistakes.iter().take(WRONG).map(tile).collect()
}

/// The first images of the first epoch, varied just as the network saw them.
pub fn training(recipe: &Recipe, data: &TrainingData) -> Vec<Tile> {
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
        Tile {
            pixels,
            caption: label.to_string(),
        }
    };
    order.iter().take(TRAINING).map(seen).collect()
}

/// The first `each` digits of every class, a row a class. A class with fewer leaves white tiles.
pub fn classes(digits: &Digits, each: usize) -> Gallery {
    let mut tiles = Vec::with_capacity(CLASSES * each);
    for class in 0..CLASSES {
        let of_class = (0..digits.len()).filter(|&i| usize::from(digits.label(i)) == class);
        let images = of_class.map(|i| digits.image(i).to_vec());
        let images = images.chain(std::iter::repeat(vec![0; PIXELS]));
        tiles.extend(images.take(each).map(|pixels| Tile {
            pixels,
            caption: String::new(),
        }));
    }
    Gallery {
        tiles,
        columns: each,
        row_names: (0..CLASSES).map(|class| class.to_string()).collect(),
    }
}

/// Tiles as a picture file: their captions on one line each.
pub(super) fn gallery(tiles: &[Tile]) -> Gallery {
    let one_line = |tile: &Tile| Tile {
        pixels: tile.pixels.clone(),
        caption: tile.caption.replace('\n', "  "),
    };
    Gallery {
        tiles: tiles.iter().map(one_line).collect(),
        columns: 8,
        row_names: Vec::new(),
    }
}
