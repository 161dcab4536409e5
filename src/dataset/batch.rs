//! Images as bytes in memory, and as normalised floats on a device, one batch at a time.

use burn::tensor::{Device, Int, Tensor, TensorData};
use serde::Serialize;

use super::{PIXELS, SIDE};

/// `torchvision.transforms.Normalize` on pixels scaled to 0..1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Normalize {
    pub mean: f64,
    pub std: f64,
}

/// Images of 784 bytes and their labels.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub images: &'a [&'a [u8]],
    pub labels: &'a [u8],
}

/// Turns bytes into normalised floats: `(byte / 255 - mean) / std`.
#[derive(Debug, Clone)]
pub struct Batcher {
    table: [f32; 256],
}

impl Batcher {
    pub fn new(normalize: Normalize) -> Self {
        // In single precision and in this order, as ToTensor and Normalize of torchvision.
        let (mean, std) = (normalize.mean as f32, normalize.std as f32);
        Self {
            table: std::array::from_fn(|byte| (byte as f32 / 255.0 - mean) / std),
        }
    }

    /// `[images, 1, 28, 28]` from any number of images of 784 bytes.
    pub fn images<'a>(
        &self,
        images: impl ExactSizeIterator<Item = &'a [u8]>,
        device: &Device,
    ) -> Tensor<4> {
        let count = images.len();
        let mut values = Vec::with_capacity(count * PIXELS);
        for image in images {
            values.extend(image.iter().map(|&byte| self.table[usize::from(byte)]));
        }
        Tensor::from_data(TensorData::new(values, [count, 1, SIDE, SIDE]), device)
    }
}

/// Labels as the loss wants them: `[batch]`.
pub fn targets(labels: &[u8], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = labels.iter().map(|&label| i32::from(label)).collect();
    Tensor::from_data(TensorData::new(values, [labels.len()]), device)
}
