"""The typefaces of pages: free families, found on this machine by their file names.

Every family listed here has a free licence (OFL, GPL with font exception, Apache, Bitstream Vera, LPPL).
Some are held out of the training, so that evaluation can measure reading of unknown type. Knows files and
styles; no page.
"""

import functools
import hashlib
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from PIL import ImageFont

FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/share/texmf/fonts"), Path.home() / ".local/share/fonts")
NEEDED_PACKAGES = (
    "fonts-dejavu-core fonts-dejavu-extra fonts-liberation fonts-freefont-ttf fonts-noto-core "
    "fonts-urw-base35 fonts-lato fonts-open-sans fonts-crosextra-carlito fonts-crosextra-caladea "
    "fonts-ebgaramond fonts-cmu fonts-linuxlibertine fonts-roboto-unhinted fonts-hack fonts-lmodern"
)
"""Debian packages that contain all of `FAMILIES`."""

_FONT_ENDINGS = {".ttf", ".otf"}


class MissingMaterial(Exception):
    """Something that pages are made from is not installed."""


class Style(Enum):
    """The four styles of a family; the value is the index into `Family.stems`."""

    REGULAR = 0
    BOLD = 1
    ITALIC = 2
    BOLD_ITALIC = 3


@dataclass(frozen=True, slots=True)
class Family:
    """One family.

    Attributes:
        name: its name in the evaluation.
        stems: file names without suffix: regular, bold, italic, bold italic; "" for a missing style.
        monospaced: True for monospaced faces.
        held_out: True if the training never sees it.
    """

    name: str
    stems: tuple[str, str, str, str]
    monospaced: bool = False
    held_out: bool = False


def _cuts(name: str, regular: str, bold: str, italic: str, bold_italic: str, **kind: bool) -> Family:
    return Family(name, (regular, bold, italic, bold_italic), **kind)


def _dashed(name: str, stem: str, slant: str = "Italic", upright: str = "-Regular", **kind: bool) -> Family:
    """Return a family whose files are named Stem-Regular, Stem-Bold, Stem-Italic, Stem-BoldItalic."""
    return Family(
        name, (f"{stem}{upright}", f"{stem}-Bold", f"{stem}-{slant}", f"{stem}-Bold{slant}"), **kind
    )


FAMILIES = (
    _dashed("DejaVu Sans", "DejaVuSans", "Oblique", upright=""),
    _dashed("DejaVu Sans Condensed", "DejaVuSansCondensed", "Oblique", upright=""),
    _dashed("DejaVu Serif", "DejaVuSerif", upright=""),
    _dashed("DejaVu Sans Mono", "DejaVuSansMono", "Oblique", upright="", monospaced=True),
    _dashed("Liberation Sans", "LiberationSans"),
    _dashed("Liberation Serif", "LiberationSerif"),
    _dashed("Liberation Mono", "LiberationMono", monospaced=True, held_out=True),
    _dashed("Noto Sans", "NotoSans"),
    _dashed("Noto Serif", "NotoSerif"),
    _cuts("FreeSans", "FreeSans", "FreeSansBold", "FreeSansOblique", "FreeSansBoldOblique"),
    _cuts("FreeSerif", "FreeSerif", "FreeSerifBold", "FreeSerifItalic", "FreeSerifBoldItalic"),
    _cuts("FreeMono", "FreeMono", "FreeMonoBold", "FreeMonoOblique", "FreeMonoBoldOblique", monospaced=True),
    _dashed("Nimbus Sans", "NimbusSans"),
    _dashed("Nimbus Roman", "NimbusRoman"),
    _dashed("Nimbus Mono", "NimbusMonoPS", monospaced=True),
    _cuts("Century Schoolbook", "C059-Roman", "C059-Bold", "C059-Italic", "C059-BdIta"),
    _cuts("Palatino", "P052-Roman", "P052-Bold", "P052-Italic", "P052-BoldItalic", held_out=True),
    _cuts(
        "Bookman", "URWBookman-Light", "URWBookman-Demi", "URWBookman-LightItalic", "URWBookman-DemiItalic"
    ),
    _cuts("Gothic", "URWGothic-Book", "URWGothic-Demi", "URWGothic-BookOblique", "URWGothic-DemiOblique"),
    _dashed("Lato", "Lato"),
    _dashed("Open Sans", "OpenSans", held_out=True),
    _dashed("Carlito", "Carlito"),
    _dashed("Caladea", "Caladea"),
    _dashed("Roboto", "Roboto"),
    _dashed("Hack", "Hack", monospaced=True),
    # EBGaramond12-Bold has no letters with marks, quotes or dashes.
    _cuts("EB Garamond", "EBGaramond12-Regular", "", "EBGaramond12-Italic", ""),
    _cuts("Libertine", "LinLibertine_R", "LinLibertine_RB", "LinLibertine_RI", "LinLibertine_RBI"),
    _cuts("Biolinum", "LinBiolinum_R", "LinBiolinum_RB", "LinBiolinum_RI", ""),
    _cuts("Computer Modern", "cmunrm", "cmunbx", "cmunti", "cmunbi"),
    _cuts("Computer Modern Sans", "cmunss", "cmunsx", "cmunsi", "cmunso"),
    _cuts("Computer Modern Typewriter", "cmuntt", "cmuntb", "cmunit", "cmuntx", monospaced=True),
    _cuts("Latin Modern", "lmroman10-regular", "lmroman10-bold", "lmroman10-italic", "lmroman10-bolditalic"),
    _cuts(
        "Latin Modern Sans", "lmsans10-regular", "lmsans10-bold", "lmsans10-oblique", "lmsans10-boldoblique"
    ),
)


@dataclass(frozen=True, slots=True)
class Typeface:
    """An installed family with the file of each style; missing styles fall back to the regular one."""

    family: Family
    paths: tuple[Path, Path, Path, Path]

    def font(self, style: Style, size_px: float) -> ImageFont.FreeTypeFont:
        """Return a style at a size, without the optional shaping library, so as to be the same everywhere."""
        return _load_font(self.paths[style.value], size_px)

    def size_for(self, x_height_px: float) -> float:
        """Return the type size with this x-height, in multiples of a quarter pixel."""
        return max(4.0, round(4 * x_height_px / _x_height_share(self.paths[0])) / 4)


@functools.cache
def find_typefaces(held_out: bool) -> tuple[Typeface, ...]:
    """Find the families on this machine.

    Args:
        held_out: True for the families held out for evaluation, False for those of the training.

    Returns:
        At least one typeface that is not monospaced, in the order of `FAMILIES`.

    Raises:
        MissingMaterial: none of them is installed, except monospaced ones.
    """
    found = _installed(held_out)
    if all(typeface.family.monospaced for typeface in found):
        wanted = (one.name for one in FAMILIES if one.held_out is held_out and not one.monospaced)
        raise MissingMaterial(
            f"None of these typefaces is installed: {', '.join(wanted)}. Install {NEEDED_PACKAGES}."
        )
    return found


@functools.cache
def digest_typefaces(held_out: bool) -> str:
    """Identify the typefaces that `find_typefaces` finds by content: with others, pages are different ones.

    Args:
        held_out: as for `find_typefaces`; where that would raise, there is a digest all the same.
    """
    digest = hashlib.sha256()
    for typeface in _installed(held_out):
        for style, path in zip(Style, typeface.paths, strict=True):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{typeface.family.name}/{style.name}/{content}\n".encode())
    return digest.hexdigest()[:8]


def about_missing_typefaces() -> str:
    """Return a sentence on the families of which a style or all are not installed; empty if all are."""
    files = _font_files()
    missing = [family.name for family in FAMILIES if not files.keys() >= set(family.stems) - {""}]
    if not missing:
        return ""
    return (
        f"Without all styles of {', '.join(missing)}, pages are not those that the recipe draws elsewhere. "
        f"Install {NEEDED_PACKAGES}."
    )


def _installed(held_out: bool) -> tuple[Typeface, ...]:
    files = _font_files()
    return tuple(
        Typeface(family, _paths(files[family.stems[0]], family, files))
        for family in FAMILIES
        if family.held_out is held_out and family.stems[0] in files
    )


def _paths(regular: Path, family: Family, files: dict[str, Path]) -> tuple[Path, Path, Path, Path]:
    _, bold, italic, bold_italic = (files.get(stem, regular) for stem in family.stems)
    return regular, bold, italic, bold_italic


@functools.cache
def _font_files() -> dict[str, Path]:
    """Return font files by name without suffix; the first in sorted order if a name occurs twice."""
    files: dict[str, Path] = {}
    for root in FONT_FOLDERS:
        for folder, _, names in sorted(os.walk(root)):
            for name in sorted(names):
                path = Path(folder, name)
                if path.suffix in _FONT_ENDINGS:
                    files.setdefault(path.stem, path)
    return files


@functools.lru_cache(maxsize=32)
def _load_font(path: Path, size_px: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size_px, layout_engine=ImageFont.Layout.BASIC)


@functools.cache
def _x_height_share(path: Path) -> float:
    """Return the ratio of x-height to type size."""
    _, top, _, bottom = _load_font(path, 200).getbbox("x", anchor="ls")
    return (bottom - top) / 200
