#!/usr/bin/env python3
"""Loads exported folders in PyTorch and compares their logits with mnistctl's own.

    check_torch.py FOLDER

FOLDER holds images.bin (784 bytes each) and for each folder NAME-pytorch a NAME.logits with ten
little-endian float32 logits an image. Fails where `load_state_dict(strict=True)` does, or logits differ
by 1e-4 or more.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch

folder = Path(sys.argv[1])
images = torch.frombuffer(bytearray((folder / "images.bin").read_bytes()), dtype=torch.uint8)
images = images.view(-1, 28, 28)
failed = False
for path in sorted(folder.glob("*-pytorch")):
    name = path.name.removesuffix("-pytorch")
    spec = importlib.util.spec_from_file_location(f"model_{name}", path / "model.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model = module.load()
    with torch.no_grad():
        logits = torch.cat([model(module.normalize(part)) for part in images.split(500)]).numpy()
    expected = np.frombuffer((folder / f"{name}.logits").read_bytes(), dtype="<f4").reshape(-1, 10)
    difference = np.abs(logits - expected).max()
    bad = not (logits.shape == expected.shape and difference < 1e-4)
    failed |= bad
    print(f"{'FAILED' if bad else 'ok'} {path.name}: {len(expected)} images, logits differ by {difference:.1e} at most")
from PIL import Image

Image.fromarray(images[0].numpy()).save(folder / "digit.png")
said = subprocess.run([sys.executable, path / "predict.py", folder / "digit.png"], capture_output=True, text=True)
print(said.stdout, said.stderr, end="")
sys.exit(failed or said.returncode)
