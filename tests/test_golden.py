"""The program gives the reference's numbers, for every case found in the golden folder.

`RTOCR_GOLDEN_DIR` names the folder; without it, the selection kept beside the tests. What a case
holds and how it compares is said in that folder's README.md; nothing else is taken from it, so any
other folder of the same kind can be named. There is one section for each kind of case.
"""

import hashlib
import io
import json
import os
import threading
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from torch import Tensor
from transformers import UnlimitedOcrForConditionalGeneration

from rtocr_gui.documents.loading import open_document
from rtocr_gui.ocr.decoder.decoding import Decoder, GreedyGeneration, Prompt, build_prompt
from rtocr_gui.ocr.decoder.greedy import GenerationRules
from rtocr_gui.ocr.model.architecture import read_architecture
from rtocr_gui.ocr.model.checkpoint import load_model
from rtocr_gui.ocr.model.folder import check_folder
from rtocr_gui.ocr.model.manifest import expected_tensors, unused_tensors
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.ocr.vision.encoding import encode_views
from rtocr_gui.ocr.vision.layout import build_layout
from rtocr_gui.ocr.vision.views import PageViews, make_views, normalise
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, TokenMeasures, plan_pruning
from rtocr_gui.pruning.selection import surviving_positions
from rtocr_gui.pruning.transport import apply_plan, transport_of
from rtocr_gui.tokens import TokenKind, TokenLayout
from tests.made_tokens import grid_layout

pytestmark = pytest.mark.usefixtures("one_thread")

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
    return grid_layout(*file["in.grid"].tolist(), file["in.crop_wh"].tolist())


@lru_cache(maxsize=3)
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
        assert_allclose(transport_of(plan).mass, file[f"{ratio}.transport"], rtol=1e-5)
    sequence = file["in.visual_tokens"]
    result = apply_plan(torch.from_numpy(sequence), plan).numpy()
    is_content = np.isin(plan.selected, plan.layout.prunable)
    merged = file[f"{ratio}.merged"]
    assert_allclose(result[is_content], merged, rtol=0, atol=1e-6 * np.abs(merged).max(initial=0))
    assert_array_equal(result[~is_content], sequence[plan.selected[~is_content]])


# --- preprocess_*: one input file in several modes ----------------------------------------------

PREPROCESS_FILES = found("preprocess_*.safetensors")


def preprocess_modes(needed: str) -> list[Any]:
    """Every mode of every case for which the file holds `needed`."""
    return [
        pytest.param(path, mode, id=f"{path.stem}-{mode.value}")
        for path in PREPROCESS_FILES
        for mode in Mode
        if f"{mode.value}.{needed}" in open_case(path).names
    ]


@lru_cache(maxsize=15)
def preprocess_views(path: Path, mode: Mode) -> PageViews:
    with TemporaryDirectory() as folder:
        scan = Path(folder) / "scan"
        scan.write_bytes(open_case(path)["in.file_bytes"].tobytes())
        with open_document(scan) as document:
            return make_views(document.load_page(0).image, mode)


def join_tiles(views: PageViews) -> NDArray[np.uint8]:
    """The tile canvas: tile i is in row i // w, column i % w."""
    width = views.crop_wh[0]
    rows = [np.concatenate(row, axis=1) for row in np.split(views.tiles, len(views.tiles) // width)]
    return np.concatenate(rows)


@pytest.mark.parametrize(("path", "mode"), preprocess_modes("global_png"))
def test_the_global_view_has_the_same_pixels(path: Path, mode: Mode) -> None:
    file, pixels = open_case(path), preprocess_views(path, mode).global_view
    assert_array_equal(pixels, file.picture(f"{mode.value}.global_png"))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == file.metadata[f"{mode.value}.global_sha256"]


@pytest.mark.parametrize(("path", "mode"), preprocess_modes("tiles_canvas_png"))
def test_the_tiles_have_the_same_pixels(path: Path, mode: Mode) -> None:
    file, canvas = open_case(path), join_tiles(preprocess_views(path, mode))
    assert_array_equal(canvas, file.picture(f"{mode.value}.tiles_canvas_png"))
    assert hashlib.sha256(canvas.tobytes()).hexdigest() == file.metadata[f"{mode.value}.tiles_canvas_sha256"]


@pytest.mark.parametrize(("path", "mode"), preprocess_modes("n_image_tokens"))
def test_tiles_and_tokens_are_as_many(path: Path, mode: Mode) -> None:
    file, views = open_case(path), preprocess_views(path, mode)
    assert [len(views.tiles)] == file[f"{mode.value}.n_tiles"].tolist()
    assert [max(1, tiles) for tiles in views.crop_wh] == file[f"{mode.value}.spatial_crop_wh"].tolist()
    layout = build_layout(mode, views.page_size_px, views.crop_wh)
    assert [len(layout)] == file[f"{mode.value}.n_image_tokens"].tolist()


# --- deepseek_ocr_*: the tensors of the published checkpoint ------------------------------------


def test_the_published_config_asks_for_the_published_tensors() -> None:
    architecture = read_architecture(json.loads((BUNDLED_DIR / "deepseek_ocr_config.json").read_text()))
    expected = expected_tensors(architecture) | unused_tensors(architecture)
    assert len(expected) == 2711
    assert sum(np.prod(shape) for name, shape in expected.items() if "position_ids" not in name) == 3336106240
    for path in found("deepseek_ocr_manifest.json"):
        published = json.loads(path.read_text())["tensors"]
        assert expected == {name: tuple(entry["shape"]) for name, entry in published.items()}


# --- tiny_model/: a whole model of random weights, from pixels to tokens ------------------------

TINY_FILES = found("tiny_model*/expected*.safetensors")


def tiny_runs(*, pruned: bool) -> list[Any]:
    """Every page of every model, with every ratio; without `pruned`, the full run as well."""
    runs = [
        (path, *name.split(".")[1:3])
        for path in TINY_FILES
        for name in sorted(open_case(path).names)
        if name.endswith((".kept",) if pruned else (".tokens",))
    ]
    return [pytest.param(*run, id=f"{run[0].parent.name}-{run[1]}-{run[2]}") for run in runs]


def tiny_cases() -> list[Any]:
    """Every page of every model."""
    return [
        pytest.param(path, name.split(".")[1], id=f"{path.parent.name}-{name.split('.')[1]}")
        for path in TINY_FILES
        for name in sorted(open_case(path).names)
        if name.endswith(".visual_tokens")
    ]


@dataclass(frozen=True, eq=False)
class TinyPage:
    """One page, encoded by one model in float32."""

    model: UnlimitedOcrForConditionalGeneration
    views: PageViews
    tokens: Tensor
    sam: Tensor
    clip: Tensor
    layout: TokenLayout
    input_ids: list[int]

    @property
    def image_places(self) -> NDArray[np.int64]:
        """(n,) where in the input the visual tokens stand."""
        return np.flatnonzero(np.array(self.input_ids) == self.model.config.image_token_id)


@lru_cache(maxsize=2)
def tiny_model(folder: Path) -> UnlimitedOcrForConditionalGeneration:
    return load_model(check_folder(folder), torch.device("cpu"), torch.float32)


@lru_cache(maxsize=8)
def tiny_page(path: Path, case: str) -> TinyPage:
    file, model = open_case(path), tiny_model(path.parent)
    global_view = file.picture(f"in.{case}.global_png")
    tiles, crop_wh = np.zeros((0, 640, 640, 3), dtype=np.uint8), (0, 0)
    if f"in.{case}.tiles_canvas_png" in file.names:
        across, down = crop_wh = tuple(file[f"in.{case}.spatial_crop_wh"].tolist())
        canvas = file.picture(f"in.{case}.tiles_canvas_png")
        tiles = np.stack([t for row in np.split(canvas, down) for t in np.split(row, across, axis=1)])
    height, width = global_view.shape[:2]
    # Of the mode and the page size nothing is used here: the pixels are given.
    views = PageViews(Mode.BASE, global_view, tiles, crop_wh, (width, height))
    tower, seen = model.model.vision_tower, []
    hooks = [
        encoder.register_forward_hook(lambda *call: seen.append(call[-1].last_hidden_state))
        for encoder in (tower.sam_encoder, tower.vision_encoder)
    ]
    tokens = encode_views(model, views)
    for hook in hooks:
        hook.remove()
    sam, clip = seen[:2]  # the global view is encoded before the tiles
    layout = grid_layout(height // 64, width // 64, crop_wh)
    return TinyPage(model, views, tokens, sam, clip, layout, file[f"in.{case}.input_ids"][0].tolist())


@lru_cache(maxsize=32)
def tiny_prompt(path: Path, case: str, ratio: str) -> tuple[PrunePlan, Tensor, Prompt]:
    """The plan, what is left of the visual tokens, and the prompt of one run."""
    page = tiny_page(path, case)
    retention = {"dyn": None, "full": 1.0}[ratio] if ratio[0] != "r" else int(ratio[1:]) / 100
    measures = measure_tokens(
        page.tokens[torch.from_numpy(page.layout.prunable)], normalise(page.views.global_view)
    )
    plan = plan_pruning(page.layout, measures, PruneSettings(retention, minimum_kept=0))
    tokens = apply_plan(page.tokens, plan)
    first, last = page.image_places[[0, -1]]
    before, after = page.input_ids[:first], page.input_ids[last + 1 :]
    prompt = build_prompt(page.model, before, tokens, plan.selected, len(page.layout), after)
    return plan, tokens, prompt


@pytest.mark.parametrize(("path", "case"), tiny_cases())
def test_both_vision_encoders_give_the_same_features(path: Path, case: str) -> None:
    file, page = open_case(path), tiny_page(path, case)
    assert_allclose(page.sam.numpy(), file[f"out.{case}.sam_global"], rtol=0, atol=1e-4)
    assert_allclose(page.clip.numpy(), file[f"out.{case}.clip_global"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("path", "case"), tiny_cases())
def test_a_page_gives_the_same_visual_tokens(path: Path, case: str) -> None:
    file, page = open_case(path), tiny_page(path, case)
    assert_allclose(page.tokens.numpy(), file[f"out.{case}.visual_tokens"], rtol=0, atol=1e-4)
    assert len(page.image_places) == len(page.layout)


@pytest.mark.parametrize(("path", "case", "ratio"), tiny_runs(pruned=True))
def test_the_model_s_own_tokens_are_pruned_alike(path: Path, case: str, ratio: str) -> None:
    file, run = open_case(path), f"out.{case}.{ratio}"
    plan, tokens, prompt = tiny_prompt(path, case, ratio)
    measures = plan.measures
    assert_allclose(
        [measures.text_density, measures.dissimilarity, measures.automatic_retention],
        file[f"{run}.r_sobel_sim_dynamic"],
        rtol=0,
        atol=1e-5,
    )
    assert_array_equal(plan.kept, file[f"{run}.kept"])
    assert_array_equal(plan.selected, file[f"{run}.selected"])
    merged = tokens[torch.from_numpy(np.isin(plan.selected, plan.layout.prunable))]
    assert_allclose(merged.numpy(), file[f"{run}.merged"], rtol=0, atol=1e-4)
    assert_array_equal(prompt.position_ids, file[f"{run}.prefill_position_ids"])
    assert [prompt.next_position] == file[f"{run}.first_decode_position"].tolist()


@pytest.mark.parametrize(("path", "case", "ratio"), tiny_runs(pruned=False))
def test_the_same_text_is_generated(path: Path, case: str, ratio: str) -> None:
    file, run = open_case(path), f"out.{case}.{ratio}"
    model, (_, _, prompt) = tiny_model(path.parent), tiny_prompt(path, case, ratio)
    logits = Decoder(model).prefill(prompt)
    assert_allclose(logits.numpy(), file[f"{run}.logits_prefill_last"], rtol=0, atol=2e-4)
    expected = file[f"{run}.tokens"].tolist()
    rules = GenerationRules(end_id=None, max_new_tokens=len(expected), context_length=8192)
    generation = GreedyGeneration(Decoder(model), rules, threading.Event())
    generation.prefill(prompt)
    assert list(generation) == expected
