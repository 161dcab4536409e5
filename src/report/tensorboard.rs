//! A run as TensorBoard shows it: an event file in the run's folder.
//!
//! The file is a sequence of records, each a length, a protobuf message and the checksums of both
//! (<https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details>). It follows from
//! the run's log: [`EventFile::open`] keeps what belongs to the epochs that are done, cuts off what a
//! crash left half-written, and adds what is missing.

mod schema;

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crc::{CRC_32_ISCSI, Crc};
use prost::Message;

use crate::files::FileError;
use crate::recipe::Recipe;
use crate::training::{LogLine, RunFolder, Summary};
use schema::event::What;
use schema::summary::{Image, Value, value};
use schema::summary_metadata::PluginData;
use schema::{DataType, Event, Summary as EventSummary, SummaryMetadata, TensorProto};

/// The name of the file: TensorBoard reads what has `tfevents` in it.
pub const EVENTS: &str = "events.out.tfevents.mnistctl";

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// No event of ours is nearly as long.
const LONGEST: u64 = 64 << 20;

/// The event file of a run, to which epochs are added.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// Opens or begins the event file of a run with the finished epochs `log`.
    pub fn open(folder: &RunFolder, recipe: &Recipe, log: &[LogLine]) -> Result<Self, FileError> {
        let path = folder.file(EVENTS);
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = options.open(&path)?;
            let kept = Kept::of(&file, log.len() as u64)?;
            file.set_len(kept.bytes)?;
            file.seek(SeekFrom::End(0))?;
            Ok((file, kept))
        };
        let (file, kept) = open().map_err(FileError::at(&path))?;
        let mut events = Self { path, file };
        if kept.bytes == 0 {
            events.add(0, What::FileVersion("brain.Event:2".into()))?;
            let recipe = format!("```toml\n{}```", recipe.to_toml());
            events.add(0, summary(vec![text("recipe", &recipe)]))?;
        }
        for line in &log[kept.epochs as usize..] {
            events.add_epoch(line)?;
        }
        Ok(events)
    }

    /// Adds the figures of an epoch.
    pub fn add_epoch(&mut self, line: &LogLine) -> Result<(), FileError> {
        let epoch = &line.epoch;
        let mut values = vec![
            scalar("loss/train", epoch.train.loss),
            scalar("accuracy/train", epoch.train.accuracy),
            scalar("lr", epoch.lr),
            scalar("images_per_second", line.images_per_second),
        ];
        if let Some(val) = epoch.val {
            values.push(scalar("loss/val", val.loss));
            values.push(scalar("accuracy/val", val.accuracy));
        }
        self.add(epoch.epoch, summary(values))
    }

    /// Adds what the best weights make of the test images: their figures, and the pictures of the
    /// report in `folder`.
    pub fn add_test(&mut self, folder: &Path, run: &Summary) -> Result<(), FileError> {
        let mut values = vec![
            scalar("loss/test", run.test.loss),
            scalar("accuracy/test", run.test.accuracy),
        ];
        for (tag, name) in [
            ("confusion matrix", "confusion.png"),
            ("surest mistakes", "wrong.png"),
        ] {
            // A report that could not be written has been complained of already; one without
            // mistakes has no picture of them.
            let png = std::fs::read(folder.join(name));
            values.extend(png.ok().and_then(|png| picture(tag, png)));
        }
        self.add(run.epochs as u64, summary(values))
    }

    fn add(&mut self, step: u64, what: What) -> Result<(), FileError> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let event = Event {
            wall_time: now.map_or(0.0, |now| now.as_secs_f64()),
            step: step as i64,
            what: Some(what),
            ..Event::default()
        };
        let data = event.encode_to_vec();
        let length = (data.len() as u64).to_le_bytes();
        // As one write, so that only a crash of the machine leaves a part of it.
        let mut record = length.to_vec();
        record.extend(masked(&length).to_le_bytes());
        record.extend(&data);
        record.extend(masked(&data).to_le_bytes());
        self.file
            .write_all(&record)
            .map_err(FileError::at(&self.path))
    }
}

/// What of an event file stays.
struct Kept {
    bytes: u64,
    epochs: u64,
}

impl Kept {
    /// The whole records at the beginning of `file` that belong to the first `done` epochs, without
    /// the test's, which come behind the last of all epochs.
    fn of(file: &File, done: u64) -> std::io::Result<Self> {
        let mut reader = BufReader::new(file);
        let mut kept = Self {
            bytes: 0,
            epochs: 0,
        };
        while let Some((event, bytes)) = read_record(&mut reader)? {
            let begins = matches!(event.what, Some(What::FileVersion(_)));
            let next = event.step as u64 == kept.epochs + 1 && is_epoch(&event);
            let belongs = match event.step {
                0 => begins == (kept.bytes == 0),
                _ => next && kept.epochs < done,
            };
            if !belongs {
                break;
            }
            kept.bytes += bytes;
            kept.epochs = event.step as u64;
        }
        Ok(kept)
    }
}

fn is_epoch(event: &Event) -> bool {
    let Some(What::Summary(summary)) = &event.what else {
        return false;
    };
    summary.value.iter().any(|value| value.tag == "loss/train")
}

/// The next record and its length, or `None` where there is no sound one.
fn read_record(reader: &mut impl Read) -> std::io::Result<Option<(Event, u64)>> {
    let mut header = [0; 12];
    if !fill(reader, &mut header)? {
        return Ok(None);
    }
    let [a, b, c, d, e, f, g, h, crc @ ..] = header;
    let length_bytes = [a, b, c, d, e, f, g, h];
    let length = u64::from_le_bytes(length_bytes);
    if u32::from_le_bytes(crc) != masked(&length_bytes) || length > LONGEST {
        return Ok(None);
    }
    let mut data = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut data)?;
    let mut crc = [0; 4];
    if data.len() as u64 != length
        || !fill(reader, &mut crc)?
        || u32::from_le_bytes(crc) != masked(&data)
    {
        return Ok(None);
    }
    let event = Event::decode(&*data).ok().filter(|event| event.step >= 0);
    Ok(event.map(|event| (event, 16 + length)))
}

/// Fills `bytes`; `false` where the file ends before.
fn fill(reader: &mut impl Read, bytes: &mut [u8]) -> std::io::Result<bool> {
    match reader.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The checksum as these files have it: rotated and shifted, so that one over checksums is not weak.
fn masked(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

fn summary(values: Vec<Value>) -> What {
    What::Summary(EventSummary { value: values })
}

fn tagged(tag: &str, plugin: &str, value: value::Value) -> Value {
    Value {
        tag: tag.to_string(),
        metadata: Some(SummaryMetadata {
            plugin_data: Some(PluginData {
                plugin_name: plugin.to_string(),
                ..PluginData::default()
            }),
            ..SummaryMetadata::default()
        }),
        value: Some(value),
        ..Value::default()
    }
}

fn scalar(tag: &str, number: f64) -> Value {
    tagged(tag, "scalars", value::Value::SimpleValue(number as f32))
}

fn text(tag: &str, text: &str) -> Value {
    let tensor = TensorProto {
        dtype: DataType::DtString.into(),
        string_val: vec![text.as_bytes().to_vec()],
        ..TensorProto::default()
    };
    tagged(tag, "text", value::Value::Tensor(tensor))
}

/// A picture, unless it is none.
fn picture(tag: &str, png: Vec<u8>) -> Option<Value> {
    let image = image::load_from_memory(&png).ok()?;
    let image = Image {
        height: image.height() as i32,
        width: image.width() as i32,
        colorspace: 3,
        encoded_image_string: png,
    };
    Some(tagged(tag, "images", value::Value::Image(image)))
}
