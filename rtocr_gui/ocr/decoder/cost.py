"""Computes what a prefill costs from the sizes of a decoder, without measuring.

Knows sizes; no model and no page.
"""

from rtocr_gui.ocr.model.architecture import DecoderSizes
from rtocr_gui.ocr.reading import PrefillCost


def prefill_cost(decoder: DecoderSizes, prompt_tokens: int, value_bytes: int) -> PrefillCost:
    """Count the operations and the memory of a prefill.

    A product of (a, b) and (b, c) matrices counts as 2abc. With m tokens, width w, L layers, a key and
    value width of u, and a vocabulary of V::

        flops = L (4mw^2 + 4mwu + 4m^2 w)                    projections; scores and sums over all pairs
              + 6mw (dense layers * MLP width)                gate, up and down
              + 6mw (expert layers * (experts per token + shared experts) * expert width)
              + 2mw (expert layers * experts)                 router
              + 2wV                                           logits, of the last token only
        cache = 2 L m u * bytes per value

    Norms, activations, rotary embeddings and the softmax are not counted. Attention counts all m^2 pairs,
    although kernels may skip the masked half. torch's `FlopCounterMode` reports exactly this number with
    eager attention and eager experts. For fused attention it counts all pairs on CUDA and nothing on a CPU;
    for grouped experts (`grouped_mm`) it counts nothing.

    Args:
        decoder: sizes of the language model.
        prompt_tokens: m, number of text and visual tokens, at least 1.
        value_bytes: bytes per number in the cache, e.g. 2 for bfloat16.
    """
    m, w, u = prompt_tokens, decoder.width, decoder.key_value_width
    expert_layers = decoder.layers - decoder.dense_layers
    experts = decoder.experts_per_token + decoder.shared_experts
    attention = decoder.layers * (4 * m * w * w + 4 * m * w * u + 4 * m * m * w)
    dense = 6 * m * w * decoder.dense_layers * decoder.mlp_width
    mixture = expert_layers * (6 * m * w * experts * decoder.expert_width + 2 * m * w * decoder.experts)
    return PrefillCost(
        prompt_tokens=m,
        flops=float(attention + dense + mixture + 2 * w * decoder.vocabulary),
        cache_bytes=decoder.cached_values(m) * value_bytes,
    )
