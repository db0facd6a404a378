"""`rtocr bench decoding` measures every stage and every way to decode, and says on what."""

import json
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from rtocr_gui.cli.bench import decoding
from rtocr_gui.cli.bench.decoding_probe import counted_synchronisations
from rtocr_gui.cli.main import main
from tests.small_checkpoint import write_checkpoint

WAYS = ["bare loop", "stock generate", "rtocr", "rtocr, guessing"]
FIGURES: dict[str, Any] = {
    "machine": {
        "processor": "A processor",
        "cores": 16,
        "threads": {"encoding": 16, "decoding": 8},
        "accelerator": "NVIDIA H200",
        "torch": "2.13.0",
        "transformers": "5.23.0",
    },
    "model": {"name": "OCR", "parameters": 3_336_000_000, "precision": "bfloat16", "experts": "grouped_mm"},
    "mode": "large",
    "tokens": 100,
    "rounds": 5,
    "encode_ms": 123.4,
    "prune": {"ms": 5.67, "synchronisations": 1},
    "prefill": [
        {"retention": 1.0, "prompt_tokens": 431, "ms": 50.0, "speed_up": 1.0},
        {"retention": 0.8425, "prompt_tokens": 367, "ms": 40.0, "speed_up": 1.25},
    ],
    "decode": [
        {
            "way": "rtocr",
            "batch": 8,
            "ms_per_token": 12.5,
            "tokens_per_second": 80.0,
            "times_bare": 1.5,
            "times_stock": 2.0,
            "tokens": 100,
            "passes": 99,
            "tokens_like_bare": 90,
        }
    ],
}


@pytest.fixture(scope="module")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("speed") / "small")


def bench(small_model: Path, *options: str) -> int:
    return main(["bench", "decoding", "--quiet", "--model", str(small_model), "--mode", "tiny", *options])


def test_a_model_that_does_not_fit_into_memory_is_not_measured(
    small_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rtocr_gui.ocr.engine.free_bytes", lambda device: 1000)
    assert bench(small_model, "--device", "cpu") == 1
    assert "Close other programs" in capsys.readouterr().err


def test_every_way_to_decode_is_measured_on_the_same_prompt(
    small_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    threads, file = torch.get_num_threads(), tmp_path / "figures.json"
    try:
        assert (
            bench(small_model, "--tokens", "5", "--rounds", "1", "--threads", "1", "--json", str(file)) == 0
        )
    finally:
        torch.set_num_threads(threads)
    figures = json.loads(file.read_text())
    assert capsys.readouterr().out == decoding.format_table(figures) + "\n"
    assert [row["way"] for row in figures["decode"]] == WAYS
    for row in figures["decode"]:
        assert row["tokens_like_bare"] == row["tokens"] == 5
        assert row["tokens_per_second"] == pytest.approx(1000 / row["ms_per_token"])
        assert row["batch"] == 1
    assert [row["retention"] for row in figures["prefill"]] == [1.0, 0.8425, 0.5]
    lengths = [row["prompt_tokens"] for row in figures["prefill"]]
    assert lengths == sorted(lengths, reverse=True)
    assert figures["prune"]["ms"] > 0
    assert figures["prune"]["synchronisations"] is None
    assert figures["machine"]["device"] == "cpu"
    assert figures["machine"]["torch"] == torch.__version__
    assert figures["machine"]["processor"]


def test_more_tokens_than_the_model_takes_are_refused_in_words(
    small_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench(small_model, "--tokens", "500") == 1
    assert "the model takes 512 in all" in capsys.readouterr().err


@pytest.mark.parametrize("tokens", ["1", "0", "-3", "many", "8193"])
def test_a_number_of_tokens_that_cannot_be_timed_is_refused(tokens: str) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "decoding", f"--tokens={tokens}"])


def test_what_is_no_precision_is_refused_before_a_model_is_opened(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "decoding", "--model", "nowhere", "--precision", "float12"])
    assert "invalid choice: 'float12'" in capsys.readouterr().err


def test_the_table_names_the_graphics_card_and_what_waited_for_it() -> None:
    table = decoding.format_table(FIGURES)
    assert "NVIDIA H200" in table
    assert "A processor" not in table
    assert "prune 5.7 ms, waiting for the device 1 ×" in table
    rows = [" ".join(line.split()) for line in table.splitlines()]
    assert "84.25 % 367 40.0 1.25 ×" in rows
    assert "rtocr 8 12.50 80.0 1.50 × 2.00 × 99 90 of 100" in rows


def test_only_operations_that_wait_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[object] = []
    monkeypatch.setattr(torch.cuda, "get_sync_debug_mode", lambda: 0)
    monkeypatch.setattr(torch.cuda, "set_sync_debug_mode", modes.append)
    with counted_synchronisations() as waits:
        for _ in range(2):
            warnings.warn("called a synchronizing CUDA operation (in a file)", stacklevel=1)
        warnings.warn("something else", stacklevel=1)
    assert len(waits) == 2
    assert modes == ["warn", 0]
