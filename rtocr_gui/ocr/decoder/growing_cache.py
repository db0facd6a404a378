"""The decoder's key-value cache, without copying everything at every token.

Stock `DynamicCache` makes room for each token by copying all earlier ones, in every layer; at full size and
4,000 tokens that is a gigabyte per token, as much as the weights themselves. Here room is reserved for many
tokens at once. Knows stock transformers' caches; knows no model and no text.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

ROOM_TOKENS = 512
"""Room is reserved in multiples of this many tokens."""


class GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call]
    """Keys and values of one layer, stored at the beginning of tensors with room for more.

    Differs from the stock layer only in how memory is managed. Does not support reordering or dropping
    texts of a batch.
    """

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Start without room, in the shape of the first states."""
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
            Keys and values of all tokens, as views that later tokens do not change.
        """
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        begin = self.get_seq_length()
        end = begin + key_states.shape[-2]
        if end > self._key_room.shape[-2]:
            # Both or neither: if memory runs out in between, the layer stays as it was.
            self._key_room, self._value_room = (
                _with_room(room[..., :begin, :], end) for room in (self._key_room, self._value_room)
            )
        self._key_room[..., begin:end, :] = key_states
        self._value_room[..., begin:end, :] = value_states
        self.keys, self.values = self._key_room[..., :end, :], self._value_room[..., :end, :]
        return self.keys, self.values


def make_cache(text_config: Any, device: torch.device) -> DynamicCache:
    """Make the cache for a new text.

    Args:
        text_config: stock transformers' config of the language model.
        device: where it runs.

    Returns:
        A stock cache in which full-attention layers are `GrowingLayer`s. On MPS they stay stock layers:
        attention on non-contiguous tensors has been wrong there (pytorch issues 163597, 181133).
    """
    cache = DynamicCache(config=text_config)
    if device.type != "mps":
        growing: Callable[[], GrowingLayer] = GrowingLayer
        cache.layers = [growing() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


def _with_room(states: Tensor, tokens: int) -> Tensor:
    """Copy states into a tensor with room for at least this many tokens."""
    room = -(-tokens // ROOM_TOKENS) * ROOM_TOKENS
    roomy = states.new_empty((*states.shape[:-2], room, states.shape[-1]))
    roomy[..., : states.shape[-2], :] = states
    return roomy
