//! What a GIF's blocks tell before it is decoded.

use super::Fault;

/// The memory that decoding takes besides the picture, in bytes.
///
/// The first frame must be there to its end; what follows it does not matter. It is decoded into
/// memory of its own, which has nothing to do with the size that the header names.
pub fn check(bytes: &[u8]) -> Result<u64, Fault> {
    let mut blocks = Blocks { rest: bytes };
    let header: &[u8; 13] = blocks.take()?;
    blocks.skip(palette(header[10]))?;
    loop {
        match blocks.take()? {
            [b'!'] => {
                let [_label] = blocks.take()?;
                blocks.skip_data()?;
            }
            [b','] => {
                let frame: &[u8; 9] = blocks.take()?;
                let side = |at: usize| u64::from(u16::from_le_bytes([frame[at], frame[at + 1]]));
                blocks.skip(palette(frame[8]))?;
                let [_code_size] = blocks.take()?;
                blocks.skip_data()?;
                return Ok(side(4) * side(6) * 4);
            }
            [b';'] => return Err(Fault::Damaged("there is no frame in it".into())),
            [other] => return Err(Fault::Damaged(format!("there is no block {other:#04x}"))),
        }
    }
}

/// The bytes of the palette that a flag byte announces.
fn palette(flags: u8) -> usize {
    match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    }
}

struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    fn take<const N: usize>(&mut self) -> Result<&'a [u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    fn skip(&mut self, count: usize) -> Result<(), Fault> {
        self.rest = self.rest.get(count..).ok_or(Fault::CutOff)?;
        Ok(())
    }

    /// Data comes in pieces of at most 255 bytes, the last of which is empty.
    fn skip_data(&mut self) -> Result<(), Fault> {
        loop {
            match self.take()? {
                [0] => return Ok(()),
                [count] => self.skip(usize::from(*count))?,
            }
        }
    }
}
