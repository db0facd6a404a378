"""What holds for the methods RTPrune is compared with: K, determinism, and what each of them promises."""

from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray
from torch import Tensor

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.errors import PruningError
from rtocr_gui.export.plan_json import PlanSource, plan_as_json
from rtocr_gui.ocr.reading import Mode
from rtocr_gui.pruning.baselines import choose_at_random, choose_attended, choose_diverse, choose_likely
from rtocr_gui.pruning.measures import measure_tokens
from rtocr_gui.pruning.plan import (
    PruneMethod,
    PrunePlan,
    PruneSettings,
    TokenMeasures,
    contextual_tokens,
    plan_pruning,
)
from rtocr_gui.pruning.transport import apply_plan, transport_of
from rtocr_gui.tokens import TokenKind, TokenLayout
from tests.made_tokens import GREY_VIEW, grid_layout, random_sequence

few = settings(max_examples=25)
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(1, 7), st.integers(1, 7))
ratios = st.floats(0.01, 1)
methods = st.sampled_from(PruneMethod)
counts = st.integers(1, 12)

MERGING = (PruneMethod.RTPRUNE, PruneMethod.VISIONZIP)
NESTED = (
    PruneMethod.RTPRUNE,
    PruneMethod.NORM_ONLY,
    PruneMethod.RANDOM,
    PruneMethod.DIVPRUNE,
    PruneMethod.CDPRUNER,
)


def measured(layout: TokenLayout, sequence: Tensor, seed: int = 0) -> TokenMeasures:
    attention = np.random.default_rng(seed).dirichlet(np.ones(len(layout.prunable))).astype(np.float32)
    return measure_tokens(sequence[torch.from_numpy(layout.prunable)], GREY_VIEW, attention)


def planned(shape: tuple[int, int], seed: int, method: PruneMethod, ratio: float) -> tuple[PrunePlan, Tensor]:
    layout = grid_layout(*shape)
    sequence = random_sequence(layout, seed)
    plan = plan_pruning(
        layout, measured(layout, sequence, seed), PruneSettings(ratio, method=method, seed=seed)
    )
    return plan, sequence


def features(count: int, size: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def cosines(tokens: NDArray[np.float32]) -> NDArray[np.float32]:
    unit = tokens / np.linalg.norm(tokens, axis=1, keepdims=True)
    similarity: NDArray[np.float32] = (unit @ unit.T).astype(np.float32)
    return similarity


class TestEveryMethod:
    @settings(max_examples=60)
    @given(shapes, seeds, methods, ratios)
    def test_keeps_as_many_tokens_as_rtprune_each_once_and_in_order(
        self, shape: tuple[int, int], seed: int, method: PruneMethod, ratio: float
    ) -> None:
        plan, _ = planned(shape, seed, method, ratio)
        rtprune, _ = planned(shape, seed, PruneMethod.RTPRUNE, ratio)
        assert plan.method is method
        assert len(plan.kept) == len(rtprune.kept)
        assert (np.diff(plan.kept) > 0).all()
        assert (np.diff(plan.merged) > 0).all()
        assert_array_equal(
            np.sort(np.concatenate([plan.kept, plan.merged])), np.arange(len(plan.layout.prunable))
        )

    @few
    @given(shapes, seeds, methods, ratios)
    def test_gives_the_same_plan_and_the_same_tokens_again(
        self, shape: tuple[int, int], seed: int, method: PruneMethod, ratio: float
    ) -> None:
        first, sequence = planned(shape, seed, method, ratio)
        second, _ = planned(shape, seed, method, ratio)
        assert_array_equal(first.kept, second.kept)
        assert torch.equal(apply_plan(sequence, first), apply_plan(sequence, second))

    @settings(max_examples=60)
    @given(shapes, seeds, methods, ratios)
    def test_leaves_newlines_the_separator_and_what_is_not_merged_into_as_they_are(
        self, shape: tuple[int, int], seed: int, method: PruneMethod, ratio: float
    ) -> None:
        plan, sequence = planned(shape, seed, method, ratio)
        received = np.zeros(len(plan.layout), dtype=np.float32)
        received[plan.layout.prunable[plan.kept]] = transport_of(plan).received
        untouched = received[plan.selected] == 0
        assert untouched[plan.layout.kinds[plan.selected] >= TokenKind.NEWLINE].all()
        result = apply_plan(sequence, plan)
        assert torch.equal(result[untouched], sequence[plan.selected[untouched]])
        if method not in MERGING:
            assert untouched.all()

    @few
    @given(shapes, seeds, methods, ratios)
    def test_carries_no_more_than_there_is(
        self, shape: tuple[int, int], seed: int, method: PruneMethod, ratio: float
    ) -> None:
        plan, _ = planned(shape, seed, method, ratio)
        transport = transport_of(plan)
        assert transport.mass.shape == (len(plan.kept), len(plan.merged))
        assert transport.mass.dtype == np.float32
        assert (transport.mass >= 0).all()
        assert (transport.mass.sum(axis=0) <= 1 + 1e-5).all()

    @pytest.mark.parametrize("method", NESTED)
    def test_keeps_at_a_lower_ratio_part_of_what_it_keeps_at_a_higher_one(self, method: PruneMethod) -> None:
        sets = [set(planned((7, 7), 5, method, ratio)[0].kept.tolist()) for ratio in (0.1, 0.3, 0.5, 0.84, 1)]
        assert all(smaller < larger for smaller, larger in pairwise(sets))

    @pytest.mark.parametrize("method", PruneMethod)
    def test_keeps_every_token_as_it_is_at_a_ratio_of_one(self, method: PruneMethod) -> None:
        plan, sequence = planned((5, 4), 6, method, 1.0)
        assert torch.equal(apply_plan(sequence, plan), sequence)

    @pytest.mark.parametrize("method", PruneMethod)
    def test_keeps_every_token_where_more_are_wanted_than_there_are(self, method: PruneMethod) -> None:
        layout = grid_layout(3, 3)
        measures = measured(layout, random_sequence(layout, 7))
        plan = plan_pruning(layout, measures, PruneSettings(0.5, minimum_kept=100, method=method))
        assert_array_equal(plan.kept, np.arange(9))

    @pytest.mark.parametrize("method", PruneMethod)
    def test_copes_with_a_page_of_one_repeated_token(self, method: PruneMethod) -> None:
        layout = grid_layout(4, 4)
        sequence = torch.ones(len(layout), 8)
        plan = plan_pruning(layout, measured(layout, sequence), PruneSettings(0.5, method=method))
        assert len(plan.kept) == 8
        assert torch.isfinite(apply_plan(sequence, plan)).all()

    @pytest.mark.parametrize("method", PruneMethod)
    def test_is_named_in_the_exported_plan(self, method: PruneMethod) -> None:
        source = PlanSource(PageRef(Path("page.png"), 0, "0"), "A model", Mode.BASE)
        assert plan_as_json(planned((3, 3), 1, method, 0.5)[0], source)["method"] == method.value

    @pytest.mark.parametrize("method", [method for method in PruneMethod if method not in MERGING])
    def test_that_drops_tokens_transports_nothing(self, method: PruneMethod) -> None:
        assert not transport_of(planned((5, 5), 2, method, 0.5)[0]).mass.any()


def test_norm_only_keeps_what_rtprune_keeps() -> None:
    norm_only, sequence = planned((6, 6), 3, PruneMethod.NORM_ONLY, 0.4)
    rtprune, _ = planned((6, 6), 3, PruneMethod.RTPRUNE, 0.4)
    assert_array_equal(norm_only.kept, rtprune.kept)
    assert torch.equal(apply_plan(sequence, norm_only), sequence[norm_only.selected])


class TestRandom:
    def test_another_seed_keeps_other_tokens(self) -> None:
        assert set(choose_at_random(100, 50, 1)) != set(choose_at_random(100, 50, 2))

    def test_every_token_is_kept_as_often_as_any_other(self) -> None:
        times = np.zeros(20)
        for seed in range(2000):
            times[choose_at_random(20, 5, seed)] += 1
        assert_allclose(times / 2000, 0.25, atol=0.05)


class TestDivPrune:
    def test_begins_with_the_loneliest_token_and_goes_to_the_farthest_from_all(self) -> None:
        angles = np.radians([0, 10, 20, 90, 172])
        similarity = np.cos(angles[:, None] - angles).astype(np.float32)
        assert_array_equal(choose_diverse(similarity, 4), [4, 0, 3, 2])

    @few
    @given(st.integers(2, 9), seeds, st.data())
    def test_each_step_takes_the_token_of_largest_least_distance(
        self, count: int, seed: int, data: st.DataObject
    ) -> None:
        similarity = cosines(features(count, 4, seed))
        distance = 1 - similarity.astype(np.float64)
        order = choose_diverse(similarity, count).tolist()
        step = data.draw(st.integers(1, count - 1))

        def least_distance(token: int) -> float:
            return float(min(distance[token, kept] for kept in order[:step]))

        best = max(least_distance(token) for token in range(count) if token not in order[:step])
        assert least_distance(order[step]) == pytest.approx(best, abs=1e-6)

    @few
    @given(st.integers(3, 8), seeds)
    def test_two_tokens_stay_at_least_half_as_far_apart_as_is_possible(self, kept: int, seed: int) -> None:
        """Gonzalez's bound, for chords of the unit sphere, which obey the triangle inequality."""
        similarity = cosines(features(9, 3, seed)).astype(np.float64)
        chord = np.sqrt(np.maximum(0, 2 - 2 * similarity))

        def spread(tokens: tuple[int, ...]) -> float:
            return float(min(chord[pair] for pair in combinations(tokens, 2)))

        best = max(spread(tokens) for tokens in combinations(range(9), kept))
        chosen = tuple(choose_diverse(similarity.astype(np.float32), kept).tolist())
        assert spread(chosen) >= best / 2 - 1e-6


class TestCDPruner:
    @few
    @given(st.integers(2, 8), seeds)
    def test_each_step_raises_the_determinant_most(self, count: int, seed: int) -> None:
        tokens = features(count, 16, seed)
        similarity, norms = cosines(tokens), np.linalg.norm(tokens, axis=1).astype(np.float32)
        relevance = (norms - norms.min()) / np.ptp(norms) + 1e-6
        kernel = (relevance[:, None] * similarity * relevance).astype(np.float64)
        order = choose_likely(similarity, norms, count).tolist()

        def determinant(kept: list[int]) -> float:
            return float(np.linalg.det(kernel[np.ix_(kept, kept)]))

        for step in range(count - 1):  # the least relevant token adds nothing and comes last
            gains = [
                determinant([*order[:step], token]) for token in range(count) if token not in order[:step]
            ]
            assert determinant(order[: step + 1]) == pytest.approx(max(gains), rel=1e-4, abs=1e-9)

    def test_a_duplicate_waits_until_nothing_new_is_left(self) -> None:
        tokens = np.array([[3, 0, 0], [3, 0, 0], [0, 2, 0], [0, 0, 1.5], [0.1, 0.1, 1]], dtype=np.float32)
        norms = np.linalg.norm(tokens, axis=1).astype(np.float32)
        assert_array_equal(choose_likely(cosines(tokens), norms, 5)[:2], [0, 2])
        assert choose_likely(cosines(tokens), norms, 5).tolist().index(1) >= 3

    def test_tokens_of_one_norm_are_told_apart_by_their_similarity(self) -> None:
        tokens = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0.6, 0.8]], dtype=np.float32)
        assert choose_likely(cosines(tokens), np.ones(4, np.float32), 3).tolist() == [0, 2, 3]

    def test_more_tokens_than_dimensions_follow_by_norm(self) -> None:
        tokens = features(30, 4, 7)
        norms = np.linalg.norm(tokens, axis=1).astype(np.float32)
        order = choose_likely(cosines(tokens), norms, 30)
        assert_array_equal(np.sort(order), np.arange(30))
        assert (np.diff(norms[order[4:]]) <= 0).all()

    def test_of_duplicates_of_one_norm_the_first_follow(self) -> None:
        norms = np.random.default_rng(1).integers(1, 4, 400).astype(np.float32)
        order = choose_likely(np.ones((400, 400), np.float32), norms, 200).tolist()
        others = [token for token in range(400) if token != order[0]]
        assert order[1:] == sorted(others, key=lambda token: -norms[token])[:199]


class TestVisionZip:
    def test_keeps_the_attended_and_an_even_sample_of_the_others(self) -> None:
        attention = np.array([9, 0, 8, 0, 7, 0, 6, 0, 5, 0, 4, 0, 3, 0, 2, 0], dtype=np.float32)
        dominant, contextual = choose_attended(attention, 7)
        assert_array_equal(dominant, [0, 2, 4, 6, 8, 10])
        assert_array_equal(contextual, [1])
        dominant, contextual = choose_attended(np.tile(attention, 4), 32)
        assert len(dominant) == 27
        assert_array_equal(
            np.sort(np.tile(attention, 4)[dominant])[::-1], np.sort(np.tile(attention, 4))[:36:-1]
        )
        assert len(contextual) == 5
        others = np.setdiff1d(np.arange(64), dominant)
        assert_array_equal(contextual, others[::7][:5])

    def test_of_equal_attention_the_first_are_dominant(self) -> None:
        attention = np.random.default_rng(1).integers(0, 3, 400).astype(np.float32)
        dominant, _ = choose_attended(attention, 200)
        assert_array_equal(dominant, sorted(range(400), key=lambda token: -attention[token])[: len(dominant)])

    @few
    @given(shapes, seeds, ratios)
    def test_contextual_tokens_become_the_mean_of_what_resembles_them_most(
        self, shape: tuple[int, int], seed: int, ratio: float
    ) -> None:
        plan, sequence = planned(shape, seed, PruneMethod.VISIONZIP, ratio)
        prunable = sequence[torch.from_numpy(plan.layout.prunable)].double().numpy()
        groups = {int(target): [int(target)] for target in contextual_tokens(plan.measures, len(plan.kept))}
        if groups:
            for token in plan.merged.tolist():
                groups[max(groups, key=lambda target: plan.measures.similarity[target, token])].append(token)
        expected = sequence.double().numpy()
        for target, members in groups.items():
            expected[plan.layout.prunable[target]] = prunable[members].mean(axis=0)
        assert_allclose(apply_plan(sequence, plan).numpy(), expected[plan.selected], rtol=1e-4, atol=1e-5)

    def test_gives_every_merged_token_whole_to_one_contextual_token(self) -> None:
        plan, _ = planned((7, 7), 4, PruneMethod.VISIONZIP, 0.5)
        mass = transport_of(plan).mass
        assert_array_equal(mass.sum(axis=0), 1)
        assert_array_equal(np.count_nonzero(mass, axis=0), 1)
        assert set(plan.kept[mass.any(axis=1)]) <= set(contextual_tokens(plan.measures, len(plan.kept)))

    def test_says_what_is_missing_where_no_attention_was_measured(self) -> None:
        layout = grid_layout(4, 4)
        measures = replace(measured(layout, random_sequence(layout, 1)), cls_attention=None)
        with pytest.raises(PruningError, match="Encode the page again for VisionZip"):
            plan_pruning(layout, measures, PruneSettings(0.5, method=PruneMethod.VISIONZIP))

    def test_attention_on_other_tokens_is_refused(self) -> None:
        with pytest.raises(PruningError, match="4 visual tokens"):
            measure_tokens(torch.ones(4, 8), GREY_VIEW, np.ones(5, dtype=np.float32))
