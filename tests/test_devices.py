"""Where a model runs and in which precision, on computers of every kind."""

import ctypes
from collections.abc import Callable

import pytest
import torch

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.machine import devices
from rtocr_gui.ocr.machine.devices import (
    choose_device,
    find_spots,
    free_bytes,
    give_memory_back,
    is_out_of_memory,
    place,
)

CPU = torch.device("cpu")
LARGE, SMALL = 3_300_000_000, 10_000_000
NEW_BUILD = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120", "compute_120"]
OLD_BUILD = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_90"]

Cards = Callable[..., None]


@pytest.fixture(autouse=True)
def bare_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """No accelerator, and a processor without bfloat16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "x86_64", "avx2": True})
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.version, "hip", None)


@pytest.fixture
def cards(monkeypatch: pytest.MonkeyPatch) -> Cards:
    """Puts graphics cards of these compute capabilities into the computer."""

    def install(
        *capabilities: tuple[int, int], built_for: list[str] = OLD_BUILD, filled: tuple[int, ...] = ()
    ) -> None:
        def answer(index: int) -> tuple[int, int]:
            if index in filled:
                raise torch.AcceleratorError("CUDA error: out of memory")
            return 80 * 10**9, 80 * 10**9

        def capability_of(device: torch.device | int) -> tuple[int, int]:
            return capabilities[device if isinstance(device, int) else device.index or 0]

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: len(capabilities))
        monkeypatch.setattr(torch.cuda, "get_device_capability", capability_of)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device}")
        monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: built_for)
        monkeypatch.setattr(torch.cuda, "mem_get_info", answer)

    return install


@pytest.fixture
def macos(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes the computer a Mac with this version of macOS."""

    def install(version: int) -> None:
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
        monkeypatch.setattr(
            torch.backends.mps, "is_macos_or_newer", lambda major, minor: (version, 0) >= (major, minor)
        )

    return install


# --- which device --------------------------------------------------------------------------------


def test_a_computer_without_an_accelerator_uses_its_cpu() -> None:
    assert choose_device("auto") == CPU


def test_an_accelerator_is_preferred(cards: Cards, macos: Callable[[int], None]) -> None:
    macos(15)
    assert choose_device("auto").type == "mps"
    cards((8, 6), (9, 0))
    assert choose_device("auto").type == "cuda"
    assert choose_device("cuda:1").index == 1


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:9", "mps", "cpu:1"])
def test_a_device_that_is_not_there_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="has no device"):
        choose_device(name)


def test_a_pytorch_without_cuda_is_told_apart_from_a_computer_without_a_card(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(SettingsError, match=r"PyTorch can use: it was installed without CUDA \(see Limits"):
        choose_device("cuda")
    monkeypatch.setattr(torch.version, "hip", "7.0")
    with pytest.raises(SettingsError, match=r"PyTorch can use\. Choose another"):
        choose_device("cuda")


@pytest.mark.parametrize(
    "name", ["", "gpu", "cuda:x", "meta", "cpu:-1", "cuda:1:2", "cpu:", "cpu:00", "cpu:٠", "cpu:0\n"]
)
def test_what_is_no_device_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match="is not a device"):
        choose_device(name)


def test_a_card_that_another_program_has_filled_is_passed_over_and_told(cards: Cards) -> None:
    cards((8, 0), (8, 0), filled=(0,))
    assert choose_device("auto") == torch.device("cuda", 1)
    with pytest.raises(SettingsError, match="“Card 0” cannot be used right now"):
        choose_device("cuda")
    cards((8, 0), filled=(0,))
    placement = place("auto", "auto", SMALL)
    assert placement.device == CPU
    assert placement.why.startswith("The graphics card cannot be used right now.")


def test_a_card_that_failed_is_let_go_without_asking_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "empty_cache", fail)
    give_memory_back(torch.device("cuda"))


def test_a_card_that_this_pytorch_has_no_code_for_is_passed_over_and_told(cards: Cards) -> None:
    cards((6, 1), built_for=NEW_BUILD)
    placement = place("auto", "auto", LARGE)
    assert placement.device == CPU
    assert placement.why.startswith("The graphics card is too old for the installed PyTorch. ")
    with pytest.raises(SettingsError, match="“Card 0” is too old"):
        choose_device("cuda")


def test_the_first_card_that_can_be_used_is_used(cards: Cards) -> None:
    cards((6, 1), (8, 9), built_for=NEW_BUILD)
    assert choose_device("auto") == torch.device("cuda", 1)


@pytest.mark.parametrize(
    ("capability", "built_for", "is_driven"),
    [
        ((8, 9), ["sm_80"], True),  # code for 8.0 runs on all of 8.x
        ((8, 0), ["sm_86"], False),
        ((12, 1), ["sm_90", "compute_90"], True),  # compiled when it is first used
        ((12, 0), ["sm_90a"], False),
        ((10, 3), ["sm_100f"], True),
        ((7, 5), [], True),  # nothing is known
    ],
)
def test_code_for_an_older_card_of_the_same_family_serves_a_newer_one(
    cards: Cards, capability: tuple[int, int], built_for: list[str], is_driven: bool
) -> None:
    cards(capability, built_for=built_for)
    assert (choose_device("auto").type == "cuda") is is_driven


# --- which precision -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capability", "dtype", "why"),
    [
        ((9, 0), torch.bfloat16, "as it was trained"),
        ((8, 0), torch.bfloat16, "as it was trained"),
        ((7, 5), torch.float16, "has no bfloat16, so the model runs in float16"),
        ((7, 0), torch.float16, "has no bfloat16, so the model runs in float16"),
        ((6, 0), torch.float16, "has no bfloat16, so the model runs in float16"),
        ((6, 1), torch.float32, "slow in float16, so the model runs in float32"),
        ((5, 2), torch.float32, "slow in float16, so the model runs in float32"),
    ],
)
def test_a_graphics_card_runs_what_it_computes_itself(
    cards: Cards, capability: tuple[int, int], dtype: torch.dtype, why: str
) -> None:
    cards(capability)
    placement = place("auto", "auto", LARGE)
    assert (placement.device.type, placement.dtype) == ("cuda", dtype)
    assert why in placement.why


def test_each_of_several_cards_is_asked_for_itself(cards: Cards) -> None:
    cards((7, 5), (8, 6))
    assert place("cuda:0", "auto", LARGE).dtype == torch.float16
    assert place("cuda:1", "auto", LARGE).dtype == torch.bfloat16


def test_a_radeon_runs_bfloat16(cards: Cards, monkeypatch: pytest.MonkeyPatch) -> None:
    cards((9, 0), built_for=["gfx90a"])
    monkeypatch.setattr(torch.version, "hip", "7.0")
    assert place("cuda", "auto", LARGE).dtype == torch.bfloat16


def test_a_mac_runs_bfloat16_from_macos_14_on(macos: Callable[[int], None]) -> None:
    macos(14)
    assert place("auto", "auto", LARGE).dtype == torch.bfloat16
    macos(13)
    placement = place("auto", "auto", LARGE)
    assert placement.dtype == torch.float16
    assert "needs macOS 14" in placement.why
    with pytest.raises(SettingsError, match="needs macOS 14"):
        place("mps", "bfloat16", LARGE)


def test_a_processor_without_bfloat16_runs_float32() -> None:
    placement = place("cpu", "auto", LARGE)
    assert (placement.dtype, placement.dtype_name) == (torch.float32, "float32")
    assert placement.why == "This processor has no bfloat16, so the model runs in float32."


@pytest.mark.parametrize("feature", ["avx512_bf16", "amx_bf16", "bf16"])
def test_a_processor_with_bfloat16_runs_large_models_in_it(
    monkeypatch: pytest.MonkeyPatch, feature: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "any", feature: True})
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert place("cpu", "auto", LARGE).dtype == torch.bfloat16
    assert place("cpu", "auto", SMALL).dtype == torch.float32
    assert "very slow" not in place("cpu", "bfloat16", SMALL).why
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    assert place("cpu", "auto", LARGE).dtype == torch.float32


def test_a_small_model_runs_in_float32_on_every_device_unless_a_person_chooses_otherwise(
    cards: Cards, macos: Callable[[int], None]
) -> None:
    cards((8, 6))
    macos(14)
    for device in ("cpu", "cuda", "mps"):
        placement = place(device, "auto", SMALL)
        assert placement.dtype == torch.float32
        assert placement.why == "A model as small as this one is fast in float32."
    for device in ("cuda", "mps"):
        assert place(device, "bfloat16", SMALL).why == "The model runs in bfloat16, as requested."


def test_a_person_may_choose_the_precision(cards: Cards) -> None:
    slow = place("cpu", "bfloat16", LARGE)
    assert slow.dtype == torch.bfloat16
    assert (
        slow.why == "The model runs in bfloat16, as requested. This processor is very slow in that precision."
    )
    assert place("cpu", "float32", LARGE).why == place("cpu", "auto", LARGE).why
    cards((7, 5))
    assert place("cuda", "float32", LARGE).why == "The model runs in float32, as requested."
    assert "slow" in place("cuda", "bfloat16", LARGE).why


def test_what_is_no_precision_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"“int8” is not a precision\. Choose auto, float32"):
        place("cpu", "int8", LARGE)


# --- where else ----------------------------------------------------------------------------------


def spots_of(device: str, precision: str = "auto") -> list[tuple[str, str, int, bool]]:
    free = {"cpu": 16_000, "cuda": 8_000, "mps": 12_000}
    spots = find_spots(place(device, precision, LARGE), LARGE, lambda device: free[device.type])
    assert {spot.main_free_bytes for spot in spots} == {16_000}
    return [(spot.device, spot.precision, spot.free_bytes, spot.is_slow) for spot in spots]


def test_besides_a_processor_there_is_half_precision_which_may_be_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert spots_of("cpu") == [("cpu", "float32", 16_000, False), ("cpu", "bfloat16", 16_000, True)]
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"bf16": True})
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    assert spots_of("cpu") == [("cpu", "bfloat16", 16_000, False)]


def test_besides_a_graphics_card_there_is_the_processor(cards: Cards) -> None:
    processor = [("cpu", "float32", 16_000, False), ("cpu", "bfloat16", 16_000, True)]
    cards((8, 6))
    assert spots_of("cuda") == [("cuda", "bfloat16", 8_000, False), *processor]
    assert spots_of("cuda", "float32") == [
        ("cuda", "float32", 8_000, False),
        ("cuda", "bfloat16", 8_000, False),
        *processor,
    ]
    cards((6, 1))
    assert spots_of("cuda") == [
        ("cuda", "float32", 8_000, False),
        ("cuda", "float16", 8_000, True),
        *processor,
    ]


# --- its memory ----------------------------------------------------------------------------------


def test_what_an_allocator_keeps_for_later_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5_000, 16_000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 3_000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: 2_000)
    assert free_bytes(torch.device("cuda")) == 6_000


@pytest.mark.parametrize(("main_memory", "free"), [(50_000, 10_000 + 500), (4_000, 4_000 + 500)])
def test_a_mac_shares_its_memory(monkeypatch: pytest.MonkeyPatch, main_memory: int, free: int) -> None:
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 12_000)
    monkeypatch.setattr(torch.mps, "driver_allocated_memory", lambda: 2_000)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 1_500)
    monkeypatch.setattr(devices, "free_main_memory", lambda: main_memory)
    assert free_bytes(torch.device("mps")) == free


def test_the_cpu_has_the_main_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "free_main_memory", lambda: 7_000)
    assert free_bytes(CPU) == 7_000


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_the_device_gives_back_what_its_allocator_kept(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    emptied = []
    monkeypatch.setattr(getattr(torch, name), "empty_cache", lambda: emptied.append(name))
    give_memory_back(torch.device(name))
    assert emptied == [name]


def test_a_c_library_that_keeps_nothing_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    give_memory_back(CPU)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("Invalid buffer size: 20.25 GB"),
    ],
)
def test_each_device_has_its_own_way_to_say_that_memory_ran_out(error: Exception) -> None:
    assert is_out_of_memory(error)


def test_other_failures_of_torch_are_not_taken_for_lack_of_memory() -> None:
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))
