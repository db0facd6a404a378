"""Tuning by eye: what is displayed, compared and explained for the shown page.

The session's part for the overlay's looks and the tuning panes. Each question has its own controller:

    Spotlight    lights up where on the page something was read
    Comparer     compares two readings of the page
    CurveReader  reads the page at many ratios

Knows no widget.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.export.curve import CurveSource, export_curve
from rtocr_gui.export.looks import Look, lights_over
from rtocr_gui.export.plan_json import PlanSource, export_plan
from rtocr_gui.export.writing import write_picture_atomically
from rtocr_gui.ocr.curve import curve_settings
from rtocr_gui.ocr.reading import Reading, ReadSettings
from rtocr_gui.ocr.text.comparison import Difference
from rtocr_gui.pruning.plan import PruneSettings
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.open_documents import RenderPage
from rtocr_gui.ui.background.replies import RequestFailed
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.comparer import Comparer
from rtocr_gui.ui.state.curve_reader import CurveReader, CurveRequest
from rtocr_gui.ui.state.exporter import Exporter
from rtocr_gui.ui.state.notices import Notice, about_failure
from rtocr_gui.ui.state.open_page import OpenPage
from rtocr_gui.ui.state.open_pages import OpenPages
from rtocr_gui.ui.state.planner import Planner
from rtocr_gui.ui.state.shown import ComparisonShown, CurveShown, FiguresShown, PageFailure
from rtocr_gui.ui.state.spotlight import Spotlight
from rtocr_gui.units import counted


class Tuning(QObject):
    """Looks at one page at a time.

    Signals (each carries one frozen value, or two plain ones):
        figures_changed (FiguresShown)
        comparison_changed (ComparisonShown or None)
        comparing_changed (str, bool): what the comparison is busy with, and whether it can be stopped.
        curve_changed (CurveShown)
        notice_raised (Notice): a message to the person.

    Attributes:
        spotlight: has the signals and slots for playing a reading and pointing at its text.

    Args:
        bridge: answers the slow requests.
        pages: the open pages and their readings.
        planner: keeps its plan.
        choices: what is remembered.
        exporter: writes overlay, plan and curve to files.
        parent: Qt parent.
    """

    figures_changed = Signal(object)
    comparison_changed = Signal(object)
    comparing_changed = Signal(str, bool)
    curve_changed = Signal(object)
    notice_raised = Signal(object)

    def __init__(
        self,
        bridge: EngineBridge,
        pages: OpenPages,
        planner: Planner,
        choices: Choices,
        exporter: Exporter,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._pages = pages
        self._planner = planner
        self._choices = choices
        self._exporter = exporter
        self._comparison: ComparisonShown | None = None
        self.spotlight = Spotlight(bridge, lambda: pages.shown_text, self)
        self._comparer = Comparer(bridge, self)
        self._curve_reader = CurveReader(bridge, self)
        planner.plan_changed.connect(self.show_readings)
        self.spotlight.failed.connect(self._tell_of_shown)
        self.spotlight.seeking_changed.connect(self._tell_seeking)
        self._comparer.comparison_changed.connect(self._show_comparison)
        self._comparer.activity_changed.connect(self.comparing_changed)
        self._comparer.page_read.connect(self._keep_reading)
        self._curve_reader.curve_changed.connect(self._keep_curve)
        self._curve_reader.finished.connect(self._keep_reading)
        self._curve_reader.failed.connect(self._tell_failure)
        self._curve_reader.truth_failed.connect(self._tell_problem)

    # What the session passes on ------------------------------------------------------------

    def show_page(self) -> None:
        """Another page is shown from now on, or none, or it is read with other settings."""
        page = self._pages.shown_page
        page_count = 1 if page is None else page.page_count
        self._comparer.show_page(self._pages.shown, self._read_settings, page_count)
        curve = None if page is None else page.readings.curves.get(curve_settings(self._read_settings))
        if page is None or curve is None:
            self._curve_reader.show(CurveShown())
        elif curve.is_whole:
            self._curve_reader.show_again(curve, self._curve_request(page), page.readings.by_settings)
        else:
            self._curve_reader.compare_again(self._curve_request(page), page.readings.by_settings)
        self.show_readings()

    @Slot()
    def show_readings(self) -> None:
        """Emit the figures again: the page has a new reading or plan."""
        page = self._pages.shown_page
        reading, lack = page.comparable_reading if page is not None else (None, "")
        settings = reading.settings if reading is not None else self._read_settings
        all_tokens = page.readings.all_tokens(settings) if page is not None else None
        self.figures_changed.emit(FiguresShown(self._planner.plan, reading, all_tokens, lack))
        self.spotlight.show_reading(reading)

    def forget_readings(self) -> None:
        """Give up what the previous model read: it can no longer be compared."""
        self.spotlight.forget()
        self._comparer.forget()

    @property
    def is_reading(self) -> bool:
        """True while a comparison or a curve is being made, or a reading traced."""
        return self._comparer.running or self._curve_reader.shown.running or self.spotlight.is_tracing

    def stop(self) -> None:
        """Stop whatever is being read for a comparison or a curve, or traced."""
        self.spotlight.stop()
        self._comparer.stop()
        self._curve_reader.stop()

    @property
    def _read_settings(self) -> ReadSettings:
        """How it is read now."""
        return self._pages.adapt(self._pages.shown, self._choices.read_settings)

    @Slot(str)
    def _tell_problem(self, sentence: str) -> None:
        self.notice_raised.emit(Notice(sentence))

    @Slot(object)
    def _tell_of_shown(self, failure: RequestFailed) -> None:
        if self._pages.shown is not None:
            self._tell_failure(PageFailure.of(self._pages.shown, failure))

    @Slot(object)
    def _tell_failure(self, failure: PageFailure) -> None:
        self.notice_raised.emit(about_failure(failure, self._pages.name_of(failure.ref)))

    @Slot(object)
    def _keep_reading(self, reading: Reading) -> None:
        page = self._pages.get(reading.ref)
        if page is not None:
            page.readings.keep(reading)
            if page is self._pages.shown_page:
                self.show_readings()

    # Overlay -------------------------------------------------------------------------------

    @Slot(object)
    def set_look(self, look: Look) -> None:
        """Use another look from now on."""
        self.spotlight.put_out()
        self._choices.remember(look=look.value)

    @Slot()
    def show_next_look(self) -> None:
        """Use the next look; after the last comes the first."""
        self.set_look(self._choices.look.next)

    # Comparison and curve ------------------------------------------------------------------

    @Slot(object, object)
    def compare(self, left: PruneSettings, right: PruneSettings) -> None:
        """Compare two readings of the page."""
        page = self._pages.shown_page
        if page is not None:
            self._comparer.compare(left, right, page.readings.by_settings)

    @Slot()
    def stop_comparing(self) -> None:
        """Stop comparing or locating a difference; what is shown stays."""
        self._comparer.stop()
        self.spotlight.stop()

    @Slot(object)
    def point_at_difference(self, difference: Difference) -> None:
        """Light up where a difference was read."""
        if self._comparison is not None:
            self.spotlight.point_at_difference(self._comparison, difference)

    @Slot(bool)
    def _tell_seeking(self, seeking: bool) -> None:
        if not self._comparer.running:  # which has more to tell
            self.comparing_changed.emit("Finding where this was read…" if seeking else "", seeking)

    @Slot(object)
    def _show_comparison(self, shown: ComparisonShown | None) -> None:
        self._comparison = shown
        self.spotlight.put_out()
        self.comparison_changed.emit(shown)

    @Slot()
    def read_curve(self) -> None:
        """Read the page at many ratios; known readings are reused, unless the shown curve is complete."""
        page = self._pages.shown_page
        if page is None:
            return
        known = {} if self._curve_reader.shown.is_whole else page.readings.by_settings
        self._curve_reader.read(self._curve_request(page), known)

    def _curve_request(self, page: OpenPage) -> CurveRequest:
        return CurveRequest(page.ref, self._read_settings, page.page_count)

    @Slot()
    def stop_curve(self) -> None:
        """End the curve; the points so far stay."""
        self._curve_reader.stop()

    @Slot(object)
    def _keep_curve(self, curve: CurveShown) -> None:
        page = self._pages.shown_page
        if page is not None and curve.expected:
            page.readings.curves[curve_settings(self._read_settings)] = curve
        self.curve_changed.emit(curve)

    # Files ---------------------------------------------------------------------------------

    @property
    def has_plan(self) -> bool:
        """True if there is an overlay to export."""
        return self._planner.plan is not None

    @property
    def curve(self) -> CurveShown:
        """The curve of the shown page."""
        return self._curve_reader.shown

    @property
    def has_curve(self) -> bool:
        """True if there is a curve to export."""
        return bool(self._curve_reader.shown.points)

    # What is exported is what was shown at the request: another page may be shown before a file is named.

    def overlay_export(self) -> Callable[[Path], None] | None:
        """Return a function that draws the page with its current overlay, or lights, to a PNG.

        None without a plan.
        """
        ref, plan, transport = self._pages.shown, self._planner.plan, self._planner.transport
        if ref is None or plan is None:
            return None
        choices, opacity = self._choices, self._choices.settings.overlay_opacity
        look, grid, lights = choices.look, choices.grid, lights_over(plan, self.spotlight.lights)

        def write(render_page: RenderPage, path: Path) -> None:
            from rtocr_gui.export.overlay import draw_lights, draw_overlay

            if lights is not None:
                write_picture_atomically(path, draw_lights(render_page(ref), plan.layout, lights, grid))
                return
            mass = transport
            if look is Look.MASS and mass is None:
                from rtocr_gui.pruning.transport import transport_of  # imports torch

                mass = transport_of(plan)
            picture = draw_overlay(render_page(ref), plan, grid, look, mass, opacity)
            write_picture_atomically(path, picture)

        return partial(self._exporter.export_file, "the overlay", write)

    def plan_export(self) -> Callable[[Path], None] | None:
        """Return a function that writes the current plan as JSON; None without a plan."""
        ref, plan, encoded = self._pages.shown, self._planner.plan, self._planner.encoded
        if ref is None or plan is None or encoded is None:
            return None
        source = PlanSource(ref, self._choices.model_name, encoded.mode)
        return partial(
            self._exporter.export_file, "the plan", lambda _, path: export_plan(plan, source, path)
        )

    def curve_export(self) -> Callable[[Path], None] | None:
        """Return a function that writes the curve's points so far as CSV or JSON; None without any."""
        page, curve, settings = self._pages.shown_page, self._curve_reader.shown, self._read_settings
        if page is None or not curve.points:
            return None
        read = next(
            (
                each
                for each in page.readings.by_settings.values()
                if each.settings.scaling == settings.scaling
            ),
            None,
        )
        source = CurveSource(
            page.ref,
            read.model_name if read is not None else "",
            settings,
            curve.truth.path if curve.truth is not None else None,
            read.mode if read is not None else None,
        )
        return partial(
            self._exporter.export_file,
            f"{counted(len(curve.points), 'point')} of the curve",
            lambda _, path: export_curve(curve.points, source, path),
        )
