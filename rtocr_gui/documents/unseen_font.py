"""Makes the font of text that can be found and copied but not seen: all letters are the same rectangle.

It is a TrueType font, with the tables that a PDF needs. Knows no PDF.
"""

import struct

LETTER_WIDTH, LETTER_BASE = 0.5, 0.2
"""Width of a letter, and how far it reaches below its line, in font sizes; its height is one."""

LETTER_GLYPH = 1
"""Number of the glyph that is the letter; glyph 0, which fonts have for what they lack, is one too."""

_UNITS = 1000
_WIDTH, _BOTTOM = round(LETTER_WIDTH * _UNITS), -round(LETTER_BASE * _UNITS)
_TOP = _BOTTOM + _UNITS
_GLYPHS = 2

_VERSION, _MAGIC, _SUM_OF_A_FONT = 0x00010000, 0x5F0F3CF5, 0xB1B0AFBA


def make_unseen_font() -> bytes:
    """Return the font file."""
    glyph = struct.pack(">5h2H", 1, 0, _BOTTOM, _WIDTH, _TOP, 3, 0)
    glyph += struct.pack(">4B8h", *[1] * 4, 0, 0, _WIDTH, 0, _BOTTOM, _UNITS, 0, -_UNITS)
    head = struct.pack(
        ">4I2H2q4h2H3h", _VERSION, 0, 0, _MAGIC, 0, _UNITS, 0, 0, 0, _BOTTOM, _WIDTH, _TOP, 0, 8, 2, 0, 0
    )
    hhea = struct.pack(">I3hH11hH", _VERSION, _TOP, _BOTTOM, 0, _WIDTH, 0, 0, _WIDTH, 1, *[0] * 7, _GLYPHS)
    tables = {
        b"glyf": glyph * _GLYPHS,
        b"head": head,
        b"hhea": hhea,
        b"hmtx": struct.pack(">Hh", _WIDTH, 0) * _GLYPHS,
        b"loca": struct.pack(">3H", *(number * len(glyph) // 2 for number in range(_GLYPHS + 1))),
        b"maxp": struct.pack(">I14H", _VERSION, _GLYPHS, 4, 1, 0, 0, 1, *[0] * 8),
    }
    start = 12 + 16 * len(tables)
    directory, body = struct.pack(">I4H", _VERSION, len(tables), 64, 2, 16 * len(tables) - 64), b""
    places = {}
    for name, table in tables.items():
        places[name] = start + len(body)
        padded = table + bytes(-len(table) % 4)
        directory += name + struct.pack(">3I", _sum_of(padded), places[name], len(table))
        body += padded
    font = bytearray(directory + body)
    struct.pack_into(">I", font, places[b"head"] + 8, (_SUM_OF_A_FONT - _sum_of(font)) % 2**32)
    return bytes(font)


def _sum_of(table: bytes | bytearray) -> int:
    """Return the checksum of a table whose length is a multiple of four."""
    total: int = sum(struct.unpack(f">{len(table) // 4}I", table))
    return total % 2**32
