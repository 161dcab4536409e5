//! Values of other types as f32.

use half::{bf16, f16};

/// A type of floating-point numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

impl Float {
    /// Little-endian values as f32; those of f64 are rounded.
    pub fn read(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => each(bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Self::F32 => each(bytes, f32::from_le_bytes),
            Self::F16 => each(bytes, |bytes| f16::from_le_bytes(bytes).to_f32()),
            Self::Bf16 => each(bytes, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (values, _) = bytes.as_chunks::<N>();
    values.iter().map(|&value| read(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_gives_the_same_numbers() {
        let values = [0.0, 1.0, -0.5, 1.25, -240.0];
        let f64s: Vec<u8> = values.iter().flat_map(|v: &f64| v.to_le_bytes()).collect();
        let f32s: Vec<u8> = values
            .iter()
            .flat_map(|&v| (v as f32).to_le_bytes())
            .collect();
        let f16s = values.iter().flat_map(|&v| f16::from_f64(v).to_le_bytes());
        let bf16s = values.iter().flat_map(|&v| bf16::from_f64(v).to_le_bytes());
        let expected = values.map(|v| v as f32);
        assert_eq!(Float::F64.read(&f64s), expected);
        assert_eq!(Float::F32.read(&f32s), expected);
        assert_eq!(Float::F16.read(&f16s.collect::<Vec<_>>()), expected);
        assert_eq!(Float::Bf16.read(&bf16s.collect::<Vec<_>>()), expected);
    }
}
