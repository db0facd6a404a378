"""The text laid out: rendered while it is seen, and as often as its length allows.

The text is not trusted: no link is opened, and nothing is loaded that the text refers to. Knows no page.
"""

from time import perf_counter

from PySide6.QtCore import QEvent, QUrl, Slot
from PySide6.QtGui import QHelpEvent, QImage, QShowEvent, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QToolTip

from rtocr_gui.export.html import as_html
from rtocr_gui.ui.parts.held_scroll import held
from rtocr_gui.ui.parts.plain_text import plain_tip
from rtocr_gui.ui.parts.timers import one_shot

PREVIEW_MS = 200
"""Interval at which the preview follows the text, at most."""

PREVIEW_REST = 3
"""The preview pauses this many times as long as it took to render: long tables are slow."""

_TABLE_STYLE = (
    "table { border-collapse: collapse; margin-top: 8px; margin-bottom: 8px }"
    "td, th { border: 1px solid gray; padding: 3px }"
)


class SafePreview(QTextBrowser):
    """Renders untrusted Markdown: no file is opened, no network used, no link followed."""

    def __init__(self) -> None:
        super().__init__()
        self._markdown = ""
        self._is_stale = True
        self._place_px: int | None = None  # where the reader returns once the text has grown to it
        self.verticalScrollBar().actionTriggered.connect(self.leave_place)
        self._timer = one_shot(self, PREVIEW_MS, self.catch_up)
        self.setOpenLinks(False)
        self.setOpenExternalLinks(False)
        self.document().setDefaultStyleSheet(_TABLE_STYLE)
        self._blank = QImage(1, 1, QImage.Format.Format_ARGB32)
        self._blank.fill(0)

    @Slot(str)
    def follow(self, markdown: str) -> None:
        """Render another text soon, or once it can be seen."""
        self._markdown, self._is_stale = markdown, True
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def keep_place(self) -> None:
        """Return to this place when the text is replaced, also if it is cleared and streamed anew."""
        if self._place_px is None:
            self._place_px = self.verticalScrollBar().value()

    @Slot()
    def leave_place(self) -> None:
        """Return to no place: the text is there, another page is shown, or the person scrolls."""
        self._place_px = None

    @Slot()
    def catch_up(self) -> None:
        """Render the newest text now, if it can be seen and has not been rendered yet."""
        if self._is_stale and self.isVisible():
            self._is_stale = False
            began_s = perf_counter()
            bar = self.verticalScrollBar()
            with held(bar):
                self.setHtml(as_html(self._markdown))
            if self._place_px is not None:
                bar.setValue(self._place_px)
                if self._place_px < bar.maximum():
                    self._place_px = None
            took_ms = 1000 * (perf_counter() - began_s)
            self._timer.setInterval(max(PREVIEW_MS, round(PREVIEW_REST * took_ms)))

    def loadResource(self, kind: int, _name: QUrl | str) -> object:
        """Return a blank picture for every picture, as Qt opens the file itself if it gets none."""
        return self._blank if kind == QTextDocument.ResourceType.ImageResource.value else None

    def viewportEvent(self, event: QEvent) -> bool:
        """Tell the address of a link that is pointed at, as it is not opened."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            address = self.anchorAt(event.pos())
            words = plain_tip(f"{address}\nLinks in a text are not opened.") if address else ""
            QToolTip.showText(event.globalPos(), words, self.viewport())
            return True
        return super().viewportEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        bar = self.verticalScrollBar()
        position = bar.value()
        self.catch_up()
        bar.setValue(position)  # another page may have been rendered before, to its end
        super().showEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._is_stale = True  # it was drawn in the former colours
            self.catch_up()
