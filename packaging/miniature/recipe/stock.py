"""The words to fill pages with: this machine's documentation and dictionaries, and a built-in stock.

Read once. If a machine has neither, the built-in words are used alone. Knows files, no page.
"""

import functools
import gzip
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from recipe.alphabet import keep_known

_LICENCES = Path("/usr/share/common-licenses")
_DOCUMENTATION = Path("/usr/share/doc")
_DICTIONARIES = tuple(
    Path("/usr/share/dict") / name
    for name in ("american-english", "french", "ngerman", "spanish", "italian", "portuguese", "dutch")
)
_DOCUMENT_NAMES = re.compile(r"(README|NEWS|changelog|CHANGELOG|copyright|.*\.(txt|md|rst))(\.\w+)?(\.gz)?")
_MOST_BYTES_OF_A_FILE = 24_000
_MOST_PASSAGES = 60_000
_BUILT_IN = Path(__file__).with_name("words.txt")


@dataclass(frozen=True, slots=True)
class Stock:
    """The words found on this machine, and the built-in ones.

    Attributes:
        digest: identifies all the others by content: with other words, pages are different ones.
        passages: sentences, consecutive within each document.
        words: word lists by language, and the built-in ones.
        common: frequent English words; this and the following lists are built in.
        marked: words with accents.
        first_names: first names of people.
        last_names: last names of people.
        places: towns.
        months: English names of the months.
        endings: top-level domains.
    """

    digest: str
    passages: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    common: tuple[str, ...]
    marked: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    places: tuple[str, ...]
    months: tuple[str, ...]
    endings: tuple[str, ...]


@functools.cache
def load_stock() -> Stock:
    """Read documentation and dictionaries once."""
    dictionaries = [words for path in _DICTIONARIES if (words := _read_words(path))]
    built_in: dict[str, tuple[str, ...]] = {}
    for line in _BUILT_IN.read_text(encoding="utf-8").splitlines():
        name, listed = line.split(": ")
        built_in[name.replace(" ", "_")] = tuple(listed.split())
    passages = _read_passages()
    word_lists = (*dictionaries, built_in["common"], built_in["marked"])
    digest = hashlib.sha256(json.dumps((passages, word_lists, built_in)).encode()).hexdigest()[:8]
    return Stock(digest, passages, word_lists, **built_in)


def _read_words(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_bytes().decode("utf-8", "ignore").split("\n")
    except OSError:
        return ()
    return tuple(word for line in lines if 1 < len(word := keep_known(line)) < 15)


def _read_passages() -> tuple[str, ...]:
    passages: list[str] = []
    folders = sorted(_DOCUMENTATION.glob("*")) if _DOCUMENTATION.is_dir() else []
    for folder in [_LICENCES, *folders]:
        for path in sorted(folder.glob("*")):
            if path.is_file() and (folder is _LICENCES or _DOCUMENT_NAMES.fullmatch(path.name)):
                passages += _sentences(_read_document(path))
        if len(passages) >= _MOST_PASSAGES:
            break
    return tuple(passages)


def _read_document(path: Path) -> str:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(_MOST_BYTES_OF_A_FILE).decode("utf-8", "ignore")
    except (OSError, EOFError, zlib.error):
        return ""


def _sentences(document: str) -> list[str]:
    return [
        sentence
        for paragraph in re.split(r"\n\s*\n", document)
        for sentence in re.split(r"(?<=[.;:!?])\s+", keep_known(paragraph))
        if 20 <= len(sentence) <= 300 and max(map(len, sentence.split())) < 40
    ]
