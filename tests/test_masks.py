"""Marks on pages: how they grow, what fits into them and what hangs together."""

import numpy as np
import pytest

from rtocr_gui.documents.masks import connected, first_of, grown, opened


@pytest.mark.parametrize("reach", [0, 1, 6, 10, 11, 25])
def test_marks_grow_by_as_much_on_all_sides(reach):
    mask = np.zeros((80, 90), np.bool_)
    mask[40, 30] = mask[41, 33] = True
    wanted = np.zeros_like(mask)
    wanted[40 - reach : 41 + reach, 30 - reach : 31 + reach] = True
    wanted[41 - reach : 42 + reach, 33 - reach : 34 + reach] = True
    assert (grown(mask, reach) == wanted).all()


@pytest.mark.parametrize("reach", [1, 3, 12])
def test_only_what_squares_fit_into_stays_when_it_is_opened(reach):
    side = 2 * reach + 1
    mask = np.zeros((120, 120), np.bool_)
    mask[5 : 5 + side, 5 : 5 + side + 20] = True
    fits = mask.copy()
    mask[70 : 70 + side, 5 : 5 + side - 1] = True
    mask[5 + side, 10] = True
    assert (opened(mask, reach) == fits).all()


def test_what_touches_along_a_side_is_connected_however_winding():
    areas = np.array(
        [
            [1, 1, 1, 0, 0, 1],
            [0, 0, 1, 0, 1, 0],
            [1, 1, 1, 0, 1, 1],
            [1, 0, 0, 0, 0, 1],
        ],
        np.bool_,
    )
    found = connected(first_of(areas), areas)
    assert (found[:, :3] == areas[:, :3]).all()
    assert not found[:, 3:].any()


def test_the_first_mark_is_the_first_by_rows():
    mask = np.zeros((3, 4), np.bool_)
    mask[1, 3] = mask[2, 0] = True
    assert np.argwhere(first_of(mask)).tolist() == [[1, 3]]
