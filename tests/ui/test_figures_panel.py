"""What the figures panel promises: how Auto comes about, and figures that are honest about their origin."""

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableWidget
from pytestqt.qtbot import QtBot

from rtocr_gui.ocr.reading import (
    TASKS,
    Mode,
    PrefillCost,
    Reading,
    ReadSettings,
    Scaling,
    StageTimings,
    StopReason,
)
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.state.shown import Activity, FiguresShown
from rtocr_gui.ui.tuning.figure_rows import (
    DASH,
    FigureKind,
    FigureRow,
    figure_rows,
    notes,
    operations,
)
from rtocr_gui.ui.tuning.figures_panel import FiguresPanel
from rtocr_gui.ui.tuning.share_bar import ShareBar
from rtocr_gui.ui.window.status_line import StatusLine
from tests.made_plans import make_plan
from tests.made_readings import make_reading
from tests.ui.steps import in_sight, label_called


def reading_at(retention: float, kept: int, passes: int = 309) -> Reading:
    return make_reading(
        ReadSettings(Scaling(Mode.BASE), TASKS[0], PruneSettings(retention)),
        token_ids=tuple(range(310)),
        kept=kept,
        padding=64,
        cost=PrefillCost(kept + 20, 1e9 * (kept + 20), 4000 * (kept + 20)),
        cost_of_all=PrefillCost(276, 276e9, 4000 * 276),
        passes=passes,
        timings=StageTimings(1200.0, 9.0, float(kept), passes * 10.0),
    )


PLAN = make_plan(0.5)
HALF = reading_at(0.5, 128)
WHOLE = reading_at(1.0, 256)
FULL = FiguresShown(
    PLAN,
    dataclasses.replace(HALF, unsure_words=((0, 1), (2, 4), (5, 9))),
    dataclasses.replace(WHOLE, unsure_words=((2, 4), (5, 9))),
)


def rows_of(shown: FiguresShown) -> dict[str, FigureRow]:
    return {row.name: row for row in figure_rows(shown)}


def cells(row: FigureRow) -> tuple[str, str, str]:
    return row.this, row.all_tokens, row.ratio


@pytest.fixture
def panel(qtbot: QtBot) -> FiguresPanel:
    return in_sight(qtbot, FiguresPanel(), 300, 600)


def table(panel: FiguresPanel) -> QTableWidget:
    return panel.findChild(QTableWidget)


def said(panel: FiguresPanel, name: str) -> str:
    return label_called(panel, name).text()


def shown_lines(panel: FiguresPanel) -> dict[str, list[str]]:
    grid = table(panel)
    lines = {}
    for line in range(grid.rowCount()):
        items = [grid.item(line, column) for column in range(4)]
        lines[items[0].text()] = [item.text() for item in items[1:] if item is not None]
    return lines


# Figures


def test_a_panel_with_the_focus_has_a_frame_wherever_it_is_scrolled_to(qtbot: QtBot) -> None:
    panel = in_sight(qtbot, FiguresPanel(), 300, 200)
    panel.show_figures(FULL)
    highlight = panel.palette().highlight().color()

    def is_framed() -> bool:
        shown = panel.viewport().grab().toImage()
        return all(shown.pixelColor(0, y) == highlight for y in range(1, shown.height() - 1))

    assert not is_framed()
    panel.setFocus()
    qtbot.waitUntil(panel.hasFocus)
    for position in (0, panel.verticalScrollBar().maximum()):
        panel.verticalScrollBar().setValue(position)
        assert is_framed()
    panel.clearFocus()
    assert not is_framed()


def test_each_figure_stands_beside_that_of_the_all_token_reading_with_their_ratio() -> None:
    rows = rows_of(FULL)
    assert cells(rows["Kept"]) == ("128", "256", "50 %")
    assert cells(rows["Merged"]) == ("128", "0", DASH)
    assert cells(rows["Padding"]) == ("25 %", "25 %", DASH)
    assert cells(rows["Unsure words"]) == ("3", "2", "150 %")
    assert cells(rows["Prefill"]) == ("128 ms", "256 ms", "50 %")
    assert cells(rows["Decode"]) == ("3.1 s", "3.1 s", "100 %")
    assert cells(rows["Tokens/s"]) == ("100", "100", "100 %")
    assert cells(rows["Prefill work"]) == ("148 GFLOP", "276 GFLOP", "54 %")
    assert cells(rows["KV cache"]) == ("592 kB", "1.1 MB", "54 %")


def test_counted_measured_and_computed_figures_are_told_apart() -> None:
    kinds = {row.name: row.kind for row in figure_rows(FULL)}
    assert kinds["Kept"] is FigureKind.COUNTED
    assert kinds["Prefill"] is kinds["Tokens/s"] is FigureKind.MEASURED
    assert kinds["Prefill work"] is kinds["KV cache"] is FigureKind.COMPUTED


def test_what_is_not_known_is_a_dash_and_never_a_zero() -> None:
    assert {cell for row in figure_rows(FiguresShown()) for cell in cells(row)} == {DASH}
    before = rows_of(FiguresShown(PLAN))
    assert cells(before["Kept"]) == ("128", "256", "50 %")
    assert cells(before["Prefill"]) == cells(before["KV cache"]) == (DASH, DASH, DASH)
    alone = rows_of(FiguresShown(PLAN, HALF))
    assert cells(alone["Prefill"]) == ("128 ms", DASH, DASH)
    assert alone["KV cache"].all_tokens == "1.1 MB"


def test_a_cached_encoding_is_called_so_and_compared_with_nothing(qtbot: QtBot) -> None:
    cached = dataclasses.replace(HALF, timings=StageTimings(0.0, 9.0, 128.0, 3090.0, cached_ms=133.0))
    assert cells(rows_of(FiguresShown(PLAN, cached, WHOLE))["Encode"]) == ("cached (133 ms)", "1.2 s", DASH)
    line = StatusLine()
    qtbot.addWidget(line)
    line.show_reading(cached)
    assert label_called(line, "Time of each stage").text().startswith("encode cached (133 ms)")


@pytest.mark.parametrize("drafted_is_the_whole", [False, True])
def test_text_checked_against_a_draft_is_not_passed_off_as_decoding_speed(drafted_is_the_whole: bool) -> None:
    if drafted_is_the_whole:
        shown = FiguresShown(PLAN, HALF, reading_at(1.0, 256, passes=31))
        drafted, plain = "all_tokens", "this"
    else:
        shown = FiguresShown(PLAN, reading_at(0.5, 128, passes=31), WHOLE)
        drafted, plain = "this", "all_tokens"
    for name in ("Decode", "Tokens/s", "Passes"):
        row = rows_of(shown)[name]
        assert getattr(row, drafted).endswith(" *")
        assert not getattr(row, plain).endswith("*")
        assert row.ratio == DASH
    which = "All tokens" if drafted_is_the_whole else "This reading"
    drafted = f"* {which}: checked against a draft, in 31 passes for 310 tokens"
    assert f"{drafted}, so this is not the speed of plain decoding." in notes(shown)


def test_time_shared_with_other_pages_is_not_passed_off_as_that_of_one() -> None:
    shown = FiguresShown(PLAN, dataclasses.replace(HALF, read_together=True), WHOLE)
    for name in ("Decode", "Tokens/s"):
        row = rows_of(shown)[name]
        assert row.this.endswith(" *")
        assert not row.all_tokens.endswith("*")
        assert row.ratio == DASH
    assert any("in the same passes as other pages" in note for note in notes(shown))


def test_a_reading_that_was_stopped_is_not_compared_as_if_it_were_whole() -> None:
    stopped = dataclasses.replace(HALF, stop_reason=StopReason.CANCELLED)
    shown = FiguresShown(PLAN, stopped, WHOLE)
    for name in ("Decode", "Passes", "Text tokens"):
        assert rows_of(FULL)[name].ratio != DASH
        assert rows_of(shown)[name].ratio == DASH
    assert rows_of(shown)["Tokens/s"].ratio != DASH
    assert notes(shown)[0].startswith("This reading was stopped before the end")


def test_pruning_with_and_without_measuring_is_not_compared() -> None:
    cached = dataclasses.replace(
        HALF, timings=dataclasses.replace(HALF.timings, encode_ms=0.0, cached_ms=9.0)
    )
    assert rows_of(FULL)["Prune"].ratio != DASH
    assert rows_of(FiguresShown(PLAN, cached, WHOLE))["Prune"].ratio == DASH


def test_a_pass_or_two_that_were_spared_make_no_draft_of_a_reading() -> None:
    row = rows_of(FiguresShown(PLAN, reading_at(0.5, 128, passes=300), WHOLE))["Decode"]
    assert cells(row) == ("3.0 s", "3.1 s", "97 %")


def test_notes_say_what_pruning_spares_and_what_is_missing() -> None:
    assert notes(FULL) == ("Pruning saves 46 % of the prefill's operations and 512 kB of memory.",)
    assert (
        notes(FiguresShown(PLAN, HALF))[-1] == "Read the page once at 100 % to compare the measured figures."
    )
    assert notes(FiguresShown(PLAN, lack="Not read yet.")) == ("Not read yet.",)
    assert notes(FiguresShown()) == ()


def test_figures_of_an_earlier_ratio_say_so() -> None:
    moved = notes(FiguresShown(make_plan(0.3), HALF, WHOLE))
    kept = len(make_plan(0.3).kept)
    assert moved[0] == f"Figures of the last reading, with 128 of 256 tokens; the slider now keeps {kept}."


def test_figures_of_a_page_that_was_scaled_in_another_way_say_so() -> None:
    smaller = dataclasses.replace(HALF, kept=50, total=100)
    assert notes(FiguresShown(PLAN, smaller))[0] == (
        f"Figures of the last reading, of 100 tokens; the page now has {len(PLAN.norms)}."
    )


def test_operations_have_a_unit_that_fits() -> None:
    assert [operations(flops) for flops in (7, 1.234e12, 2.5e15)] == ["7 FLOP", "1.23 TFLOP", "2500 TFLOP"]


# The panel


def test_automatic_retention_is_told_in_its_parts_and_in_a_sentence(panel: FiguresPanel) -> None:
    panel.show_figures(FULL)
    assert said(panel, "Text density") == "0.600"
    assert said(panel, "Dissimilarity") == "0.400"
    assert said(panel, "Automatic retention") == "0.760"
    sentence = said(panel, "How automatic retention is calculated")
    assert "print and the borders of the patches cover 60 % of the page" in sentence
    assert "16 % of the whole. Combined: 76 %" in sentence


def test_the_bar_of_automatic_retention_adds_up_to_it(panel: FiguresPanel) -> None:
    panel.show_figures(FULL)
    *parts, together = panel.findChildren(ShareBar)
    assert [sum(segment.share for segment in bar._segments) for bar in parts] == pytest.approx([0.6, 0.4])
    assert [segment.share for segment in together._segments] == pytest.approx([0.6, 0.16])
    panel.show_figures(FiguresShown())
    assert together._segments == ()
    assert said(panel, "Automatic retention") == DASH


def test_the_table_shows_every_figure_under_its_heading(panel: FiguresPanel) -> None:
    panel.show_figures(FULL)
    lines = shown_lines(panel)
    names = list(lines)
    assert names.index("Counted") < names.index("Kept") < names.index("Measured on this computer")
    assert names.index("Computed from the model's sizes") < names.index("KV cache")
    assert lines["Prefill"] == ["128 ms", "256 ms", "50 %"]
    panel.show_figures(FiguresShown())
    assert shown_lines(panel)["Prefill"] == [DASH, DASH, DASH]


def test_computed_figures_are_set_in_italics_and_called_computed_aloud(panel: FiguresPanel) -> None:
    panel.show_figures(FULL)
    grid = table(panel)
    spoken = {}
    for line in range(grid.rowCount()):
        item = grid.item(line, 1)
        if item is not None:
            spoken[grid.item(line, 0).text()] = item.data(Qt.ItemDataRole.AccessibleTextRole)
            assert item.font().italic() == (
                grid.item(line, 0).text() in ("Prompt tokens", "Prefill work", "KV cache")
            )
    assert spoken["KV cache"] == "KV cache, This, computed: 592 kB"
    assert spoken["Prefill"] == "Prefill, This: 128 ms"
    panel.show_figures(FiguresShown())
    assert grid.item(1, 1).data(Qt.ItemDataRole.AccessibleTextRole) == "Kept, This: not known"


def test_figures_come_up_to_date_when_a_hidden_panel_is_shown(panel: FiguresPanel) -> None:
    panel.hide()
    panel.show_figures(FULL)
    panel.show()
    assert shown_lines(panel)["Kept"] == ["128", "256", "50 %"]


def test_copy_takes_the_whole_table_or_the_lines_that_are_selected(panel: FiguresPanel) -> None:
    panel.show_figures(FULL)
    grid = table(panel)
    QTest.keySequence(grid, QKeySequence(QKeySequence.StandardKey.Copy))
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[0] == "Figure\tThis\tAll tokens\tRatio"
    assert "Prefill\t128 ms\t256 ms\t50 %" in copied
    assert len(copied) == 1 + len(figure_rows(FULL))
    grid.selectRow(1)
    QTest.keySequence(grid, QKeySequence(QKeySequence.StandardKey.Copy))
    assert QGuiApplication.clipboard().text().splitlines()[1:] == ["Kept\t128\t256\t50 %"]


@pytest.mark.parametrize("width", [300, 500])
def test_every_cell_has_its_room_and_the_panel_scrolls_down_only(
    qtbot: QtBot, panel: FiguresPanel, width: int
) -> None:
    panel.resize(width, 300)
    panel.show_figures(FULL)
    grid = table(panel)
    qtbot.waitUntil(
        lambda: grid.height() == grid.horizontalHeader().height() + grid.verticalHeader().length()
    )
    assert panel.verticalScrollBar().maximum() > 0
    assert grid.horizontalHeader().length() <= grid.viewport().width()
    for column in range(4):
        assert grid.sizeHintForColumn(column) <= grid.columnWidth(column)
    assert panel.widget().width() == panel.viewport().width()


def test_in_little_room_the_panel_scrolls_sideways_and_cuts_nothing_off(
    qtbot: QtBot, panel: FiguresPanel
) -> None:
    panel.resize(150, 300)
    panel.show_figures(FULL)
    bar = panel.horizontalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    grid = table(panel)
    for column in range(1, 4):
        assert grid.sizeHintForColumn(column) <= grid.columnWidth(column)
    assert bar.maximum() + bar.pageStep() == panel.widget().width() > grid.horizontalHeader().length()


def test_the_status_line_gives_no_speed_of_a_page_that_shared_its_time(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    times = label_called(line, "Time of each stage")
    line.show_reading(dataclasses.replace(reading_at(0.5, 128), read_together=True))
    assert times.text().endswith("shared with other pages")
    line.show_reading(reading_at(0.5, 128))
    assert times.text().endswith("tokens/s")
    line.show_reading(dataclasses.replace(reading_at(0.5, 128), token_ids=()))
    assert times.text().endswith("decode 3.1 s")


def test_the_status_line_cuts_the_times_of_a_reading_before_what_is_going_on(qtbot: QtBot) -> None:
    line = StatusLine()
    qtbot.addWidget(line)
    line.show_reading(HALF)
    line.show_activity(Activity(page=3, page_count=12, tokens=523, together=4))
    cut, whole = label_called(line, "Time of each stage"), label_called(line, "Status")
    line.resize(line.sizeHint().width() - cut.sizeHint().width() // 2, line.sizeHint().height())
    line.show()
    assert whole.width() == whole.sizeHint().width()
    assert 0 < cut.width() < cut.sizeHint().width()
    shown = cut.grab().toImage()
    cut.setText(f"{cut.text()} and more")
    assert cut.grab().toImage() == shown
