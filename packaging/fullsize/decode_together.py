"""Measures decoding several texts in the same passes with a full-size checkpoint, compared with fewer.

Prompts and texts are noise, so each token goes to different experts, as with different pages. Prints the
time of a pass and of a token; batch sizes alternate, and medians are reported.

    python packaging/fullsize/decode_together.py FOLDER [--pages 1 2 4] [--tokens 12] [--rounds 2]
"""

import argparse
import statistics
import threading
import time
from collections import defaultdict
from pathlib import Path

import torch

from rtocr_gui.cli.failures import failures_in_words
from rtocr_gui.ocr.machine.threads import decoding_threads, usable_cpus, wait_without_spinning

wait_without_spinning()

from rtocr_gui.ocr.decoder.batching import Batch, SharedGeneration  # noqa: E402
from rtocr_gui.ocr.decoder.decoding import Prompt  # noqa: E402
from rtocr_gui.ocr.decoder.greedy import GenerationRules  # noqa: E402
from rtocr_gui.ocr.machine.clock import ms_since, wait_for  # noqa: E402
from rtocr_gui.ocr.machine.devices import place  # noqa: E402
from rtocr_gui.ocr.model.checkpoint import load_checkpoint  # noqa: E402
from rtocr_gui.ocr.model.folder import open_folder  # noqa: E402

PROMPT_TOKENS = 280
"""About the length of a page in mode Base."""


@failures_in_words()
def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, nargs="+", default=[1, 2, 4], help="pages at a time (1 2 4)")
    parser.add_argument("--tokens", type=int, default=12, help="tokens of each text (12)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    arguments = parser.parse_args()

    opened = open_folder(arguments.folder)
    placement = place(arguments.device, arguments.precision, opened.info.parameter_count)
    checkpoint = load_checkpoint(opened, placement.device, placement.dtype)
    model, width = checkpoint.model, checkpoint.architecture.decoder.width
    torch.set_num_threads(decoding_threads(width, usable_cpus()))
    rules = GenerationRules(end_id=None, max_new_tokens=arguments.tokens, context_length=8192)
    passes_ms: dict[int, list[float]] = defaultdict(list)
    for _ in range(arguments.rounds):
        for pages in arguments.pages:
            batch = Batch(model)
            texts = [SharedGeneration(batch, rules, threading.Event()) for _ in range(pages)]
            for number, text in enumerate(texts):
                generator = torch.Generator().manual_seed(number)
                noise = 0.02 * torch.randn(PROMPT_TOKENS, width, generator=generator)
                positions = torch.arange(PROMPT_TOKENS, device=placement.device)
                text.prefill(Prompt(noise.to(placement.device, placement.dtype), positions, PROMPT_TOKENS))
            running = [iter(text) for text in texts]
            while running := [steps for steps in running if any(token is None for token in steps)]:
                wait_for(placement.device)
                started = time.perf_counter()
                batch.feed()
                passes_ms[pages].append(ms_since(started, placement.device))
    medians = {pages: statistics.median(times) for pages, times in passes_ms.items()}
    fewest = min(medians)
    fewest_ms = medians[fewest] / fewest
    print(f"{placement.device}, {placement.dtype_name}, {torch.get_num_threads()} threads\n")
    print(f"| pages together | a pass | a token | against {fewest} |\n| ---: | ---: | ---: | ---: |")
    for pages, pass_ms in medians.items():
        token_ms = pass_ms / pages
        print(f"| {pages} | {pass_ms:.0f} ms | {token_ms:.0f} ms | {fewest_ms / token_ms:.2f} times |")


if __name__ == "__main__":
    main()
