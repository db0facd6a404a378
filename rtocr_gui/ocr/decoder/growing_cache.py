"""The decoder's memory of one text: keys and values that are not copied again at every token.

Stock `DynamicCache` makes room for each token by copying all before it, in every layer; at full size and
4,000 tokens that is a gigabyte a token, as much as the weights themselves. Here room is made for many
tokens at once. Knows stock transformers' caches; knows no model and no text.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM_TOKENS = 512
"""Room is made for so many tokens at a time."""


class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer, as the beginning of tensors with room for more.

    Only the memory differs from the stock layer. Texts of a batch cannot be reordered or dropped.
    """

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Begin without room, in the shape of the first states."""
        super().lazy_initialization(key_states, value_states)
        self._key_room, self._value_room = key_states[..., :0, :], value_states[..., :0, :]

    def update(
        self, key_states: Tensor, value_states: Tensor, *_args: Any, **_named: Any
    ) -> tuple[Tensor, Tensor]:
        """Append t tokens.

        Args:
            key_states: (batch, heads, t, key width).
            value_states: (batch, heads, t, value width).

        Returns:
            Keys and values of all tokens; views that the next token leaves as they are.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        if end > self._key_room.shape[-2]:
            # Both or none: where memory runs out in between, the layer stays as it was.
            self._key_room, self._value_room = (
                _with_room(room[..., :begin, :], end) for room in (self._key_room, self._value_room)
            )
        self._key_room[..., begin:end, :] = key_states
        self._value_room[..., begin:end, :] = value_states
        self.keys, self.values = self._key_room[..., :end, :], self._value_room[..., :end, :]
        return self.keys, self.values


def make_cache(text_config: Any, device: torch.device) -> DynamicCache:
    """Make the memory of a fresh text.

    Args:
        text_config: of the language model, in the words of stock transformers.
        device: where it runs.

    Returns:
        A stock cache, in which layers that remember everything are growing ones. On MPS they stay stock:
        its attention has gone wrong on tensors that are not contiguous (pytorch issues 163597, 181133).
    """
    cache = DynamicCache(config=text_config)
    if device.type != "mps":
        growing: Callable[[], GrowingLayer] = GrowingLayer
        cache.layers = [growing() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def _with_room(states: Tensor, tokens: int) -> Tensor:
    """A copy with room for so many tokens, rounded up."""
    room = -(-tokens // ROOM_TOKENS) * ROOM_TOKENS
    roomy = states.new_empty((*states.shape[:-2], room, states.shape[-1]))
    roomy[..., : states.shape[-2], :] = states
    return roomy
