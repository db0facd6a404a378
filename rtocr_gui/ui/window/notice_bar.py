"""A strip above the panes that says what went wrong or was done, and offers what can be done about it.

A problem stays until the person dismisses it; a success disappears by itself, but only while it is in sight,
and never from under the pointer or the focus. Carries out nothing: it emits which offer was taken.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ui.parts.form_parts import plain_label
from rtocr_gui.ui.parts.plain_text import breakable, plain_tip
from rtocr_gui.ui.parts.timers import one_shot
from rtocr_gui.ui.state.notices import LoadModel, Notice, Offer, OpenAgain, ReadAgain, ShowFolder
from rtocr_gui.units import grouped

NOTICES_KEPT = 50
"""Most notices to show; older ones are only counted."""
VISIBLE_LINES = 5
LEAVE_AFTER_MS = 10_000
"""How long a notice of success stays: time to read a long path twice."""


class NoticeBar(QFrame):
    """Shows notices as they come, newest last, but below those that stay in view; hidden while empty.

    Signals:
        offer_taken (Offer): the person wants what a notice offers.

    Args:
        leave_after_ms: how long a passing notice stays.
    """

    offer_taken = Signal(object)

    def __init__(self, leave_after_ms: int = LEAVE_AFTER_MS) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Notices")
        self._rows: list[_Row] = []
        self._left_out: list[Notice] = []
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._scroll = QScrollArea()
        self._scroll.setWidget(content)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self._scroll.setAccessibleName("Notices")
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(lambda _, maximum: bar.setValue(maximum))
        self._dismiss = QToolButton()
        self._dismiss.setAutoRaise(True)
        self._dismiss.clicked.connect(self.clear)
        self._read_all = self._make_button_for_all(
            ReadAgain, "Read each of these pages as its own button says"
        )
        self._open_all = self._make_button_for_all(OpenAgain, "Open each of these files as it is now")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.addWidget(self._scroll, 1)
        for button in (self._read_all, self._open_all, self._dismiss):
            layout.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self._leaving = one_shot(self, leave_after_ms, self._let_leave)
        self.hide()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """The shown notices as they stand, oldest first and those that stay in view last."""
        return tuple(row.notice for row in self._rows)

    @Slot(object)
    def add(self, notice: Notice) -> None:
        """Show one more notice, which replaces those that say or offer the same."""
        self._forget(notice.outdates)
        ordinary = [row for row in self._rows if not row.notice.stays_in_view]
        oldest = ordinary[: max(0, len(self._rows) + 1 - NOTICES_KEPT)]
        self._left_out += [row.notice for row in oldest]
        self._drop(oldest)
        row = _Row(notice)
        row.offer_taken.connect(lambda offer: self._take(row, offer))
        place = len(self._rows) if notice.stays_in_view else len(ordinary) - len(oldest)
        self._rows.insert(place, row)
        self._column.insertWidget(place, row)
        row.show()  # now, as hidden widgets have no height
        if notice.is_passing:
            self._leaving.start()
        self.show()
        self._name_buttons()
        self._fit_height()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, notice.sentence))

    @Slot(str)
    def add_problem(self, sentence: str) -> None:
        """Show a sentence that stays until it is dismissed."""
        self.add(Notice(sentence))

    @Slot(object)
    def withdraw(self, refs: Iterable[PageRef]) -> None:
        """Drop what was said of pages, and offers to read them: they are being read, or no longer exist."""
        pages = {ref.unrotated for ref in refs}
        self._forget(lambda notice: notice.is_of(pages))

    @Slot(object)
    def withdraw_problems_of(self, path: Path) -> None:
        """Drop the problems that were told of a file and its pages: it was opened again."""
        self._forget(lambda notice: notice.is_problem and notice.file == path)

    @Slot(object)
    def withdraw_model(self, folder: Path) -> None:
        """Drop what was said of a model that could not be loaded again: now it could."""
        self._forget(lambda notice: notice.model == folder)

    @Slot()
    def withdraw_model_offers(self) -> None:
        """Drop all offers to read or to load, and why others did not load: another model is in use."""
        kinds = ReadAgain | LoadModel
        self._forget(
            lambda notice: notice.model is not None or any(isinstance(each, kinds) for each in notice.offers)
        )

    @Slot()
    def clear(self) -> None:
        """Drop all notices and hide."""
        self._drop(list(self._rows))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_height()

    def _take(self, row: "_Row", offer: Offer) -> None:
        """Emit an offer and drop its notice, as it is taken once; a folder may be looked at again."""
        if not isinstance(offer, ShowFolder):
            self._drop([row])
        self.offer_taken.emit(offer)

    def _make_button_for_all(self, kind: type[Offer], tip: str) -> QPushButton:
        button = QPushButton()
        button.setToolTip(tip)
        button.clicked.connect(lambda: self._take_all(kind))
        button.hide()
        return button

    def _take_all(self, kind: type[Offer]) -> None:
        for row in self._rows_offering(kind):
            if row in self._rows:  # reading a page withdraws other offers to read it
                self._take(row, row.notice.offers[0])

    def _rows_offering(self, kind: type[Offer]) -> "list[_Row]":
        return [row for row in self._rows if isinstance(next(iter(row.notice.offers), None), kind)]

    def _name_buttons(self) -> None:
        """Offer a button for all pages or files that failed, if several did; count notices out of view."""
        for button, verb, kind in ((self._read_all, "Read", ReadAgain), (self._open_all, "Open", OpenAgain)):
            count = len(self._rows_offering(kind))
            button.setText(f"{verb} all {count} again")
            button.setVisible(count > 1)
        total = len(self._left_out) + len(self._rows)
        self._dismiss.setText(f"Dismiss all {grouped(total)}" if total > VISIBLE_LINES else "Dismiss")
        # Setting the text has taken the shortcut away. No stray key hides what nothing tells again.
        has_shortcut = not any(row.notice.outlives_keys for row in self._rows)
        self._dismiss.setShortcut(QKeySequence(Qt.Key.Key_Escape) if has_shortcut else QKeySequence())
        self._dismiss.setToolTip(f"Hide these notices{' (Esc)' if has_shortcut else ''}")

    @Slot()
    def _let_leave(self) -> None:
        focused = QApplication.focusWidget()
        if self.underMouse() or (focused is not None and self.isAncestorOf(focused)):
            self._leaving.start()
            return
        self._left_out = [notice for notice in self._left_out if not notice.is_passing]
        passing = [row for row in self._rows if row.notice.is_passing]
        seen = [row for row in passing if self._shows(row)]
        self._drop(seen)
        if len(seen) < len(passing):
            self._leaving.start()

    def _shows(self, row: "_Row") -> bool:
        """True if a row is visible from top to bottom, or fills the bar."""
        height = row.visibleRegion().boundingRect().height()
        return height >= min(row.height(), self._scroll.viewport().height())

    def _forget(self, is_obsolete: Callable[[Notice], bool]) -> None:
        """Drop all notices of a kind, and count them no longer."""
        self._left_out = [notice for notice in self._left_out if not is_obsolete(notice)]
        self._drop([row for row in self._rows if is_obsolete(row.notice)])

    def _drop(self, rows: "list[_Row]") -> None:
        for row in rows:
            self._rows.remove(row)
            self._column.removeWidget(row)
            row.hide()
            row.deleteLater()
        if not self._rows:
            self._left_out.clear()
        self.setVisible(bool(self._rows))
        self._name_buttons()
        self._fit_height()

    def _fit_height(self) -> None:
        """Give the newest notices so many lines of room, and cut none of them through a line."""
        line, gap = self.fontMetrics().lineSpacing(), self._column.spacing()
        most = VISIBLE_LINES * (line + gap)
        needed = seen = 0
        for row in reversed(self._rows):
            before = needed
            height = max(line, row.height_at(self._scroll.viewport().width()))
            needed += height + gap
            if needed <= most:
                seen = needed
            elif seen == before and (not before or (height >= 2 * line and not row.notice.offers)):
                seen += (most - before) // line * line  # the first that is cut: its button never is
        self._scroll.setFixedHeight(max(line, seen - gap) + 4)
        scrolls = needed > most
        self._scroll.setFocusPolicy(Qt.FocusPolicy.TabFocus if scrolls else Qt.FocusPolicy.NoFocus)


class _Row(QWidget):
    """One notice: its sentence, and a button for its offer, or for a menu of them."""

    offer_taken = Signal(object)

    def __init__(self, notice: Notice) -> None:
        super().__init__()
        self.notice = notice
        label = plain_label(notice.sentence)
        if (whole := breakable(notice.sentence)) != notice.sentence:
            label.setToolTip(plain_tip(whole))  # broken in the bar, it might push the offer out of sight
        label.setAlignment(Qt.AlignmentFlag.AlignVCenter)  # level with the button
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._line = QHBoxLayout(self)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.addWidget(label, 1)
        if notice.offers:
            self._line.addWidget(self._make_button(notice), 0, Qt.AlignmentFlag.AlignTop)

    def height_at(self, width: int) -> int:
        """The height it needs at a width, in pixels."""
        return self._line.totalHeightForWidth(width)

    def _make_button(self, notice: Notice) -> QPushButton:
        if len(notice.offers) == 1:
            (offer,) = notice.offers
            button, tip = QPushButton(offer.label), offer.tip
            button.clicked.connect(lambda: self.offer_taken.emit(offer))
        else:
            button, tip = QPushButton("What to do"), "Choose what to do about this"
            menu = QMenu(button)
            menu.setToolTipsVisible(True)
            for offer in notice.offers:
                action = menu.addAction(offer.label)
                action.setToolTip(plain_tip(offer.tip))
                action.triggered.connect(lambda _=False, offer=offer: self.offer_taken.emit(offer))
            button.setMenu(menu)
        button.setToolTip(plain_tip(tip))
        button.setAccessibleDescription(f"{notice.sentence} {tip}")
        return button
