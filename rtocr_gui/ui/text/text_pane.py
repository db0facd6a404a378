"""The recognised text in tabs: as Markdown to edit, laid out, and whatever else is added.

Knows no page, no file and no clipboard.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction, QFontInfo
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from rtocr_gui.ocr.text.paragraphs import line_joins
from rtocr_gui.settings import LARGEST_ZOOM, SMALLEST_ZOOM
from rtocr_gui.ui.parts.form_parts import TabWidget
from rtocr_gui.ui.parts.plain_text import fixed_font
from rtocr_gui.ui.parts.wheel import zoom_by_wheel
from rtocr_gui.ui.text.markdown_editor import MarkdownEditor
from rtocr_gui.ui.text.safe_preview import SafePreview

_LEAST_LINES = 4
_LIST_INDENT_PX = 40
"""Qt's own, in which the numbers of large print would be cut off."""


class TextPane(QWidget):
    """Shows the text of one page in tabs, with buttons below it.

    Signals:
        zoom_changed(int): the text is this many points larger than usual.

    Attributes:
        editor: has the signals and slots for the text, its marks, and what can be undone.
    """

    zoom_changed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._zoom = 0
        self.editor = MarkdownEditor()
        self._preview = SafePreview()
        self._preview.setAccessibleName("Preview of the recognised text")
        self.editor.text_changed.connect(self._preview.follow)
        zoom_by_wheel(self.zoom, self.editor, self._preview)

        self._tabs = TabWidget("Text of the page")
        self.add_tab(self.editor, "M&arkdown", "The text, to read and correct")
        self.add_tab(
            self._preview,
            "Previe&w",
            "The text with headings and tables laid out, and with lines as on the page",
        )

        self._buttons = QHBoxLayout()
        self._buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._tabs)
        column.addLayout(self._buttons)
        self._follow_appearance()

    def add_tab(self, widget: QWidget, title: str, tip: str) -> None:
        """Add another view of the text in a tab.

        Args:
            widget: the view.
            title: of its tab, with a mnemonic.
            tip: what it shows, in a few words.
        """
        self._tabs.setTabToolTip(self._tabs.addTab(widget, title), tip)

    def show_tab(self, widget: QWidget) -> None:
        """Bring an added view to the front."""
        self._tabs.setCurrentWidget(widget)

    def show_first_tab(self) -> None:
        """Bring the editor to the front."""
        self._tabs.setCurrentIndex(0)

    def show_text(self, text: str, page: object = None) -> None:
        """Replace the text as the editor does; the preview follows, and keeps its place on the same page."""
        if text:
            self._set_placeholder("")  # or the text, once deleted, would seem to be still awaited
        is_same = page is not None and page == self.editor.page
        if not is_same:
            self._preview.leave_place()
        elif self.editor.text:
            self._preview.keep_place()
        self.editor.show_text(text, page)
        self._preview.catch_up()
        if not is_same:
            self._preview.verticalScrollBar().setValue(0)
        if text:
            self._preview.leave_place()

    def show_message(self, text: str, page: object = None) -> None:
        """Show a sentence in place of a missing text.

        Args:
            text: the sentence.
            page: whose text is missing.
        """
        self._set_placeholder(text)
        self.show_text("", page)

    def _set_placeholder(self, text: str) -> None:
        self.editor.setPlaceholderText(text)
        self.editor.viewport().update()  # Qt repaints it only if there was no message before
        self._preview.setPlaceholderText(text)

    @Slot(int, int)
    def select(self, start: int, end: int) -> None:
        """Select characters as a person would, and show them."""
        self.show_tab(self.editor)
        self.editor.select(start, end)

    @Slot(int, int)
    def visit(self, start: int, end: int) -> None:
        """Select characters as a person would who means to type there."""
        self.select(start, end)
        self.editor.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(object)
    def replace(self, replacements: Sequence[tuple[int, int, str]]) -> None:
        """Replace parts of the text as the editor does, and show it."""
        self.show_tab(self.editor)
        self.editor.replace(replacements)

    @Slot()
    def join_lines(self) -> None:
        """Join the lines of each paragraph, of the selected ones if any text is selected."""
        start, end = self.editor.selected_place
        is_all = start == end
        joins = [
            join for join in line_joins(self.editor.text) if is_all or (start <= join[0] and join[1] <= end)
        ]
        if joins:
            self.replace(joins)

    @Slot()
    def undo(self) -> None:
        """Undo the last change of the text, and show it."""
        self.show_tab(self.editor)
        self.editor.undo()

    @Slot()
    def redo(self) -> None:
        """Redo the last undone change, and show it."""
        self.show_tab(self.editor)
        self.editor.redo()

    def zoom(self, points: int) -> None:
        """Make the text larger, or smaller, within limits."""
        self.set_zoom(min(max(self._zoom + points, SMALLEST_ZOOM), LARGEST_ZOOM))
        self.zoom_changed.emit(self._zoom)

    def set_zoom(self, points: int) -> None:
        """Show the text this many points larger than usual."""
        self._zoom = points
        self._follow_appearance()

    def begin_editing(self) -> None:
        """Give the focus to the text, or to whichever view is in front."""
        front = self._tabs.currentWidget()
        inner = front.widget() if isinstance(front, QScrollArea) else None
        (inner or front).setFocus()

    def add_buttons(self, *actions: QAction) -> None:
        """Put buttons for actions below the text, where Tab finds them too."""
        before: QWidget = self._tabs
        for action in actions:
            button = QToolButton()
            button.setDefaultAction(action)
            button.setAutoRaise(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            self._buttons.addWidget(button)
            self.setTabOrder(before, button)
            before = button

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._follow_appearance()

    def _follow_appearance(self) -> None:
        font = self.font()
        self.editor.setMinimumHeight(_LEAST_LINES * self.fontMetrics().lineSpacing())
        is_in_points = font.pointSizeF() > 0
        usual = font.pointSizeF() if is_in_points else QFontInfo(font).pointSizeF()
        font.setPointSizeF(max(1.0, usual + self._zoom))
        self.editor.set_text_font(fixed_font(font))
        self._preview.setFont(font)
        self._preview.document().setDocumentMargin(self.editor.document().documentMargin())
        number_px = self._preview.fontMetrics().horizontalAdvance("00000. ")
        self._preview.document().setIndentWidth(max(_LIST_INDENT_PX, number_px))
