"""What holds for every plan, whatever the page: the invariants of choosing and of merging tokens."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import Tensor

from rtocr_gui.errors import PruningError, SettingsError
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, plan_pruning
from rtocr_gui.pruning.retention import dissimilarity, patch_text_density
from rtocr_gui.pruning.selection import order_by_norm, surviving_positions
from rtocr_gui.pruning.transport import apply_plan, solve_transport, transport_of
from rtocr_gui.tokens import TokenKind, TokenLayout
from tests.made_tokens import GREY_VIEW, HIDDEN_SIZE, grid_layout, random_sequence

few = settings(max_examples=25)

shapes = st.tuples(st.integers(1, 7), st.integers(1, 7))
seeds = st.integers(0, 2**32 - 1)
ratios = st.one_of(st.none(), st.floats(0.01, 1))


def plan_for(layout: TokenLayout, sequence: Tensor, ratio: float | None = None, floor: int = 1) -> PrunePlan:
    measures = measure_tokens(sequence[torch.from_numpy(layout.prunable)], GREY_VIEW)
    return plan_pruning(layout, measures, PruneSettings(ratio, floor))


class TestChoosing:
    @few
    @given(shapes, seeds, ratios)
    def test_every_token_is_kept_or_merged_once_in_ascending_order(
        self, shape: tuple[int, int], seed: int, ratio: float | None
    ) -> None:
        layout = grid_layout(*shape)
        plan = plan_for(layout, random_sequence(layout, seed), ratio)
        assert (np.diff(plan.kept) > 0).all()
        assert (np.diff(plan.merged) > 0).all()
        assert_array_equal(np.sort(np.concatenate([plan.kept, plan.merged])), np.arange(len(layout.prunable)))
        assert_array_equal(np.flatnonzero(plan.is_kept), plan.kept)

    @few
    @given(shapes, seeds, ratios)
    def test_no_merged_token_has_a_larger_norm_than_a_kept_one(
        self, shape: tuple[int, int], seed: int, ratio: float | None
    ) -> None:
        layout = grid_layout(*shape)
        plan = plan_for(layout, random_sequence(layout, seed), ratio)
        assert plan.norms[plan.kept].min() >= plan.norms[plan.merged].max(initial=0)
        assert_array_equal(np.sort(plan.ranks[plan.kept]), np.arange(len(plan.kept)))

    @few
    @given(shapes, seeds, ratios)
    def test_the_same_tokens_give_the_same_plan_and_the_same_result(
        self, shape: tuple[int, int], seed: int, ratio: float | None
    ) -> None:
        layout = grid_layout(*shape)
        sequence = random_sequence(layout, seed)
        first, second = plan_for(layout, sequence, ratio), plan_for(layout, sequence.clone(), ratio)
        assert_array_equal(first.selected, second.selected)
        assert first.retention == second.retention
        assert torch.equal(apply_plan(sequence, first), apply_plan(sequence, second))

    @pytest.mark.parametrize(("ratio", "count"), [(0.01, 1), (0.25, 9), (0.5, 18), (0.99, 35), (1.0, 36)])
    def test_a_ratio_is_the_share_kept_rounded_down_but_never_nothing(self, ratio: float, count: int) -> None:
        layout = grid_layout(6, 6)
        assert len(plan_for(layout, random_sequence(layout, 1), ratio).kept) == count

    def test_the_share_is_a_product_in_double_precision_as_in_the_reference(self) -> None:
        layout = grid_layout(10, 10)
        assert len(plan_for(layout, random_sequence(layout, 1), 0.29).kept) == int(100 * 0.29) == 28

    def test_automatic_retention_is_what_density_and_dissimilarity_leave(self) -> None:
        layout = grid_layout(6, 6)
        plan = plan_for(layout, random_sequence(layout, 2))
        measures = plan.measures
        expected = 1 - (1 - measures.text_density) * (1 - measures.dissimilarity)
        assert plan.automatic
        assert plan.retention == pytest.approx(expected)
        assert len(plan.kept) == int(36 * expected)

    def test_a_page_of_one_repeated_token_keeps_one(self) -> None:
        layout = grid_layout(4, 4)
        sequence = torch.ones(len(layout), HIDDEN_SIZE)
        assert plan_for(layout, sequence).retention == pytest.approx(0, abs=1e-6)
        assert_array_equal(plan_for(layout, sequence).kept, [0])

    def test_one_token_is_kept_of_a_page_at_the_least_ratio_unless_told_otherwise(self) -> None:
        layout = grid_layout(8, 8)
        measures = measure_tokens(random_sequence(layout, 1)[layout.prunable], GREY_VIEW)
        assert len(plan_pruning(layout, measures, PruneSettings(0.01)).kept) == 1

    def test_without_a_floor_such_a_page_keeps_none_as_in_the_reference(self) -> None:
        layout = grid_layout(4, 4)
        sequence = torch.ones(len(layout), HIDDEN_SIZE)
        plan = plan_for(layout, sequence, floor=0)
        assert len(plan.kept) == 0
        assert torch.equal(apply_plan(sequence, plan), torch.ones(2, HIDDEN_SIZE))

    def test_of_equal_norms_the_first_stay(self) -> None:
        layout = grid_layout(4, 4)
        sequence = torch.eye(HIDDEN_SIZE)[torch.arange(len(layout)) % HIDDEN_SIZE]
        assert_array_equal(plan_for(layout, sequence, 0.3).kept, np.arange(4))
        norms = np.random.default_rng(1).integers(0, 3, 400).astype(np.float32)
        assert_array_equal(order_by_norm(norms), sorted(range(400), key=lambda token: -norms[token]))

    @few
    @given(st.data())
    def test_of_newlines_with_nothing_kept_between_them_only_the_first_stays(self, data: Any) -> None:
        kinds = data.draw(st.lists(st.sampled_from([TokenKind.LOCAL, TokenKind.GLOBAL, TokenKind.NEWLINE])))
        kinds = np.array([*kinds, TokenKind.GLOBAL, TokenKind.NEWLINE, TokenKind.SEPARATOR], dtype=np.uint8)
        empty = grid_layout(1, 1)
        layout = replace(
            empty, kinds=kinds, padding=np.zeros(len(kinds), bool), boxes=np.zeros((len(kinds), 4))
        )
        is_kept = data.draw(
            st.lists(st.booleans(), min_size=len(layout.prunable), max_size=len(layout.prunable))
        )
        kept = np.flatnonzero(is_kept)

        expected: list[int] = []
        for position, kind in enumerate(kinds):
            if kind <= TokenKind.GLOBAL:
                stays = position in layout.prunable[kept]
            else:
                stays = (
                    kind == TokenKind.SEPARATOR or not expected or kinds[expected[-1]] != TokenKind.NEWLINE
                )
            expected += [position] * bool(stays)
        assert_array_equal(surviving_positions(layout, kept), expected)

    def test_a_plan_names_the_newlines_that_fell(self) -> None:
        layout = grid_layout(3, 1)
        sequence = torch.ones(len(layout), HIDDEN_SIZE)
        plan = plan_for(layout, sequence, 0.4)
        assert_array_equal(plan.selected, [0, 1, 6])
        assert_array_equal(plan.fallen_newlines, [3, 5])


class TestMeasuring:
    @few
    @given(st.integers(2, 40), seeds)
    def test_similarity_is_the_cosine_of_every_pair(self, count: int, seed: int) -> None:
        tokens = random_sequence(grid_layout(1, count), seed)
        measures = measure_tokens(tokens, GREY_VIEW)
        unit = tokens.double().numpy() / np.linalg.norm(tokens.double().numpy(), axis=1, keepdims=True)
        cosines = unit @ unit.T
        assert_allclose(measures.similarity, cosines, atol=1e-6)
        off_diagonal = cosines[~np.eye(len(tokens), dtype=bool)]
        assert measures.dissimilarity == pytest.approx(1 - (off_diagonal**2).mean(), abs=1e-6)

    @pytest.mark.parametrize("scale", [2.0**-26, 2.0**26])
    def test_tokens_are_as_alike_at_any_scale(self, scale: float) -> None:
        tokens = random_sequence(grid_layout(1, 20), 9)
        measures, scaled = (measure_tokens(part, GREY_VIEW) for part in (tokens, tokens * scale))
        assert_array_equal(scaled.norms, measures.norms * np.float32(scale))
        assert_allclose(scaled.similarity, measures.similarity, rtol=0, atol=1e-6)

    def test_rounding_errors_do_not_add_up_on_a_uniform_page(self) -> None:
        similarity = np.full((856, 856), 0.95, dtype=np.float32)
        np.fill_diagonal(similarity, 1)
        expected = 1 - np.float64(similarity[0, 1]) ** 2
        assert dissimilarity(similarity) == pytest.approx(expected, rel=0, abs=3e-7)

    def test_cosines_that_rounding_puts_above_one_leave_a_share(self) -> None:
        assert dissimilarity(np.full((3, 3), 1.0000001, dtype=np.float32)) == 0

    def test_a_single_token_repeats_nothing(self) -> None:
        layout = grid_layout(1, 1)
        sequence = random_sequence(layout, 3)
        plan = plan_for(layout, sequence)
        assert plan.retention == 1
        assert torch.equal(apply_plan(sequence, plan), sequence)
        assert dissimilarity(np.ones((1, 1), dtype=np.float32)) == 1

    def test_zero_vectors_resemble_nothing_and_rank_last(self) -> None:
        layout = grid_layout(2, 3)
        sequence = random_sequence(layout, 4)
        sequence[layout.prunable[[1, 4]]] = 0
        plan = plan_for(layout, sequence, 0.7)
        assert_array_equal(plan.measures.similarity[[1, 4]], np.zeros((2, 6)))
        off_diagonal = plan.measures.similarity[~np.eye(6, dtype=bool)]
        assert plan.measures.dissimilarity == pytest.approx(1 - (off_diagonal**2).mean(), abs=1e-6)
        assert_array_equal(plan.merged, [1, 4])
        assert torch.equal(apply_plan(sequence, plan), sequence[plan.selected])

    def test_a_page_of_zero_vectors_stays_finite(self) -> None:
        layout = grid_layout(2, 3)
        sequence = torch.zeros(len(layout), HIDDEN_SIZE)
        plan = plan_for(layout, sequence, 0.5)
        assert_array_equal(plan.kept, [0, 1, 2])
        assert torch.equal(apply_plan(sequence, plan), sequence[plan.selected])

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
    def test_tokens_that_are_not_finite_are_refused(self, value: float) -> None:
        tokens = torch.ones(9, HIDDEN_SIZE)
        tokens[4, 2] = value
        with pytest.raises(PruningError, match="not finite"):
            measure_tokens(tokens, GREY_VIEW)

    @pytest.mark.parametrize("shape", [(0, 8), (5, 0), (5,), (1, 5, 8)])
    def test_tokens_of_another_shape_are_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(PruningError, match="shape"):
            measure_tokens(torch.ones(shape), GREY_VIEW)

    @pytest.mark.parametrize("shape", [(64, 64), (1, 64, 64), (3, 64, 128), (3, 63, 63), (3, 0, 0)])
    def test_a_view_of_another_shape_is_refused(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(PruningError, match="shape"):
            patch_text_density(np.zeros(shape, dtype=np.float32))

    @pytest.mark.parametrize("value", [float("nan"), 255.0, -2.0])
    def test_a_view_outside_its_range_is_refused(self, value: float) -> None:
        view = np.full((3, 64, 64), 0.5, dtype=np.float32)
        view[:, 30, 30] = value
        with pytest.raises(PruningError, match="outside"):
            patch_text_density(view)

    @few
    @given(seeds)
    def test_each_patch_is_judged_alone(self, seed: int) -> None:
        generator = np.random.default_rng(seed)
        levels = generator.uniform(0.05, 1, 9)[:, None, None, None]
        patches = (generator.uniform(-1, 1, (9, 3, 64, 64)) * levels).astype(np.float32)
        view = patches.reshape(3, 3, 3, 64, 64).transpose(2, 0, 3, 1, 4).reshape(3, 192, 192)
        expected = [patch_text_density(patch)[0] for patch in patches]
        assert_array_equal(patch_text_density(np.ascontiguousarray(view)), expected)

    def test_edges_are_counted_as_by_an_ordinary_sobel_filter(self) -> None:
        grey = np.random.default_rng(5).normal(0, 0.03, (64, 64)).clip(-1, 1)
        padded = np.pad(grey, 1)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))
        kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        across, down = np.einsum("yxij,ij", windows, kernel), np.einsum("yxij,ji", windows, kernel)
        view = np.broadcast_to(grey.astype(np.float32), (3, 64, 64))
        assert patch_text_density(view)[0] == (np.hypot(across, down) > 0.2).mean()

    @pytest.mark.parametrize(("seed", "edges"), [(2902, 1932), (25959, 2035), (33822, 1996), (33855, 1995)])
    def test_where_rounding_decides_edges_are_those_of_the_reference(self, seed: int, edges: int) -> None:
        # Counted by the reference's convolution. Other orders of adding give one pixel more or fewer.
        pixels = np.random.default_rng(seed).integers(112, 144, (3, 64, 64)).astype(np.float32)
        view = (pixels / np.float32(255) - np.float32(0.5)) / np.float32(0.5)
        assert patch_text_density(view)[0] == edges / 64**2

    def test_a_magnitude_of_exactly_the_threshold_is_no_edge(self) -> None:
        view = np.zeros((3, 64, 64), dtype=np.float32)
        view[2] = np.float32(0.2) / 4 / np.float32(0.114)  # a border pixel of this blue differs by 4 x 0.05
        corners, border = 4 / 64**2, (64**2 - 62**2) / 64**2
        assert patch_text_density(view)[0] == corners
        assert patch_text_density(np.nextafter(view, np.float32(1)))[0] == border

    def test_a_flat_page_has_no_edges_but_those_at_the_borders_of_its_patches(self) -> None:
        assert_array_equal(patch_text_density(np.zeros((3, 128, 128), dtype=np.float32)), np.zeros(4))
        border_share = (64**2 - 62**2) / 64**2
        assert_array_equal(
            patch_text_density(np.ones((3, 128, 128), dtype=np.float32)), np.full(4, border_share, np.float32)
        )


class TestMerging:
    @few
    @given(shapes, seeds, st.sampled_from([torch.float32, torch.float16, torch.bfloat16]))
    def test_keeping_every_token_changes_no_bit(
        self, shape: tuple[int, int], seed: int, dtype: torch.dtype
    ) -> None:
        layout = grid_layout(*shape)
        sequence = random_sequence(layout, seed, dtype)
        result = apply_plan(sequence, plan_for(layout, sequence, 1.0))
        assert result.dtype == dtype
        assert torch.equal(result, sequence)

    @few
    @given(st.integers(0, 9), st.integers(0, 9), seeds)
    def test_the_mass_of_every_token_is_accounted_for(self, kept: int, merged: int, seed: int) -> None:
        similarity = np.random.default_rng(seed).uniform(-1, 1, (kept, merged)).astype(np.float32)
        masses = solve_transport(similarity)
        assert (masses >= 0).all()
        assert_allclose(masses.sum(axis=0), [*np.ones(merged), kept], rtol=1e-9)
        assert_allclose(masses.sum(axis=1), [*np.ones(kept), merged], rtol=1e-9)

    def test_the_hardest_similarities_still_converge(self) -> None:
        similarity = np.where(np.indices((300, 300)).sum(axis=0) % 2, 1, -1).astype(np.float32)
        similarity[0], similarity[:, 0] = 1, -1
        masses = solve_transport(similarity)
        assert_allclose(masses[:-1].sum(axis=1), 1, rtol=1e-7)
        assert_allclose(masses[:, :-1].sum(axis=0), 1, rtol=1e-7)

    def test_the_masses_are_those_of_the_end_and_not_of_a_step_before_it(self) -> None:
        similarity = np.where((np.arange(500)[:, None] < 190) == (np.arange(500) < 190), 1, -1)
        masses = solve_transport(similarity.astype(np.float32))
        assert_allclose(masses[:, :-1].sum(axis=0), 1, rtol=0, atol=1e-12)

    @few
    @given(shapes, seeds, st.floats(0.01, 0.99))
    def test_kept_tokens_receive_a_tenth_of_what_is_carried_to_them(
        self, shape: tuple[int, int], seed: int, ratio: float
    ) -> None:
        layout = grid_layout(*shape)
        sequence = random_sequence(layout, seed)
        plan = plan_for(layout, sequence, ratio)
        prunable = sequence[layout.prunable].double().numpy()
        expected = sequence.double().numpy()
        expected[layout.prunable[plan.kept]] += 0.1 * transport_of(plan).mass @ prunable[plan.merged]
        assert_allclose(apply_plan(sequence, plan).numpy(), expected[plan.selected], rtol=1e-5, atol=1e-6)

    @few
    @given(shapes, seeds, st.floats(0.01, 0.99))
    def test_newlines_and_the_separator_pass_unchanged(
        self, shape: tuple[int, int], seed: int, ratio: float
    ) -> None:
        layout = grid_layout(*shape)
        sequence = random_sequence(layout, seed)
        plan = plan_for(layout, sequence, ratio)
        is_mark = layout.kinds[plan.selected] >= TokenKind.NEWLINE
        assert torch.equal(apply_plan(sequence, plan)[is_mark], sequence[plan.selected[is_mark]])

    @few
    @given(st.integers(4, 16), seeds, ratios)
    def test_shuffling_tokens_some_of_them_equal_only_shuffles_the_result(
        self, count: int, seed: int, ratio: float | None
    ) -> None:
        layout = grid_layout(1, count)
        sequence = random_sequence(layout, seed)
        sequence[count // 2 : count] = sequence[: count - count // 2].clone()
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        shuffled = sequence.clone()
        shuffled[:count] = sequence[order]
        results = [apply_plan(rows, plan_for(layout, rows, ratio)) for rows in (sequence, shuffled)]
        distances = torch.cdist(*results)
        assert distances.amin(dim=0).max() < 1e-4
        assert distances.amin(dim=1).max() < 1e-4

    @pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
    def test_half_precision_is_merged_in_single_precision(self, dtype: torch.dtype) -> None:
        layout = grid_layout(6, 6)
        sequence = random_sequence(layout, 6, dtype)
        plan = plan_for(layout, sequence, 0.5)
        result = apply_plan(sequence, plan)
        assert torch.equal(result, apply_plan(sequence.float(), plan).to(dtype))

    def test_the_given_sequence_is_left_as_it_was(self) -> None:
        layout = grid_layout(4, 4)
        sequence = random_sequence(layout, 7)
        before = sequence.clone()
        apply_plan(sequence, plan_for(layout, sequence, 0.5))
        assert torch.equal(sequence, before)

    def test_a_sequence_the_plan_is_not_about_is_refused(self) -> None:
        layout = grid_layout(4, 4)
        sequence = random_sequence(layout, 8)
        plan = plan_for(layout, sequence, 0.5)
        with pytest.raises(PruningError, match="Plan the page again"):
            apply_plan(sequence[1:], plan)


class TestRefusing:
    @pytest.mark.parametrize("ratio", [0, -0.1, 1.01, float("nan")])
    def test_a_ratio_outside_its_range_is_refused(self, ratio: float) -> None:
        with pytest.raises(SettingsError, match="retention ratio"):
            PruneSettings(ratio)

    def test_a_negative_floor_is_refused(self) -> None:
        with pytest.raises(SettingsError, match="negative"):
            PruneSettings(minimum_kept=-1)

    def test_measures_of_another_page_are_refused(self) -> None:
        measures = measure_tokens(torch.ones(5, HIDDEN_SIZE), GREY_VIEW)
        with pytest.raises(PruningError, match="Encode the page again"):
            plan_pruning(grid_layout(2, 3), measures, PruneSettings())
