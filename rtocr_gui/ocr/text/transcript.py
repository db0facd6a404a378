"""Turns a running generation into text. Knows token ids and time, no page."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Protocol

from rtocr_gui.ocr.machine.clock import ms_since
from rtocr_gui.ocr.model.tokenizer import PageTokenizer, TextStream
from rtocr_gui.ocr.reading import TextDelta

_END = -1


class TokenSource(Protocol):
    """Yields one token at a time, and None while it waits for other generations."""

    def __iter__(self) -> Generator[int | None, None, None]:
        """Generate to the end."""


class Transcript:
    """The text of a generation. Its clock stops while the consumer handles what was yielded.

    Args:
        tokenizer: tokenizer of the model that generates.
        generation: a generation after its prefill.

    Attributes:
        decode_ms: how long the model took to generate it.
    """

    def __init__(self, tokenizer: PageTokenizer, generation: TokenSource) -> None:
        self.decode_ms = 0.0
        self._stream = TextStream(tokenizer)
        self._generation = generation

    def deltas(self) -> Iterator[TextDelta | None]:
        """Generate to the end; a token that ends within a character is reported with the next one.

        Yields:
            The text as it comes; None while the generation waits.
        """
        token_id: int | None = None
        untold = 0
        with closing(iter(self._generation)) as token_ids:
            while token_id != _END:
                started = time.perf_counter()
                token_id = next(token_ids, _END)
                self.decode_ms += ms_since(started)
                if token_id is None:
                    yield None
                    continue
                untold += token_id != _END
                piece = "" if token_id == _END else self._stream.feed(token_id)
                if piece or (token_id == _END and untold):
                    yield TextDelta(piece, untold)
                    untold = 0
