"""What the prefill costs at a number of tokens: computed from the sizes of a decoder, not measured.

Knows sizes; no model, no page.
"""

from rtocr_gui.ocr.model.architecture import DecoderSizes
from rtocr_gui.ocr.reading import PrefillCost


def prefill_cost(decoder: DecoderSizes, prompt_tokens: int, value_bytes: int) -> PrefillCost:
    """Count the operations and the memory of taking in a prompt.

    A product of (a, b) and (b, c) matrices counts 2abc. With m tokens, width w, L layers, a key and
    value width of u, and V words::

        flops = L (4mw^2 + 4mwu + 4m^2 w)                    projections; scores and sums over all pairs
              + 6mw (dense layers * MLP width)                gate, up and down
              + 6mw (expert layers * (experts per token + shared experts) * expert width)
              + 2mw (expert layers * experts)                 router
              + 2wV                                           words, of the last token alone
        cache = 2 L m u * bytes per value

    Norms, activations, rotations and the softmax are left out. Of attention, all m^2 pairs count,
    although kernels may leave out the half that is masked. torch's `FlopCounterMode` counts exactly this
    number with eager attention and eager experts; of fused attention it counts all pairs on CUDA and
    nothing on a CPU, and of grouped experts (`grouped_mm`) nothing, so there the term is missing.

    Args:
        decoder: sizes of the language model.
        prompt_tokens: m, tokens of text and page together, at least 1.
        value_bytes: size of one number of the cache, e.g. 2 for bfloat16.
    """
    m, w = prompt_tokens, decoder.width
    u = decoder.width // decoder.heads * decoder.key_value_heads
    expert_layers = decoder.layers - decoder.dense_layers
    experts = decoder.experts_per_token + decoder.shared_experts
    attention = decoder.layers * (4 * m * w * w + 4 * m * w * u + 4 * m * m * w)
    dense = 6 * m * w * decoder.dense_layers * decoder.mlp_width
    mixture = expert_layers * (6 * m * w * experts * decoder.expert_width + 2 * m * w * decoder.experts)
    return PrefillCost(
        prompt_tokens=m,
        flops=float(attention + dense + mixture + 2 * w * decoder.vocabulary),
        cache_bytes=2 * decoder.layers * m * u * value_bytes,
    )
