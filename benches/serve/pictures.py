#!/usr/bin/env python3
"""Writes PNGs of the sample's first 50 test digits, and one of a page with a digit on it, into a folder."""

import gzip
import struct
import sys
import zlib
from pathlib import Path

SAMPLE = Path(__file__).parents[2] / "data" / "sample" / "t10k-images-idx3-ubyte.gz"


def png(rows):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


pixels = gzip.open(SAMPLE).read()[16:]
digits = [pixels[start : start + 784] for start in range(0, 50 * 784, 784)]
folder = Path(sys.argv[1])
for number, digit in enumerate(digits):
    rows = [digit[start : start + 28] for start in range(0, 784, 28)]
    (folder / f"digit-{number:02}.png").write_bytes(png(rows))

# Ten times as large and dark on white.
white = bytes([255])
page = [bytearray(white * 840) for _ in range(600)]
for y in range(280):
    for x in range(280):
        page[160 + y][280 + x] = 255 - digits[0][y // 10 * 28 + x // 10]
(folder / "page.png").write_bytes(png([bytes(row) for row in page]))
