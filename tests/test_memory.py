"""What reading takes against what is free, and what is proposed where that does not fit."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from rtocr_gui.ocr.machine.main_memory import UNKNOWN, free_main_memory
from rtocr_gui.ocr.machine.spot import VALUE_BYTES, Spot
from rtocr_gui.ocr.memory.fit import MINIATURE_BYTES, DoesNotFit, Fit, judge_fit
from rtocr_gui.ocr.memory.need import MemoryNeed, View, memory_need
from rtocr_gui.ocr.model.architecture import Architecture, read_architecture
from rtocr_gui.ocr.model.folder import check_folder, describe
from rtocr_gui.ocr.model.manifest import expected_tensors
from rtocr_gui.ocr.model.model_info import ModelInfo
from rtocr_gui.ocr.reading import Mode, Scaling
from rtocr_gui.resources import resource_path

GB = 10**9
PUBLISHED_CONFIG = Path(__file__).parent / "golden" / "deepseek_ocr_config.json"

MEASURED_MB = {
    View(Mode.TINY): (129.1, 23.4),
    View(Mode.SMALL): (274.0, 30.2),
    View(Mode.BASE): (1686.3, 54.4),
    View(Mode.LARGE): (4050.2, 73.9),
    View(Mode.GUNDAM, 2): (1695.6, 85.5),
    View(Mode.GUNDAM, 4): (1705.8, 121.3),
    View(Mode.GUNDAM, 6): (1756.0, 157.0),
    View(Mode.GUNDAM, 9): (2626.1, 208.9),
}
"""Peaks of encoding and of the prefill at full size in float32 (`packaging/benchmarks/memory-cpu.md`)."""


@pytest.fixture
def architecture() -> Architecture:
    """Of the published model."""
    return read_architecture(json.loads(PUBLISHED_CONFIG.read_text()))


@pytest.fixture
def info(architecture: Architecture) -> ModelInfo:
    count = sum(math.prod(shape) for shape in expected_tensors(architecture).values())
    modes = (Mode.BASE, Mode.GUNDAM, Mode.LARGE, Mode.SMALL, Mode.TINY)
    return ModelInfo(Path("model"), "DeepSeek-OCR", "", modes, (), count, 2 * count)


def cpu(free: float, precision: str = "float32", *, is_slow: bool = False) -> Spot:
    return Spot("cpu", precision, round(free * GB), round(free * GB), is_slow)


def card(free: float, main_free: float = 64, precision: str = "bfloat16") -> Spot:
    return Spot("cuda", precision, round(free * GB), round(main_free * GB))


# --- what is needed ------------------------------------------------------------------------------


@pytest.mark.parametrize("view", MEASURED_MB, ids=str)
def test_the_estimate_is_at_least_what_was_measured_and_half_as_much_again_at_most(
    architecture: Architecture, view: View
) -> None:
    need = memory_need(architecture, 0, view, "float32", "cpu", text_tokens=0)
    encoding, prefill = MEASURED_MB[view]
    assert encoding <= need.encoding / 1e6 <= 1.5 * encoding
    assert max(encoding, prefill) <= need.page / 1e6
    assert prefill <= need.reading / 1e6


def test_half_precision_takes_half(architecture: Architecture) -> None:
    full, half = (
        memory_need(architecture, 10 * GB, View(Mode.LARGE), precision, "cuda")
        for precision in ("float32", "float16")
    )
    assert (full.weights, half.weights) == (40 * GB, 20 * GB)
    assert half.page == pytest.approx(full.page / 2, rel=0.05)


def test_a_longer_text_takes_more_until_the_model_can_write_no_more(architecture: Architecture) -> None:
    needs = [
        memory_need(architecture, 0, View(Mode.TINY), "float32", "cpu", text_tokens).reading
        for text_tokens in (100, 1100, None)
    ]
    assert needs == sorted(needs)
    keys_and_values = 2 * 12 * 1280 * 4
    assert needs[1] - needs[0] == pytest.approx(1.1 * 1000 * keys_and_values, rel=1e-3)
    assert needs[2] - needs[0] < 1.1 * architecture.decoder.context_length * keys_and_values


def test_a_window_bounds_what_is_kept_of_the_text(architecture: Architecture) -> None:
    decoder = replace(architecture.decoder, window=128)
    windowed = replace(architecture, decoder=decoder)
    whole, bounded = (
        memory_need(sizes, 0, View(Mode.BASE), "bfloat16", "cuda").reading
        for sizes in (architecture, windowed)
    )
    assert bounded < whole / 2


def test_apples_attention_keeps_its_scores(architecture: Architecture) -> None:
    cuda, mps = (
        memory_need(architecture, 0, View(Mode.LARGE), "bfloat16", device).encoding
        for device in ("cuda:1", "mps")
    )
    assert 1.8 * cuda < mps < 2.1 * cuda


def test_a_model_without_global_attention_takes_little(architecture: Architecture) -> None:
    windowed = replace(architecture, sam=replace(architecture.sam, global_layers=()))
    large = View(Mode.LARGE)
    needs = [memory_need(sizes, 0, large, "float32", "cpu").encoding for sizes in (architecture, windowed)]
    assert needs[1] < needs[0] / 5


def test_the_miniature_takes_less_than_is_said_of_it() -> None:
    checked = check_folder(resource_path("miniature"))
    for view in MEASURED_MB:
        need = memory_need(checked.architecture, checked.parameter_count, view, "float32", "cpu")
        assert need.total < MINIATURE_BYTES


def test_a_number_is_as_large_as_in_torch() -> None:
    assert {name: getattr(torch, name).itemsize for name in VALUE_BYTES} == VALUE_BYTES


# --- what is free --------------------------------------------------------------------------------


@pytest.fixture
def available(monkeypatch: pytest.MonkeyPatch) -> int:
    """What the whole computer has."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=20_000))
    return 20_000


def write_group(folder: Path, names: tuple[str, str], limit: str, used: int, files: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used - files}\ninactive_file {files}\nactive_file 0\n")


V1, V2 = ("memory.limit_in_bytes", "memory.usage_in_bytes"), ("memory.max", "memory.current")


def test_without_a_container_all_that_the_computer_has_is_free(available: int, tmp_path: Path) -> None:
    assert free_main_memory(tmp_path, tmp_path / "none") == available
    own = tmp_path / "own"
    own.write_text("0::/\n")
    assert free_main_memory(tmp_path, own) == available
    write_group(tmp_path, V2, "max", 500)
    assert free_main_memory(tmp_path, own) == available


def test_a_container_leaves_its_limit_less_what_it_uses(available: int, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    write_group(tmp_path, V2, "10000", 7000)
    assert free_main_memory(tmp_path, own) == 3000


def test_copies_of_files_make_room_when_asked(available: int, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    write_group(tmp_path, V2, "10000", 9500, files=6000)
    assert free_main_memory(tmp_path, own) == 6500


def test_the_tightest_of_nested_groups_counts(available: int, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/slice/scope\n")
    write_group(tmp_path / "slice", V2, "9000", 5000)
    write_group(tmp_path / "slice" / "scope", V2, "max", 3000)
    assert free_main_memory(tmp_path, own) == 4000


def test_the_first_version_of_control_groups_is_understood(available: int, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("5:cpu,cpuacct:/\n4:memory:/docker/abc\n1:name=systemd:/\n0::/\n")
    write_group(tmp_path / "memory", V1, "8000", 2000)
    assert free_main_memory(tmp_path, own) == 6000


def test_a_container_that_uses_more_than_it_may_leaves_nothing(available: int, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("0::/\n")
    write_group(tmp_path, V2, "1000", 2000)
    assert free_main_memory(tmp_path, own) == 0


# --- whether it fits -----------------------------------------------------------------------------


def judge(info: ModelInfo, architecture: Architecture, scaling: Scaling, *spots: Spot) -> Fit:
    return judge_fit(info, architecture, scaling, spots[0], spots[1:])


def test_what_fits_needs_no_proposal(info: ModelInfo, architecture: Architecture) -> None:
    fit = judge(info, architecture, Scaling(Mode.GUNDAM), cpu(24), cpu(24, "bfloat16"))
    assert fit.fits
    assert fit.proposals == ()
    assert fit.sentence == "DeepSeek-OCR needs 16.4 GB on the CPU in Gundam mode; 24.0 GB is free."


def test_a_smaller_mode_keeps_the_limit_of_tiles(info: ModelInfo, architecture: Architecture) -> None:
    fit = judge(info, architecture, Scaling(Mode.LARGE, 4), cpu(15.9))
    assert fit.proposals[0].scaling == Scaling(Mode.BASE, 4)


def test_fewer_tiles_a_smaller_mode_another_precision_and_the_miniature_are_proposed(
    info: ModelInfo, architecture: Architecture
) -> None:
    fit = judge(info, architecture, Scaling(Mode.GUNDAM), cpu(16), cpu(16, "bfloat16", is_slow=True))
    assert not fit.fits
    assert [(proposal.device, proposal.precision, proposal.scaling) for proposal in fit.proposals] == [
        ("cpu", "float32", Scaling(Mode.GUNDAM, 6)),
        ("cpu", "float32", Scaling(Mode.BASE)),
        ("cpu", "bfloat16", None),
        ("", "auto", None),
    ]
    assert [proposal.is_bundled_model for proposal in fit.proposals] == [False, False, False, True]
    assert str(DoesNotFit(fit)) == (
        "DeepSeek-OCR needs 16.4 GB on the CPU in Gundam mode; 16.0 GB is free. What fits: read in "
        "Gundam mode with at most 6 tiles; read in Base mode; compute in bfloat16, in which this processor "
        "is very slow; use the miniature that comes with RTOCR. Or close other programs."
    )


@pytest.mark.parametrize("free", [1, 7.4, 8.5, 9, 14.7, 15.5, 16])
@pytest.mark.parametrize("scaling", [Scaling(Mode.GUNDAM), Scaling(Mode.LARGE), Scaling(None)])
def test_every_proposal_fits_itself(
    info: ModelInfo, architecture: Architecture, free: float, scaling: Scaling
) -> None:
    spots = card(6), cpu(free), cpu(free, "bfloat16", is_slow=True)
    by_name = {(spot.device, spot.precision): spot for spot in spots}
    fit = judge(info, architecture, scaling, *spots)
    assert not fit.fits
    for proposal in fit.proposals[:-1]:
        spot = by_name[proposal.device, proposal.precision]
        assert judge(info, architecture, proposal.scaling or fit.scaling, spot).fits
    assert fit.proposals[-1].is_bundled_model


def test_the_cpu_is_proposed_in_place_of_a_small_graphics_card(
    info: ModelInfo, architecture: Architecture
) -> None:
    fit = judge(info, architecture, Scaling(None), card(4), cpu(20), cpu(20, "bfloat16", is_slow=True))
    assert fit.sentence == "DeepSeek-OCR needs 7.3 GB on the graphics card in Small mode; 4.0 GB is free."
    assert [proposal.label for proposal in fit.proposals] == [
        "Run it on the CPU, which takes longer",
        "Use the miniature that comes with RTOCR",
    ]


def test_a_mode_may_have_to_change_with_the_place(info: ModelInfo, architecture: Architecture) -> None:
    fit = judge(info, architecture, Scaling(Mode.LARGE), card(4), cpu(16))
    assert fit.proposals[0].label == "Run it on the CPU, which takes longer, and read in Base mode"
    assert fit.proposals[0].scaling == Scaling(Mode.BASE)


def test_weights_need_main_memory_on_their_way_to_a_graphics_card(
    info: ModelInfo, architecture: Architecture
) -> None:
    fit = judge(info, architecture, Scaling(Mode.BASE), card(24, main_free=4), cpu(4))
    assert not fit.fits
    assert fit.sentence == (
        "While loading to the graphics card, DeepSeek-OCR needs 6.7 GB of main memory; 4.0 GB is free."
    )


def test_without_a_mode_the_one_that_takes_least_is_judged(
    info: ModelInfo, architecture: Architecture
) -> None:
    least = judge(info, architecture, Scaling(None), cpu(24)).need.total
    needs = [judge(info, architecture, Scaling(mode), cpu(24)).need.total for mode in info.modes]
    assert least == min(needs)
    assert judge(info, architecture, Scaling(None, 2), cpu(24)).need.total == least


def test_without_a_mode_it_is_told_what_the_largest_takes_and_whether_that_fits_too(
    info: ModelInfo, architecture: Architecture
) -> None:
    roomy, tight = (judge(info, architecture, Scaling(None), cpu(free)) for free in (24, 16))
    assert roomy.sentence == (
        "DeepSeek-OCR needs 14.6 GB on the CPU in Small mode, up to 17.9 GB in Large mode; 24.0 GB is free."
    )
    assert (roomy.largest.fits, tight.fits, tight.largest.fits) == (True, True, False)
    published = replace(info, modes=(Mode.BASE, Mode.GUNDAM))
    limited = judge(published, architecture, Scaling(None, 2), cpu(24)).largest
    assert limited.scaling == Scaling(Mode.GUNDAM, 2)
    assert judge(info, architecture, Scaling(Mode.BASE), cpu(24)).largest is None


def test_where_nothing_fits_other_programs_are_to_be_closed(
    info: ModelInfo, architecture: Architecture
) -> None:
    fit = judge(info, architecture, Scaling(Mode.TINY), cpu(0.2), cpu(0.2, "bfloat16"))
    assert fit.proposals == ()
    assert str(DoesNotFit(fit)).endswith("200 MB is free. Close other programs.")


def test_the_bundled_model_is_judged_like_any_other() -> None:
    checked = check_folder(resource_path("miniature"))
    assert judge(describe(checked), checked.architecture, Scaling(None), cpu(1)).fits


def test_devices_are_named_in_words() -> None:
    names = [Spot(device, "float16", 0, 0).name for device in ("cpu", "cuda", "cuda:1", "mps")]
    assert names == ["the CPU", "the graphics card", "graphics card 1", "the graphics processor"]


def test_a_need_is_the_weights_and_the_greater_of_encoding_and_reading() -> None:
    assert MemoryNeed(100, 20, 30).total == 130
    assert MemoryNeed(100, 40, 30).page == 40


@pytest.mark.parametrize("odd", [b"", b"\n", b"0::/\n\n", b"nonsense\n", b"\xff::\xfe\n"])
def test_what_a_system_tells_in_an_odd_way_limits_nothing(available: int, tmp_path: Path, odd: bytes) -> None:
    own = tmp_path / "own"
    own.write_bytes(odd)
    assert free_main_memory(tmp_path, own) == available


def test_a_system_that_does_not_tell_refuses_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def hidden() -> SimpleNamespace:
        raise PermissionError("/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", hidden)
    assert free_main_memory(tmp_path, tmp_path / "none") == UNKNOWN
    own = tmp_path / "own"
    own.write_text("0::/\n")
    write_group(tmp_path, V2, "10000", 7000)
    assert free_main_memory(tmp_path, own) == 3000
