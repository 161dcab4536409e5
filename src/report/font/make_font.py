#!/usr/bin/env python3
"""Makes DejaVuSans-subset.ttf: python3 make_font.py DejaVuSans.ttf (of DejaVu 2.37, with fonttools 4.68.0).

It keeps the letters that the pictures need. plotters 0.3.7 draws text into bitmaps 7 % larger and a seventh of an em
higher than viewers show the SVG that it writes for the same text; the line height and the glyphs' place here undo
that, so that a PNG looks as its SVG does.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

LETTERS = [*range(0x20, 0x7F), *range(0xA0, 0x100), 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2026,
           0x2190, 0x2191, 0x2192, 0x2193, 0x2212, 0x2248, 0x2264, 0x2265]
LOWER = 0.15  # em
LINE = 1.24  # em: plotters divides a size by this to get an SVG's em

options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], drop_tables=["FFTM"])
font = TTFont(sys.argv[1], recalcTimestamp=False)
subsetter = subset.Subsetter(options)
subsetter.populate(unicodes=LETTERS)
subsetter.subset(font)

em = font["head"].unitsPerEm
glyphs = font.getGlyphSet()
moved = {}
for name in font.getGlyphOrder():
    # Composites are drawn as outlines, so that no part is moved twice.
    outline = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(outline)
    pen = TTGlyphPen(None)
    outline.replay(TransformPen(pen, (1, 0, 0, 1, 0, -round(LOWER * em))))
    moved[name] = pen.glyph()
for name, glyph in moved.items():
    font["glyf"][name] = glyph
font["hhea"].ascent = font["hhea"].ascent + round(LINE * em) - (font["hhea"].ascent - font["hhea"].descent)
font["hhea"].lineGap = 0
font.save(Path(__file__).with_name("DejaVuSans-subset.ttf"))
