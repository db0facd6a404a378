"""The middle column: the page with its overlay, the overlay's controls, and the bar that plays a reading.

Composes panes and knows nothing about what they show, but passes shared settings on to each of them.
"""

from collections.abc import Mapping

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from rtocr_gui.export.looks import Look
from rtocr_gui.pruning.plan import PrunePlan
from rtocr_gui.ui.page.overlay_bar import OverlayBar
from rtocr_gui.ui.page.page_view import PageView
from rtocr_gui.ui.page.play_bar import PlayBar
from rtocr_gui.ui.parts.actions import PAGE_KEYS
from rtocr_gui.ui.parts.layouts import stack


class PageColumn(QWidget):
    """The page and the bars below it.

    Args:
        actions: every action of the window, by name.

    Attributes:
        page_view: the page.
        overlay_bar: below it.
        play_bar: below that.
    """

    def __init__(self, actions: Mapping[str, QAction]) -> None:
        super().__init__()
        self.page_view = PageView()
        self.overlay_bar = OverlayBar(actions["global_grid"])
        self.play_bar = PlayBar()
        self.page_view.addActions([actions[name] for name in PAGE_KEYS])
        self.overlay_bar.add_switch(actions["blocks"])
        stack(self, self.page_view, self.overlay_bar, self.play_bar, growing=self.page_view)
        self.page_view.legend_changed.connect(self.overlay_bar.show_legend)

    @Slot(object)
    def set_look(self, look: Look) -> None:
        """Choose what the overlay shows."""
        self.page_view.set_look(look)
        self.overlay_bar.set_look(look)

    def set_opacity(self, opacity: float) -> None:
        """Set the opacity of the overlay, in 0..1."""
        self.page_view.set_opacity(opacity)
        self.overlay_bar.set_opacity(opacity)

    @Slot(bool)
    def set_overlay_visible(self, visible: bool) -> None:
        """Show or hide the overlay."""
        self.page_view.set_overlay_visible(visible)
        self.overlay_bar.set_overlay_visible(visible)

    @Slot(bool)
    def set_play_bar_visible(self, visible: bool) -> None:
        """Show or hide the play bar; the page gets the focus that was in it."""
        if not visible and self.play_bar.isAncestorOf(self.window().focusWidget()):
            self.page_view.setFocus()
        self.play_bar.setVisible(visible)

    def show_plan(self, plan: PrunePlan | None) -> None:
        """Show what becomes of each visual token."""
        self.page_view.show_plan(plan)
        self.overlay_bar.show_grids(plan is not None and plan.layout.has_tiles)
