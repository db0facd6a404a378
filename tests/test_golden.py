"""The program gives the reference's numbers, for every case found in the golden folder.

`RTOCR_GOLDEN_DIR` names the folder; without it, the selection kept beside the tests. What a case
holds and how it compares is said in that folder's README.md; nothing else is taken from it, so any
other folder of the same kind can be named. There is one section for each kind of case.
"""

import io
import os
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open

from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, TokenMeasures, plan_pruning
from rtocr_gui.pruning.selection import surviving_positions
from rtocr_gui.pruning.transport import apply_plan, transport_mass
from rtocr_gui.tokens import TokenKind, TokenLayout

BUNDLED_DIR = Path(__file__).parent / "golden"
GOLDEN_DIR = Path(os.environ.get("RTOCR_GOLDEN_DIR") or BUNDLED_DIR)


class GoldenFile:
    """One `.safetensors` file of reference numbers, read tensor by tensor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with safe_open(path, "np") as file:
            self.names = frozenset(file.keys())
            self.metadata = dict(file.metadata() or {})

    def __getitem__(self, name: str) -> NDArray[Any]:
        with safe_open(self.path, "np") as file:
            return file.get_tensor(name)

    def picture(self, name: str) -> NDArray[np.uint8]:
        """The pixels of an encoded picture, (height, width, 3)."""
        return np.asarray(Image.open(io.BytesIO(self[name].tobytes())).convert("RGB"))


open_case = lru_cache(maxsize=None)(GoldenFile)


def found(pattern: str) -> list[Path]:
    return sorted(GOLDEN_DIR.glob(pattern))


def test_the_golden_folder_holds_cases() -> None:
    assert found("rtprune_*.safetensors") or found("preprocess_*.safetensors") or found("tiny_model")


@pytest.mark.parametrize(
    "pattern",
    ["README.md", "deepseek_ocr_config.json", "rtprune_*.safetensors", "preprocess_*.safetensors"]
    + [f"tiny_model/{name}" for name in ("config.json", "model.safetensors", "expected.safetensors")],
)
def test_the_bundled_selection_has_every_kind(pattern: str) -> None:
    assert list(BUNDLED_DIR.glob(pattern))


def test_the_bundled_selection_has_a_tie_a_tiled_page_and_a_page_of_which_nothing_is_kept() -> None:
    files = [GoldenFile(path) for path in BUNDLED_DIR.glob("rtprune_*.safetensors")]
    assert any(value == "1" for file in files for key, value in file.metadata.items() if "tie_at_cut" in key)
    assert any(file["in.crop_wh"].all() for file in files)
    assert any(len(file["dyn.kept"]) == 0 for file in files)


# --- rtprune_*: retention, selection and transport of one page at several ratios ---------------

RTPRUNE_FILES = found("rtprune_*.safetensors")


def rtprune_ratios() -> list[Any]:
    """Every ratio of every case, by the tensors each file holds."""
    return [
        pytest.param(path, ratio, id=f"{path.stem}-{ratio}")
        for path in RTPRUNE_FILES
        for ratio in sorted(name.removesuffix(".kept") for name in open_case(path).names if ".kept" in name)
    ]


def rtprune_layout(file: GoldenFile) -> TokenLayout:
    """The sequence as the README states it: rows of tiles, rows of the global view, the separator."""
    width, height = (10 * int(tiles) for tiles in file["in.crop_wh"])
    rows, columns = (int(side) for side in file["in.grid"])
    local = [*[TokenKind.LOCAL] * width, TokenKind.NEWLINE] * height
    whole = [*[TokenKind.GLOBAL] * columns, TokenKind.NEWLINE] * rows
    kinds = np.array([*local, *whole, TokenKind.SEPARATOR], dtype=np.uint8)
    return TokenLayout(
        kinds=kinds,
        padding=np.zeros(len(kinds), dtype=np.bool_),
        boxes=np.zeros((len(kinds), 4), dtype=np.float32),
        local_grid=(height, width),
        global_grid=(rows, columns),
        page_size_px=(64 * columns, 64 * rows),
    )


@lru_cache(maxsize=1)
def rtprune_measures(path: Path) -> TokenMeasures:
    file = open_case(path)
    pixels = file.picture("in.image_png").astype(np.float32) / 255
    view = np.ascontiguousarray(((pixels - 0.5) / 0.5).transpose(2, 0, 1))
    return measure_tokens(torch.from_numpy(file["in.prunable_features"]), view)


def rtprune_plan(path: Path, ratio: str) -> PrunePlan:
    retention = None if ratio == "dyn" else int(ratio.removeprefix("r")) / 100
    settings = PruneSettings(retention=retention, minimum_kept=0)
    return plan_pruning(rtprune_layout(open_case(path)), rtprune_measures(path), settings)


def rtprune_plan_given_kept(path: Path, ratio: str) -> PrunePlan:
    """The plan at the reference's own choice, which settles what it does with equal norms."""
    plan = rtprune_plan(path, ratio)
    kept = open_case(path)[f"{ratio}.kept"]
    merged = np.setdiff1d(np.arange(len(plan.norms)), kept)
    return replace(plan, kept=kept, merged=merged, selected=surviving_positions(plan.layout, kept))


@pytest.mark.parametrize("path", RTPRUNE_FILES, ids=lambda path: path.stem)
def test_the_visual_sequence_has_its_parts_where_the_reference_has_them(path: Path) -> None:
    file, layout = open_case(path), rtprune_layout(open_case(path))
    assert_array_equal(layout.prunable, file["out.prunable_indices"])
    assert_array_equal(np.flatnonzero(layout.kinds == TokenKind.NEWLINE), file["out.newline_indices"])
    assert_array_equal(np.flatnonzero(layout.kinds == TokenKind.SEPARATOR), file["out.separator_index"])


@pytest.mark.parametrize("path", RTPRUNE_FILES, ids=lambda path: path.stem)
def test_norms_density_and_retention_are_the_reference_s(path: Path) -> None:
    file, measures = open_case(path), rtprune_measures(path)
    assert_allclose(measures.norms, file["out.norms"], rtol=1e-6)
    assert_array_equal(measures.patch_density, file["out.edge"])
    assert_allclose(measures.text_density, file["out.r_sobel"][0], rtol=0, atol=1e-6)
    assert_allclose(measures.dissimilarity, file["out.r_sim"][0], rtol=0, atol=1e-6)
    assert_allclose(measures.automatic_retention, file["out.r_dynamic"][0], rtol=0, atol=1e-6)


@pytest.mark.parametrize(("path", "ratio"), rtprune_ratios())
def test_the_same_tokens_are_kept(path: Path, ratio: str) -> None:
    file, plan = open_case(path), rtprune_plan(path, ratio)
    assert len(plan.kept) == len(file[f"{ratio}.kept"])
    if file.metadata.get(f"{ratio}.tie_at_cut") != "1":
        assert_array_equal(plan.kept, file[f"{ratio}.kept"])


@pytest.mark.parametrize(("path", "ratio"), rtprune_ratios())
def test_the_same_positions_survive(path: Path, ratio: str) -> None:
    plan = rtprune_plan_given_kept(path, ratio)
    assert_array_equal(plan.selected, open_case(path)[f"{ratio}.selected"])


@pytest.mark.parametrize(("path", "ratio"), rtprune_ratios())
def test_merging_gives_the_same_tokens(path: Path, ratio: str) -> None:
    file, plan = open_case(path), rtprune_plan_given_kept(path, ratio)
    if f"{ratio}.transport" in file.names:
        assert_allclose(transport_mass(plan), file[f"{ratio}.transport"], rtol=1e-5)
    sequence = file["in.visual_tokens"]
    result = apply_plan(torch.from_numpy(sequence), plan).numpy()
    is_content = np.isin(plan.selected, plan.layout.prunable)
    merged = file[f"{ratio}.merged"]
    assert_allclose(result[is_content], merged, rtol=0, atol=1e-6 * np.abs(merged).max(initial=0))
    assert_array_equal(result[~is_content], sequence[plan.selected[~is_content]])
