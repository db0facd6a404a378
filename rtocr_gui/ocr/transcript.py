"""Turns a generation into text while it runs. Knows token ids and time, no page."""

import time
from collections.abc import Iterator

from rtocr_gui.ocr.decoding import GreedyGeneration
from rtocr_gui.ocr.reading import TextDelta
from rtocr_gui.ocr.tokenizer import PageTokenizer, TextStream


class Transcript:
    """What a generation says. Its clock stands still while the text is being shown.

    Args:
        tokenizer: of the model that generates.
        generation: after its prefill.

    Attributes:
        text: so far.
        decode_ms: how long the model took for it.
    """

    def __init__(self, tokenizer: PageTokenizer, generation: GreedyGeneration) -> None:
        self.text = ""
        self.decode_ms = 0.0
        self._stream = TextStream(tokenizer)
        self._generation = generation

    def deltas(self) -> Iterator[TextDelta]:
        """Generate to the end; a token that ends within a character is told with the next."""
        token_ids = iter(self._generation)
        token_id: int | None = 0
        untold = 0
        while token_id is not None:
            started = time.perf_counter()
            token_id = next(token_ids, None)
            self.decode_ms += (time.perf_counter() - started) * 1000
            untold += token_id is not None
            piece = self._stream.finish() if token_id is None else self._stream.feed(token_id)
            if piece or (token_id is None and untold):
                self.text += piece
                yield TextDelta(piece, untold)
                untold = 0
