"""Encodes prompts to token ids, and decodes the ids that the model generates.

Uses tokenizer.json as it is, but none with steps that DeepSeek-OCR's does not have. Knows byte-level
vocabularies such as its, in which every token stands for a run of bytes, so that text can be streamed byte by
byte. Knows no torch.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from rtocr_gui.errors import CheckpointError, ReadingError, RtocrError
from rtocr_gui.ocr.model.architecture import Architecture
from rtocr_gui.ocr.model.model_files import as_checkpoint_error, damaged, parse_object

IMAGE_TOKEN = "<image>"
"""Placeholder for one visual token in the prompt."""

_TAB = chr(0x100 + ord("\t"))  # see _bytes_by_character
_MARK = re.compile(r"<\|[^|]*\|>")

_NO_NORMALIZER = (None, {"type": "Sequence", "normalizers": []})
_SPLITS = frozenset({"Split", "Digits"})
_MOST_SPLITS = 16
_LONGEST_CHARACTER = 4
_LONGEST_WORD = 1000
"""In characters; a longer one could make a text of a few tokens fill the memory."""


class PageTokenizer:
    """The tokenizer of one checkpoint.

    Args:
        tokenizer: a byte-level tokenizer.
        start_id: id of the token that begins a prompt.
        end_id: id of the token that ends a text.

    Attributes:
        start_id: as given.
        end_id: as given.
        is_of_bytes: True if no token stands for more than one byte, except the added ones.
        tabs: number of tabs by token, for tokens that are nothing else.
    """

    def __init__(self, tokenizer: Tokenizer, *, start_id: int, end_id: int) -> None:
        self.start_id = start_id
        self.end_id = end_id
        self._tokenizer = tokenizer
        self._added = _added_tokens(tokenizer)
        self._bytes_by_character = _bytes_by_character()
        vocabulary = tokenizer.get_vocab(with_added_tokens=False)
        self.is_of_bytes = all(
            len(word) == 1 for word, token_id in vocabulary.items() if token_id not in self._added
        )
        self.tabs = {token_id: len(word) for word, token_id in vocabulary.items() if not word.strip(_TAB)}

    @classmethod
    def from_file(
        cls, path: Path, architecture: Architecture, prompts: Iterable[str] = ()
    ) -> "PageTokenizer":
        """Load and check a tokenizer.

        Args:
            path: a tokenizer.json.
            architecture: the model it must fit.
            prompts: prompts which it must encode, and whose marks, such as ``<|grounding|>``, must be tokens.

        Raises:
            CheckpointError: the file is damaged, not byte-level, or belongs to another model.
        """
        prompts = tuple(prompts)
        with as_checkpoint_error(path.parent):
            data = path.read_bytes()
        _check_steps(path, parse_object(path, data))
        with _replaced_by(damaged(path, "it is not a tokenizer")):
            tokenizer = Tokenizer.from_buffer(data)
        decoder = architecture.decoder
        special = _added_tokens(tokenizer)
        image_id = {text: token_id for token_id, text in special.items()}.get(IMAGE_TOKEN)
        if image_id is None:
            raise _other_model(path, f"it has no token “{IMAGE_TOKEN}”")
        if image_id != architecture.image_token_id:
            raise _other_model(
                path, f"“{IMAGE_TOKEN}” has the id {image_id}, not {architecture.image_token_id}"
            )
        if tokenizer.get_vocab_size(with_added_tokens=False) == 0:
            raise _other_model(path, "it has no words")
        vocabulary = tokenizer.get_vocab()
        if max(map(len, vocabulary)) > _LONGEST_WORD:
            raise _other_model(path, f"it has a word of more than {_LONGEST_WORD} characters")
        if max(vocabulary.values()) >= decoder.vocabulary:
            raise _other_model(path, f"it has more than {decoder.vocabulary} tokens")
        for token_id, role in ((decoder.bos_token_id, "begins"), (decoder.eos_token_id, "ends")):
            if token_id not in special:
                raise _other_model(
                    path, f"the token {token_id}, which {role} a text, is part of a word in it"
                )
        for mark in dict.fromkeys(mark for prompt in prompts for mark in _MARK.findall(prompt)):
            if mark not in special.values():
                raise _other_model(path, f"it has no token “{mark}”, which the prompts need")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.post_processor = None
        loaded = cls(tokenizer, start_id=decoder.bos_token_id, end_id=decoder.eos_token_id)
        with _replaced_by(damaged(path, "it cannot encode the model's prompts")):
            for prompt in prompts:
                loaded.encode(prompt)
        return loaded

    def encode(self, text: str) -> list[int]:
        """Encode text without adding tokens; special tokens are recognised by their text.

        Raises:
            ReadingError: the tokenizer fails on this text.
        """
        with _replaced_by(ReadingError("The model's tokenizer failed on the prompt. Use other words.")):
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def token_ids(self, texts: Iterable[str]) -> frozenset[int]:
        """Return the ids of single tokens by text, skipping texts that are not tokens of this model."""
        ids = (self._tokenizer.token_to_id(text) for text in texts)
        return frozenset(token_id for token_id in ids if token_id is not None)

    def token_bytes(self, token_id: int) -> bytes:
        """Return the bytes that a token stands for; empty where the vocabulary has a gap."""
        if token_id in self._added:
            return self._added[token_id].encode()
        characters = self._tokenizer.id_to_token(token_id) or ""
        table = self._bytes_by_character
        return b"".join(table.get(character) or character.encode() for character in characters)


class TextStream:
    """Decodes token ids one by one and never returns half a character.

    Joined, the parts are the UTF-8 text of all bytes, without a character that is not complete at the end;
    bytes that are not valid UTF-8 become U+FFFD.
    """

    def __init__(self, tokenizer: PageTokenizer) -> None:
        self._tokenizer = tokenizer
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, token_id: int) -> str:
        """Add one token; return the text it completes, possibly empty."""
        return self._decoder.decode(self._tokenizer.token_bytes(token_id))


def end_of_character(tokenizer: PageTokenizer, token_ids: Sequence[int], place: int) -> int:
    """Return the first place from this one on that is not within a character, of four bytes at most."""
    last = min(place + _LONGEST_CHARACTER - 1, len(token_ids))
    while place < last and _is_within(tokenizer.token_bytes(token_ids[place])):
        place += 1
    return place


def _is_within(utf8: bytes) -> bool:
    """True if bytes begin within a character."""
    return bool(utf8) and 0x80 <= utf8[0] < 0xC0


def spell(tokenizer: PageTokenizer, token_ids: Iterable[int]) -> tuple[str, NDArray[np.int64]]:
    """Decode T tokens, and find where each of them begins in the text.

    Returns:
        The text, and (T + 1,) ascending: the offset of each token, followed by the length of the text.
        Tokens that share one character all begin at it.
    """
    stream = TextStream(tokenizer)
    pieces = [stream.feed(token_id) for token_id in token_ids]
    offsets = np.cumsum([0, *map(len, pieces)])
    return "".join(pieces), offsets


def _check_steps(path: Path, parts: Mapping[str, Any]) -> None:
    """Refuse all but a byte-level BPE on words split as in the published tokenizers, before any step is run.

    A chain of normalizers, or of byte-level steps, can make a short text grow until memory is full.
    """
    if parts.get("normalizer") not in _NO_NORMALIZER:
        raise _other_model(path, "it has a normalizer")
    first: Any = parts.get("pre_tokenizer")
    steps = first.get("pretokenizers") if _kind(first) == "Sequence" else [first]
    *splits, last = map(_kind, steps) if isinstance(steps, list) and steps else [""]
    kinds = (_kind(parts.get("model")), last, _kind(parts.get("decoder")))
    are_splits = len(splits) <= _MOST_SPLITS and _SPLITS.issuperset(splits)
    if kinds != ("BPE", "ByteLevel", "ByteLevel") or not are_splits:
        raise _other_model(path, "it is not byte-level")


def _kind(part: Any) -> str:
    """Return the type of a part of the file; empty if it has none."""
    kind = part.get("type") if isinstance(part, dict) else None
    return kind if isinstance(kind, str) else ""


@contextmanager
def _replaced_by(error: RtocrError) -> Iterator[None]:
    """Raise an error in place of whatever the library raises: its panics are not an `Exception`."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as cause:
        raise error from cause


def _added_tokens(tokenizer: Tokenizer) -> dict[int, str]:
    """Return the text by id of the added tokens, which do not stand for runs of bytes."""
    return {token_id: added.content for token_id, added in tokenizer.get_added_tokens_decoder().items()}


def _bytes_by_character() -> dict[str, bytes]:
    """Return the byte that each character of a byte-level vocabulary stands for (GPT-2's table).

    Printable Latin-1 characters stand for themselves, the other bytes for U+0100 and up, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): bytes([byte]) for byte in printable} | {
        chr(0x100 + place): bytes([byte]) for place, byte in enumerate(others)
    }


def _other_model(path: Path, reason: str) -> CheckpointError:
    return CheckpointError(
        f"The model file “{path.name}” does not belong to this model: {reason}. Download the model again."
    )
