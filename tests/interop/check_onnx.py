#!/usr/bin/env python3
"""Runs exported graphs in ONNX Runtime and compares them with mnistctl's own answers.

    check_onnx.py FOLDER

FOLDER holds images.bin (784 bytes each) and for each graph NAME.onnx a NAME.expected with ten
little-endian float64 probabilities an image. Prints a line for each graph; fails where the checker of
onnx refuses one, probabilities differ by 1e-5 or more, or logits don't give the probabilities.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

folder = Path(sys.argv[1])
images = np.frombuffer((folder / "images.bin").read_bytes(), dtype=np.uint8)
images = images.reshape(-1, 1, 28, 28).astype(np.float32) / np.float32(255)
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
failed = False
for path in sorted(folder.glob("*.onnx")):
    model = onnx.load(str(path))
    onnx.checker.check_model(model, full_check=True)
    keys = {entry.key.rsplit("/", 1)[-1] for entry in model.metadata_props}
    assert {"name", "recipe", "mnistctl"} <= keys, keys
    norms = sum(node.op_type == "BatchNormalization" for node in model.graph.node)
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    assert [(i.name, i.type, i.shape) for i in session.get_inputs()] == [
        ("images", "tensor(float)", ["N", 1, 28, 28])
    ]
    parts = np.array_split(images, max(1, len(images) // 500))
    results = [session.run(["logits", "probabilities"], {"images": part}) for part in parts]
    logits, probabilities = (np.concatenate(part).astype(np.float64) for part in zip(*results))
    expected = np.frombuffer(path.with_suffix(".expected").read_bytes(), dtype="<f8").reshape(-1, 10)
    assert probabilities.shape == expected.shape, (probabilities.shape, expected.shape)
    assert expected.std(axis=0).max() > 1e-4, "all images give the same answer, which shows nothing"
    difference = np.abs(probabilities - expected).max()
    softmax = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    apart = np.abs(softmax - probabilities).max()
    # Where two digits are as likely as each other, either may be the answer.
    two = np.sort(expected, axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 2e-5
    digits = probabilities.argmax(axis=1) != expected.argmax(axis=1)
    wrong = int((digits & clear).sum())
    bad = not (difference < 1e-5 and apart < 1e-5 and wrong == 0)
    failed |= bad
    print(
        f"{'FAILED' if bad else 'ok'} {path.name}: {len(expected)} images, probabilities differ by "
        f"{difference:.1e} at most, {wrong} other digits, {norms} BatchNormalization"
    )
sys.exit(failed)
