"""Chooses the device and precision for a model from what the hardware supports, and explains the choice.

Attention always uses PyTorch's own fused kernels, which every device has. Knows PyTorch's devices; knows
no checkpoint and no page.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import torch

from rtocr_gui.errors import SettingsError
from rtocr_gui.ocr.machine.allocator import return_freed_memory
from rtocr_gui.ocr.machine.main_memory import free_main_memory
from rtocr_gui.ocr.machine.spot import DEVICES, PRECISIONS, Spot

LARGE_MODEL = 1_000_000_000
"""From this many weights on, half precision pays off. The miniature is as fast in float32, reads better in
it, and its output is then the same on every computer."""

_DEVICE = re.compile(r"(cpu|cuda|mps)(?::(0|[1-9][0-9]{0,2}))?")
"""A kind of device and its number, as PyTorch writes them."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model runs and how it computes there.

    Attributes:
        device: a device of this computer.
        dtype: precision of weights and activations.
        why: the reason for both, in a sentence or two for the user.
    """

    device: torch.device
    dtype: torch.dtype
    why: str

    @property
    def dtype_name(self) -> str:
        """Name of the precision, e.g. "float16"."""
        return name_precision(self.dtype)


def place(device: str, precision: str, parameter_count: int) -> Placement:
    """Choose where a model runs and how it computes there.

    Args:
        device: one of `DEVICES`, or a numbered one.
        precision: one of `PRECISIONS`.
        parameter_count: number of weights.

    Raises:
        SettingsError: this computer has no such device, or the device does not support the precision.
    """
    chosen = choose_device(device)
    dtype, why = _best_precision(chosen, parameter_count)
    if precision != "auto":
        dtype, why = _asked_precision(chosen, precision, dtype, why)
    if device == "auto" and chosen.type == "cpu" and torch.cuda.is_available():
        is_driven = any(map(_is_driven, range(torch.cuda.device_count())))
        lack = "cannot be used right now" if is_driven else "is too old for the installed PyTorch"
        why = f"The graphics card {lack}. {why}"
    return Placement(chosen, dtype, why)


def choose_device(name: str) -> torch.device:
    """Choose where a model runs.

    Args:
        name: one of `DEVICES`; "auto" takes CUDA, then MPS, then the CPU.

    Returns:
        A device that this computer has.

    Raises:
        SettingsError: it has no such device.
    """
    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        usable = next((index for index in range(cards) if _is_driven(index) and _answers(index)), None)
        if usable is not None:
            return torch.device("cuda", usable) if usable else torch.device("cuda")
        return torch.device("mps" if has_mps else "cpu")
    written = _DEVICE.fullmatch(name)
    if written is None:
        raise SettingsError(f"“{name}” is not a device. Choose {', '.join(DEVICES)}.")
    kind, number = written[1], int(written[2] or 0)
    if number >= {"cpu": 1, "cuda": cards, "mps": int(has_mps)}[kind]:
        lacks_cuda = kind == "cuda" and not (torch.version.cuda or torch.version.hip)
        why = ": it was installed without CUDA (see Limits in the README)" if lacks_cuda else ""
        raise SettingsError(
            f"This computer has no device “{name}” that PyTorch can use{why}. Choose another, such as the "
            "processor (“cpu”)."
        )
    if kind == "cuda" and not _is_driven(number):
        raise SettingsError(
            f"The graphics card “{torch.cuda.get_device_name(number)}” is too old for the PyTorch "
            "that is installed here. Choose the processor (“cpu”), or install a PyTorch built for it."
        )
    if kind == "cuda" and not _answers(number):
        raise SettingsError(
            f"The graphics card “{torch.cuda.get_device_name(number)}” cannot be used right now: another "
            "program may have filled it. Close that, or choose “cpu”."
        )
    return torch.device(name)


def find_spots(
    placement: Placement, parameter_count: int, free: Callable[[torch.device], int]
) -> tuple[Spot, ...]:
    """Find how much memory is free where a model should run, and where else it could.

    Args:
        placement: where it should run.
        parameter_count: number of weights.
        free: returns the bytes that it may use on a device.

    Returns:
        The placement itself first, then the alternatives, best first.
    """
    cpu = torch.device("cpu")
    main_free = free(cpu)
    places = [(placement.device, placement.dtype)]
    if placement.device.type == "cuda" and placement.dtype == torch.float32:
        half = _best_precision(placement.device, LARGE_MODEL)[0]
        places.append((placement.device, torch.float16 if half == torch.float32 else half))
    places += [(cpu, _best_precision(cpu, parameter_count)[0]), (cpu, torch.bfloat16)]
    return tuple(
        Spot(
            device=str(device),
            precision=name_precision(dtype),
            free_bytes=main_free if device == cpu else free(device),
            main_free_bytes=main_free,
            is_slow=dtype not in (torch.float32, _best_precision(device, LARGE_MODEL)[0]),
        )
        for device, dtype in dict.fromkeys(places)
    )


def free_bytes(device: torch.device) -> int:
    """Return how many bytes a model may still use on a device."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return free + cached
    if device.type == "mps":
        # The GPU shares main memory, and may not use all of it.
        rest = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        cached = torch.mps.driver_allocated_memory() - torch.mps.current_allocated_memory()
        return max(0, min(rest, free_main_memory()) + cached)
    return free_main_memory()


def give_memory_back(device: torch.device) -> None:
    """Return memory that allocators have freed but still hold, so that other programs can use it."""
    with suppress(RuntimeError):  # a card that has failed raises its error again, whatever it is asked for
        if device.type == "cuda":
            torch.cuda.empty_cache()
        elif device.type == "mps":
            torch.mps.empty_cache()
    return_freed_memory()


def is_out_of_memory(error: BaseException) -> bool:
    """True if an error of torch means that memory ran out, which each device reports in its own way."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = str(error)
    return isinstance(error, RuntimeError) and any(
        phrase in words
        for phrase in (
            "can't allocate memory",
            "not enough memory",
            "out of memory",
            "STATUS_ALLOC_FAILED",  # cuBLAS
            "Invalid buffer size",  # MPS, for a single tensor larger than all memory
        )
    )


def name_precision(dtype: torch.dtype) -> str:
    """Return the name of a precision, e.g. "float16"."""
    return str(dtype).removeprefix("torch.")


def _is_driven(index: int) -> bool:
    """True if this PyTorch was built for a graphics card: newer builds drop old cards."""
    built_for = torch.cuda.get_arch_list()
    if torch.version.hip or not built_for:
        return True
    major, minor = torch.cuda.get_device_capability(index)
    for architecture in built_for:
        kind, _, number = architecture.partition("_")
        built_major, built_minor = divmod(int(re.sub(r"\D", "", number)), 10)
        if kind == "sm" and built_major == major and built_minor <= minor:
            return True
        if kind == "compute" and (built_major, built_minor) <= (major, minor):
            return True
    return False


def _answers(index: int) -> bool:
    """True if a graphics card can be used: another program may have filled it, or have it to itself."""
    try:
        torch.cuda.mem_get_info(index)
    except RuntimeError:
        return False
    return True


def _best_precision(device: torch.device, parameter_count: int) -> tuple[torch.dtype, str]:
    if parameter_count < LARGE_MODEL:
        return torch.float32, "A model as small as this one is fast in float32."
    if device.type == "cuda":
        return _cuda_precision(device)
    if device.type == "mps":
        if torch.backends.mps.is_macos_or_newer(14, 0):
            return torch.bfloat16, "The model runs in bfloat16, as it was trained."
        return torch.float16, "bfloat16 needs macOS 14 or newer, so the model runs in float16."
    if not _cpu_has_bfloat16():
        return torch.float32, "This processor has no bfloat16, so the model runs in float32."
    return torch.bfloat16, "This processor has bfloat16, in which the model was trained."


def _cuda_precision(device: torch.device) -> tuple[torch.dtype, str]:
    """Choose by compute capability: bfloat16 from 8.0 on, float16 from 7.0 on and for 5.3, 6.0 and 6.2.

    The other cards compute float16 at a small fraction of their speed, or convert it back and forth.
    """
    if torch.version.hip:
        return torch.bfloat16, "The model runs in bfloat16, as it was trained."
    capability = torch.cuda.get_device_capability(device)
    if capability >= (8, 0):
        return torch.bfloat16, "The model runs in bfloat16, as it was trained."
    if capability >= (7, 0) or capability in ((5, 3), (6, 0), (6, 2)):
        return torch.float16, "This graphics card has no bfloat16, so the model runs in float16."
    return torch.float32, (
        "This graphics card has no bfloat16 and is slow in float16, so the model runs in float32."
    )


def _cpu_has_bfloat16() -> bool:
    """True if the CPU multiplies bfloat16 natively, and PyTorch has the library that makes use of it.

    Otherwise encoding a page takes about ten times as long as in float32.
    """
    can = torch.cpu.get_capabilities()
    native = any(can.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))
    return native and bool(torch.backends.mkldnn.is_available())  # type: ignore[no-untyped-call]


def _asked_precision(
    device: torch.device, precision: str, best: torch.dtype, why: str
) -> tuple[torch.dtype, str]:
    """Return the precision the user asked for, and what to expect of it."""
    if precision not in PRECISIONS:
        raise SettingsError(f"“{precision}” is not a precision. Choose {', '.join(PRECISIONS)}.")
    dtype: torch.dtype = getattr(torch, precision)
    native = _best_precision(device, LARGE_MODEL)[0]
    lacks_it = dtype == torch.bfloat16 and native != torch.bfloat16
    if lacks_it and device.type == "mps":
        raise SettingsError("bfloat16 needs macOS 14 or newer. Choose float16 or float32.")
    if dtype == best:
        return dtype, why
    asked = f"The model runs in {precision}, as requested."
    if lacks_it and device.type == "cuda":
        return dtype, f"{asked} This graphics card is slow in it."
    if device.type == "cpu" and dtype not in (torch.float32, native):
        return dtype, f"{asked} This processor is very slow in that precision."
    return dtype, asked
