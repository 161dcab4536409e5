//! `train --tensorboard`, read by TensorBoard, and the log as a table.

use std::fs;

use support::World;

use crate::tools::{python, run};

const EVENTS: &str = "runs/lenet/events.out.tfevents.mnistctl";

/// The file's records as they lie in it: their bytes without the time, which differs, and the sum over it.
fn records(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let data = &rest[12..12 + length];
        assert_eq!(data[0], 9, "the wall time comes first");
        records.push(data[9..].to_vec());
        rest = &rest[16 + length..];
    }
    records
}

#[test]
fn tensorboard_reads_a_run_that_was_resumed_and_prolonged() {
    let world = World::new();
    world.ok("train --config lenet --data sample --limit 1000 --epochs 2 --tensorboard");
    let two = records(&world.read(EVENTS));
    // The file's version, the recipe, two epochs, the test.
    assert_eq!(two.len(), 5);

    // A crash while an epoch was being written, and one behind the last epoch that was saved.
    let whole = world.read(EVENTS);
    world.write(EVENTS, &whole[..whole.len() - 7]);
    world.ok("train --resume runs/lenet");
    assert!(
        records(&world.read(EVENTS)) == two,
        "what was torn is there again"
    );

    // More epochs: the old test figures make way. No flag is needed where there is a file.
    world.ok("train --resume runs/lenet --epochs 4");
    let four = records(&world.read(EVENTS));
    assert_eq!(four.len(), 7);
    assert!(four[..4] == two[..4]);

    // Garbage, and a file that was begun late: the recipe's text now has the new number of epochs.
    world.write(EVENTS, "not events");
    world.ok("train --resume runs/lenet");
    let anew = records(&world.read(EVENTS));
    assert!(anew[2..] == four[2..] && anew[0] == four[0]);
    fs::remove_file(world.path(EVENTS)).unwrap();
    world.ok("train --resume runs/lenet");
    assert!(!world.path(EVENTS).exists(), "nobody asked for it");
    world.ok("train --resume runs/lenet --tensorboard");
    assert!(records(&world.read(EVENTS)) == anew);

    let Some(python) = python("MNISTCTL_PYTHON", &["tensorboard"]) else {
        return;
    };
    run(&python, "check_tensorboard.py", &world.path("runs/lenet"));
}

#[test]
fn the_table_has_what_the_log_has() {
    let world = World::with_tiny();
    world
        .ok("train --config tiny.toml --data sample --epochs 3 --set data.validation=0 --out none");
    let table = world.text("none/metrics.csv");
    let header =
        "epoch,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,images_per_second";
    assert_eq!(table.lines().next(), Some(header));
    assert_eq!(table.lines().count(), 4);
    for (row, line) in table.lines().skip(1).zip(world.metrics("none")) {
        let cells: Vec<&str> = row.split(',').collect();
        assert_eq!(cells[0], line["epoch"].to_string());
        assert_eq!(
            cells[2].parse::<f64>().unwrap(),
            line["train"]["loss"].as_f64().unwrap()
        );
        assert_eq!((cells[4], cells[5]), ("", ""));
        assert_eq!(
            cells[6].parse::<f64>().unwrap(),
            line["seconds"].as_f64().unwrap()
        );
    }
}
