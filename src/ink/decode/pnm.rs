//! What has to be known of a PNM before it is decoded.

use super::Fault;

/// No header is longer than this, in bytes.
const MAX_HEADER: usize = 1 << 16;

/// The decoder collects the lines of a PAM's header, however long they are.
pub fn check(bytes: &[u8]) -> Result<(), Fault> {
    let start = &bytes[..bytes.len().min(MAX_HEADER)];
    let ends = || start.windows(6).any(|word| word == b"ENDHDR");
    match bytes {
        [b'P', b'7', ..] if !ends() && start.len() < MAX_HEADER => Err(Fault::CutOff),
        [b'P', b'7', ..] if !ends() => Err(Fault::Damaged("its header has no end".into())),
        _ => Ok(()),
    }
}
