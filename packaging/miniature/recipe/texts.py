"""Makes up the texts of pages: passages, shuffled words, headings, cells.

Passages teach how text continues; shuffled words mixed with made-up facts teach to read instead of guessing.
Every function draws from the generator it is given. Knows no page.
"""

import random
import string
from collections.abc import Callable

from recipe import facts
from recipe.stock import load_stock


def _dictionary_word(rng: random.Random) -> str:
    stock = load_stock()
    word = rng.choice(stock.common if rng.random() < 0.25 else rng.choice(stock.words))
    case = rng.random()
    return word.capitalize() if case < 0.15 else word.upper() if case < 0.2 else word


_FACTS: tuple[Callable[[random.Random], str], ...] = (
    facts.number,
    facts.number,
    facts.amount,
    facts.amount,
    facts.date,
    facts.name,
    facts.scramble,
    facts.address,
)


_WRAPPINGS = (
    '"{}"',
    "({})",
    "“{}”",
    "‘{}’",
    "«{}»",
    "„{}“",
    "[{}]",
    "{}…",
    "— {}",
    "– {}",
    "{}’s",
    "*{}",
    "{}/",
)


def _wrapped(rng: random.Random, word: str) -> str:
    kind = rng.random()
    if kind < 0.12:
        return word + rng.choice(",,,.;:!?")
    if kind < 0.16:
        return rng.choice(_WRAPPINGS).format(word)
    return word


def shuffled_words(rng: random.Random, count: int) -> str:
    """Return shuffled words, mixed with made-up facts and punctuation."""
    return " ".join(
        _wrapped(rng, rng.choice(_FACTS)(rng) if rng.random() < 0.2 else _dictionary_word(rng))
        for _ in range(count)
    )


def paragraph(rng: random.Random, length: int) -> str:
    """Return running text.

    Args:
        rng: determines everything.
        length: approximate number of characters.
    """
    passages = load_stock().passages
    if not passages or rng.random() < 0.55:
        return shuffled_words(rng, max(1, length // 7))
    start = rng.randrange(len(passages))
    text = passages[start]
    while len(text) < length:
        start = (start + 1) % len(passages)
        text += " " + passages[start]
    return text[: text.find(" ", length)] if " " in text[length:] else text


def title(rng: random.Random, *, may_begin_with_number: bool = True) -> str:
    """Return a short heading without a final full stop."""
    short = rng.random() < 0.5
    words = shuffled_words(rng, rng.randint(1, 3)) if short else paragraph(rng, rng.randint(8, 40))
    ending = rng.choice((".", f".{rng.randint(1, 9)}", ""))
    number = f"{rng.randint(1, 12)}{ending} " if rng.random() < 0.25 and may_begin_with_number else ""
    return number + words.rstrip(".,;:")


def section_number(rng: random.Random, level: int) -> str:
    """Return the number of a heading: “3.”, “2.4”, “Chapter 7:”."""
    number = str(rng.randint(1, 20))
    if level == 1:
        return rng.choice((number, f"{number}.", f"Chapter {number}:", f"§ {number}"))
    return ".".join([number, *(str(rng.randint(1, 20)) for _ in range(rng.randint(0, 2)))]) + rng.choice(
        ("", ".")
    )


def cell(rng: random.Random, numeric: bool) -> str:
    """Return the content of a table cell."""
    if numeric:
        return rng.choice((facts.number, facts.amount, facts.date))(rng)
    return shuffled_words(rng, rng.randint(1, 2))


def term(rng: random.Random) -> str:
    """Return what a row of a table is about: a command, an option, a file, a key, one or two words."""
    one, other = rng.choices(load_stock().common, k=2)
    return rng.choice(
        (
            one,
            f"{one} {other}",
            f"{one}-{other}",
            f"--{one}",
            f"/{one}/{other}",
            f"{one}({rng.randint(1, 8)})",
            f"{one.upper()}_{other.upper()}",
            f"Ctrl-{rng.choice(string.ascii_uppercase)}",
            facts.code(rng),
            cell(rng, numeric=False),
        )
    )


def description(rng: random.Random) -> str:
    """Return what a table says about a term: a few words, or more than most cells have room for."""
    return paragraph(rng, rng.randint(5, 70))


def running_line(rng: random.Random) -> str:
    """Return a header or footer."""
    return rng.choice((title, facts.name, facts.date, facts.address))(rng)
