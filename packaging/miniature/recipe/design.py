"""Chooses how pages look: typefaces, distances, and how the parts of a document are set off.

Draws nothing.
"""

import random
from dataclasses import dataclass

from recipe.typefaces import Style, Typeface
from recipe.typesetting import Type


@dataclass(frozen=True, slots=True)
class Layout:
    """How the parts of a document are set off; plain pages use the defaults. Lengths are in type sizes.

    Attributes:
        above_heading: extra space above headings.
        below_heading: extra space below headings.
        heading_scale: size of headings relative to their normal size.
        numbered: True if headings have numbers.
        number_gap: space between the number of a heading and its words.
        inset: indentation of everything except headings and running lines.
        list_inset: additional indentation of lists and definitions.
        item_gap: extra space between their items.
        ruled: True if running lines are separated by a rule.
        mono_words: True if some words are set in a monospaced face.
        uneven: True if the columns of tables have unequal widths.
        manual: True for the document of a program: many lists of definitions, and tables of terms.
    """

    above_heading: float = 0.0
    below_heading: float = 0.0
    heading_scale: float = 1.0
    numbered: bool = False
    number_gap: float = 0.3
    inset: float = 0.0
    list_inset: float = 0.0
    item_gap: float = 0.0
    ruled: bool = False
    mono_words: bool = False
    uneven: bool = False
    manual: bool = False

    @classmethod
    def choose(cls, rng: random.Random) -> "Layout":
        """Choose how a document is laid out."""
        return cls(
            above_heading=rng.uniform(0.2, 2.2),
            below_heading=rng.choice((0.0, rng.uniform(0.2, 1.2))),
            heading_scale=rng.uniform(1.0, 1.5),
            numbered=rng.random() < 0.5,
            number_gap=rng.uniform(0.3, 2.0),
            inset=rng.choice((0.0, 0.0, 0.0, rng.uniform(1, 5))),
            list_inset=rng.choice((0.0, rng.uniform(0.5, 3))),
            item_gap=rng.choice((0.0, rng.uniform(0.2, 1.2))),
            ruled=rng.random() < 0.3,
            mono_words=rng.random() < 0.35,
            uneven=rng.random() < 0.6,
        )


@dataclass(frozen=True, slots=True)
class Design:
    """How a page looks.

    Attributes:
        body: typeface of the text.
        display: typeface of headings.
        mono: typeface of code.
        x_height_px: x-height of the body.
        leading: distance between lines in type sizes.
        paragraph_gap: extra space between blocks in type sizes.
        indent: indentation of the first line of a paragraph, in type sizes.
        justified: True if lines are justified.
        style: style of the body.
        heading_style: style of the headings.
        layout: layout of the document.
    """

    body: Typeface
    display: Typeface
    mono: Typeface
    x_height_px: float
    leading: float
    paragraph_gap: float
    indent: float
    justified: bool
    style: Style
    heading_style: Style
    layout: Layout = Layout()

    @property
    def text_type(self) -> Type:
        """Type of the paragraphs."""
        return Type.of(self.body, self.style, self.x_height_px)


def choose_design(rng: random.Random, typefaces: tuple[Typeface, ...], x_height_px: float) -> Design:
    """Choose how a page looks; monospaced faces are rare for the body."""
    mono = [typeface for typeface in typefaces if typeface.family.monospaced]
    others = [typeface for typeface in typefaces if not typeface.family.monospaced]
    body = rng.choice(mono) if mono and rng.random() < 0.12 else rng.choice(others)
    return Design(
        body=body,
        display=body if rng.random() < 0.6 else rng.choice(others),
        mono=rng.choice(mono or others),
        x_height_px=x_height_px,
        leading=rng.uniform(1.08, 1.55),
        paragraph_gap=rng.choice((0.0, rng.uniform(0.2, 1.0))),
        indent=rng.choice((0.0, 0.0, 1.0, 1.5)),
        justified=rng.random() < 0.45,
        style=rng.choices((Style.REGULAR, Style.BOLD, Style.ITALIC, Style.BOLD_ITALIC), (82, 8, 8, 2))[0],
        heading_style=rng.choices(
            (Style.BOLD, Style.REGULAR, Style.ITALIC, Style.BOLD_ITALIC), (75, 10, 10, 5)
        )[0],
    )
