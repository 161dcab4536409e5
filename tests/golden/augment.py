#!/usr/bin/env python3
"""Write augment.json: what torchvision makes of real digits where mnistctl's `augment` claims to agree with it.

    pip install torch==2.15.0 torchvision==0.29.2
    python3 tests/golden/augment.py            # writes next to this script, in some ten seconds

Images are base64 of 784 bytes. The digits are the sample's training images of these numbers; an inverted one has ink
up to its edges, which shows what is taken to be outside.
"""

import base64
import gzip
import json
import math
from pathlib import Path

import torch
import torchvision
from torchvision.transforms import InterpolationMode, RandomErasing
from torchvision.transforms import functional as F

HERE = Path(__file__).resolve().parent
IMAGES = HERE.parent.parent / "data" / "sample" / "train-images-idx3-ubyte.gz"
DIGITS = [0, 7, 13]
INVERTED = 7
BILINEAR = InterpolationMode.BILINEAR
AFFINE = [
    {"angle": 10.0, "translate": [0.0, 0.0], "scale": 1.0, "shear": 0.0},
    {"angle": 0.0, "translate": [2.5, -1.25], "scale": 1.0, "shear": 0.0},
    {"angle": 0.0, "translate": [0.0, 0.0], "scale": 1.1, "shear": -8.0},
    {"angle": -17.5, "translate": [-3.2, 2.6], "scale": 0.88, "shear": 9.5},
]
ERASING = [
    {"scale": [0.02, 0.33], "ratio": [0.3, 3.3]},
    {"scale": [0.1, 0.9], "ratio": [0.2, 1.0]},
]
ERASING_DRAWS = 100_000


def encoded(image):
    return base64.b64encode(bytes(image.flatten().tolist())).decode()


def displacement():
    """Pixels to the right and down by row and column, as golden.rs computes them too."""
    rows = [[(3 * math.sin(0.4 * y + 0.2 * x), 2.5 * math.cos(0.3 * x - 0.1 * y)) for x in range(28)] for y in range(28)]
    # torchvision's coordinates are -1 to 1 over the image's 28 pixels.
    return torch.tensor([rows], dtype=torch.float64) / 14


def erasing_means(case):
    """The mean of each number that RandomErasing draws, and its standard deviation."""
    image = torch.zeros(1, 28, 28)
    draws = []
    for _ in range(ERASING_DRAWS):
        top, left, height, width, _ = RandomErasing.get_params(image, case["scale"], case["ratio"], [0.0])
        if height < 28:  # else ten tries have failed
            draws.append([top, left, height, width, height * width])
    found = torch.tensor(draws, dtype=torch.float64)
    names = ["top", "left", "height", "width", "area"]
    means = {name: [round(m, 4), round(s, 4)] for name, m, s in zip(names, found.mean(0).tolist(), found.std(0).tolist())}
    return {**case, "draws": ERASING_DRAWS, "fitting": len(draws), **means}


def main():
    torch.manual_seed(0)
    pixels = gzip.decompress(IMAGES.read_bytes())[16:]
    digits = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view(-1, 1, 28, 28)
    # Without `fill` what is outside is 0; with fill=0 torchvision fades the edge's pixels out twice.
    images = [(i, False, digits[i]) for i in DIGITS] + [(INVERTED, True, 255 - digits[INVERTED])]
    affine = [
        {"digit": i, "inverted": inverted, **case, "out": encoded(
            F.affine(image, case["angle"], case["translate"], case["scale"], [case["shear"], 0.0], BILINEAR)
        )}
        for i, inverted, image in images for case in AFFINE
    ]  # fmt: skip
    elastic = [
        {"digit": i, "inverted": inverted, "out": encoded(
            F.elastic_transform(image, displacement().to(torch.float32), BILINEAR, fill=None)
        )}
        for i, inverted, image in images
    ]  # fmt: skip
    content = {
        "torchvision": torchvision.__version__.split("+")[0],
        "affine": affine,
        "elastic": elastic,
        "erasing": [erasing_means(case) for case in ERASING],
    }
    path = HERE / "augment.json"
    path.write_text(json.dumps(content, indent=1) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
