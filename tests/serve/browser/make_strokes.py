#!/usr/bin/env python3
"""Make strokes.json: for each digit the strokes of a pen that writes it.

The strokes are the skeletons of ten digits of the embedded sample, as polylines of [x, y] in 0..1
of the 28x28 square. The digits in CHOSEN are those whose skeletons have no spurs.

    python3 make_strokes.py > strokes.json

Needs numpy and scikit-image.
"""

import gzip
import json
from pathlib import Path

import numpy as np
from skimage.measure import approximate_polygon
from skimage.morphology import skeletonize
from skimage.transform import resize

SAMPLE = Path(__file__).parents[3] / "data" / "sample" / "t10k-images-idx3-ubyte.gz"
# Places in the sample's test images, by digit.
CHOSEN = [71, 17, 262, 202, 104, 127, 9, 21, 10, 35]
SIDE = 28
SCALE = 8
TOLERANCE = 0.006
SHORTEST = 0.1


def images():
    return np.frombuffer(gzip.open(SAMPLE).read(), np.uint8)[16:].reshape(-1, SIDE, SIDE)


def skeleton(image):
    large = resize(image / 255, (SIDE * SCALE, SIDE * SCALE), order=3)
    return {tuple(pixel) for pixel in np.argwhere(skeletonize(large > 0.5))}


def neighbours(pixel, pixels):
    """The pixels beside this one; those across a corner come last, and only where no other leads there."""
    row, column = pixel
    straight = [(row + 1, column), (row, column + 1), (row - 1, column), (row, column - 1)]
    straight = [other for other in straight if other in pixels]
    corners = [(row + r, column + c) for r in (-1, 1) for c in (-1, 1)]
    reached = {(r, c) for r in (row - 1, row + 1) for c in (column - 1, column + 1)
               if (r, column) in straight or (row, c) in straight}
    return straight + [other for other in corners if other in pixels and other not in reached]


def walk(start, left, pixels):
    """From `start` on through the pixels not yet walked; straight on where the ways part."""
    stroke = [start]
    left.discard(start)
    while True:
        here = stroke[-1]
        ways = [other for other in neighbours(here, pixels) if other in left]
        if not ways:
            return stroke
        back = stroke[max(0, len(stroke) - 12)]
        heading = np.subtract(here, back)

        def ahead(way):
            # A dozen pixels along, as one pixel says little about the direction.
            there, seen = way, {here, way}
            for _ in range(12):
                more = [other for other in neighbours(there, pixels) if other in left and other not in seen]
                if not more:
                    break
                there = more[0]
                seen.add(there)
            step = np.subtract(there, here)
            return heading @ step / (np.linalg.norm(step) or 1)

        stroke.append(max(ways, key=ahead))
        left.discard(stroke[-1])


def strokes(image):
    pixels = skeleton(image)
    left = set(pixels)
    found = []
    while left:
        ends = [pixel for pixel in left if len(neighbours(pixel, left)) == 1]
        stroke = walk(min(ends or left), left, pixels)
        joined = [pixel for pixel in neighbours(stroke[-1], pixels) if pixel not in stroke[-3:]]
        line = np.array(stroke + joined[:1]) / (SIDE * SCALE)
        line = approximate_polygon(line, TOLERANCE)
        if np.linalg.norm(np.diff(line, axis=0), axis=1).sum() >= SHORTEST:
            found.append([[round(float(x), 3), round(float(y), 3)] for y, x in line])
    return found


if __name__ == "__main__":
    digits = images()
    lines = [f'  "{digit}": {json.dumps(strokes(digits[place]))}' for digit, place in enumerate(CHOSEN)]
    print("{\n" + ",\n".join(lines) + "\n}")
