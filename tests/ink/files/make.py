#!/usr/bin/env python3
"""Writes the pictures of this folder with Pillow: what other programs write, which the `image`
crate's encoders can't. Each is 30x20 pixels, with ink where 10 <= x < 16 and 5 <= y < 15."""

from pathlib import Path

from PIL import Image, ImageDraw

HERE = Path(__file__).parent
INK, PAPER = (200, 30, 30), (240, 240, 250)


def draw(mode, ink, paper):
    picture = Image.new(mode, (30, 20), paper)
    ImageDraw.Draw(picture).rectangle([10, 5, 15, 14], fill=ink)
    return picture


rgb = draw("RGB", INK, PAPER)
grey = draw("L", 70, 230)
bilevel = draw("1", 0, 1)
palette = rgb.convert("P", palette=Image.Palette.ADAPTIVE)
clear = draw("RGBA", INK + (255,), (0, 0, 0, 0))
sixteen = Image.frombytes("I;16", grey.size, bytes(b for v in grey.tobytes() for b in (v, v)))
frames = [draw("RGB", ink, PAPER) for ink in [(0, 0, 0), (0, 255, 0)]]


def save(picture, name, **options):
    picture.save(HERE / name, **options)


for name, picture in {"grey": grey, "rgb": rgb, "cmyk": rgb.convert("CMYK")}.items():
    save(picture, f"{name}.jpg", quality=95)
    save(picture, f"{name}-progressive.jpg", quality=95, progressive=True)
save(rgb, "subsampled.jpg", quality=95, subsampling=2)

for name, picture in {"grey": grey, "rgb": rgb, "clear": clear}.items():
    save(picture, f"{name}-lossy.webp", quality=95)
    save(picture, f"{name}.webp", lossless=True)
save(rgb, "animated.webp", save_all=True, append_images=frames, quality=95)

save(rgb, "animated.gif", save_all=True, append_images=frames)
save(palette, "interlaced.gif", interlace=1)
save(clear, "clear.gif")

save(bilevel, "bilevel.bmp")
save(palette, "palette.bmp")

save(bilevel, "bilevel.pbm")
save(sixteen, "sixteen.pgm")

tiffs = {"bilevel": bilevel, "grey": grey, "sixteen": sixteen, "palette": palette, "rgb": rgb,
         "clear": clear, "cmyk": rgb.convert("CMYK")}
for name, picture in tiffs.items():
    for compression in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
        short = compression.removeprefix("tiff_").removeprefix("adobe_")
        save(picture, f"{name}-{short}.tif", compression=compression)
save(bilevel, "bilevel-group4.tif", compression="group4")
save(grey, "grey-jpeg.tif", compression="jpeg", quality=95)
