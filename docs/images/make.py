"""Makes the pictures of README.md and docs/pictures.md, with the program itself:

    pip install pillow
    cargo build --release
    python3 docs/images/make.py --data FOLDER

FOLDER has the four gzip-compressed MNIST files. `predict.png` is a photo, made of four test digits in
blue ink on ruled paper, seen askew in uneven light, and what `predict --many` read in it; `curves.png`
are the curves of the report of `train --config lenet`.
"""

import argparse
import gzip
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

HERE = Path(__file__).resolve().parent
MNISTCTL = HERE.parent.parent / "target/release/mnistctl"
FONT = HERE.parent.parent / "src/report/font/DejaVuSans-subset.ttf"
SIDE = 28
# Each digit, and which of the test images with that digit is taken.
NUMBER = [(2, 9), (0, 7), (2, 5), (6, 4)]
SIZE = (900, 420)
PAPER, RULE, INK = "#ece6d6", "#b9c6d4", "#27336b"


def test_digits(data):
    """The test images that NUMBER names."""
    images = gzip.decompress((data / "t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    labels = gzip.decompress((data / "t10k-labels-idx1-ubyte.gz").read_bytes())[8:]
    for digit, which in NUMBER:
        place = [index for index, label in enumerate(labels) if label == digit][which]
        pixels = images[place * SIDE * SIDE :][: SIDE * SIDE]
        yield Image.frombytes("L", (SIDE, SIDE), pixels)


def photo(data):
    """Four digits on ruled paper, photographed askew with a shadow at the bottom."""
    page = Image.new("RGB", SIZE, PAPER)
    draw = ImageDraw.Draw(page)
    for y in range(60, SIZE[1], 60):
        draw.line((0, y, SIZE[0], y), fill=RULE, width=2)
    for index, digit in enumerate(test_digits(data)):
        big = digit.resize((190, 190), Image.Resampling.BICUBIC)
        # How opaque the ink is: the grey edges become narrow.
        mask = big.point(lambda level: max(0, min(255, (level - 90) * 4)))
        page.paste(INK, (60 + 200 * index, 115 + (0, 12, -6, 8)[index]), mask)
    askew = (40, 25, 5, 400, 880, 412, 895, 8)
    page = page.transform(SIZE, Image.Transform.QUAD, askew, Image.Resampling.BICUBIC)
    light = Image.linear_gradient("L").resize(SIZE).point(lambda level: 255 - level * 2 // 5)
    page = ImageChops.multiply(page, Image.merge("RGB", [light] * 3))
    return page.filter(ImageFilter.GaussianBlur(1))


def mnistctl(*arguments):
    result = subprocess.run([MNISTCTL, *map(str, arguments)], check=True, capture_output=True, text=True)
    return result.stdout


def predict(data, folder):
    """The photo, below it what the network saw of each digit, and the answer."""
    picture = photo(data)
    path = folder / "photo.jpg"
    picture.save(path, quality=80)
    answer = mnistctl("predict", "--many", path, "--save", folder / "seen").strip()
    answer = answer.replace(str(path), "photo.jpg")
    print(answer)
    strip = Image.new("RGB", (SIZE[0], 150), "white")
    for index, seen in enumerate(sorted((folder / "seen").iterdir())):
        digit = Image.open(seen).convert("L").resize((112, 112), Image.Resampling.NEAREST)
        strip.paste(digit, (20 + 130 * index, 19))
    draw = ImageDraw.Draw(strip)
    number, rest = answer.removeprefix("photo.jpg: ").split(" ", 1)
    draw.text((570, 28), number, fill="black", font=ImageFont.truetype(FONT, 56))
    draw.text((570, 100), rest.strip("()"), fill="#555555", font=ImageFont.truetype(FONT, 19))
    whole = Image.new("RGB", (SIZE[0], SIZE[1] + strip.height))
    whole.paste(picture, (0, 0))
    whole.paste(strip, (0, SIZE[1]))
    # With a palette the file has a third of its size.
    whole.quantize(128, dither=Image.Dither.NONE).save(HERE / "predict.png", optimize=True)


def curves(data, folder):
    """A report's loss and accuracy, side by side."""
    run = folder / "run"
    mnistctl("train", "--config", "lenet", "--data", data, "--threads", 1, "--out", run)
    pictures = [Image.open(run / f"{name}.png").convert("RGB") for name in ("loss", "accuracy")]
    whole = Image.new("RGB", (sum(p.width for p in pictures), pictures[0].height), "white")
    whole.paste(pictures[0], (0, 0))
    whole.paste(pictures[1], (pictures[0].width, 0))
    whole.thumbnail((1200, 1200), Image.Resampling.LANCZOS)
    whole.quantize(64, dither=Image.Dither.NONE).save(HERE / "curves.png", optimize=True)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        predict(data, Path(folder))
        curves(data, Path(folder))


if __name__ == "__main__":
    main()
