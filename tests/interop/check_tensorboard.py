#!/usr/bin/env python3
"""Reads a run's event file with TensorBoard's own reader and compares it with the run's metrics.csv.

    check_tensorboard.py RUN_FOLDER
"""

import csv
import json
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

folder = Path(sys.argv[1])
events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
events.Reload()
with open(folder / "metrics.csv", newline="") as file:
    rows = list(csv.DictReader(file))
logged = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
assert [int(row["epoch"]) for row in rows] == [line["epoch"] for line in logged]
columns = {
    "loss/train": "train_loss",
    "accuracy/train": "train_accuracy",
    "loss/val": "val_loss",
    "accuracy/val": "val_accuracy",
    "lr": "lr",
    "images_per_second": "images_per_second",
}
for tag, column in columns.items():
    scalars = events.Scalars(tag)
    assert [scalar.step for scalar in scalars] == [int(row["epoch"]) for row in rows], (tag, scalars)
    for scalar, row in zip(scalars, rows):
        assert abs(scalar.value - float(row[column])) <= 1e-6 * abs(float(row[column])), (tag, scalar, row)
for row, line in zip(rows, logged):
    assert float(row["val_accuracy"]) == line["val"]["accuracy"]
summary = json.loads((folder / "summary.json").read_text())
[accuracy] = events.Scalars("accuracy/test")
assert abs(accuracy.value - summary["test"]["accuracy"]) < 1e-6
images = events.Tags()["images"]
for tag in ["confusion matrix", "surest mistakes"]:
    [image] = events.Images(tag)
    assert image.encoded_image_string.startswith(b"\x89PNG"), tag
    assert image.width > 100 and image.height > 100
[recipe] = events.Tensors("recipe/text_summary" if "recipe/text_summary" in events.Tags()["tensors"] else "recipe")
assert b'name = "lenet"' in recipe.tensor_proto.string_val[0]
print(f"ok: {len(rows)} epochs, {sorted(events.Tags()['scalars'])}, {sorted(images)}")
