"""The toolbar: the most frequent actions, how a page is read, and which model reads it."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)

from rtocr_gui.ocr.asking import ASKS, Ask
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import TASKS, Mode, Task
from rtocr_gui.ui.parts.actions import MENUS, fill
from rtocr_gui.ui.parts.icons import icon
from rtocr_gui.ui.parts.plain_text import plain_tip
from rtocr_gui.ui.parts.wheel import take_wheel_when_focused
from rtocr_gui.ui.state.shown import ModelStatus

_AUTO = "Auto picks for each page the smallest mode in which its print is tall enough to read."


class ToolBar(QToolBar):
    """Actions, the choice of mode and task, and a chip that names the model.

    Signals:
        mode_chosen(Mode, or None for Auto): pages should be scaled in this mode.
        task_chosen(Task): pages should be read with this task.
        words_requested(Ask): this task was chosen and needs words first.

    Args:
        actions: every action of the window, by name.
    """

    mode_chosen = Signal(object)
    task_chosen = Signal(object)
    words_requested = Signal(object)

    def __init__(self, actions: dict[str, QAction]) -> None:
        super().__init__("Main toolbar")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.mode_box = QComboBox()
        self.task_box = QComboBox()
        self.task_box.setPlaceholderText("Default")
        self.model_chip = QPushButton()
        fill(self, ("open", "", "read", "read_all", "stop", ""), actions)
        self._add_choice(
            "Mode", self.mode_box, f"How the page is scaled; larger modes see smaller print. {_AUTO}"
        )
        # Fewer: Qt measures with an X, which is wider than most letters.
        self.mode_box.setMinimumContentsLength(len(_auto_label(Mode.GUNDAM)) - 1)
        self._add_choice("Task", self.task_box, "What the model is asked to do")
        plain_text = next(task for task in TASKS if task.name == "text")
        self.task_box.setMinimumContentsLength(len(plain_text.label) - 2)
        fill(self, ("", "export"), actions)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.model_chip.setAccessibleName("Model")
        self.model_chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self.model_chip)
        fill(menu, MENUS["&Model"], actions)
        self.model_chip.setMenu(menu)
        self.addWidget(self.model_chip)
        for more in self.findChildren(QToolButton, "qt_toolbar_ext_button"):
            more.setIcon(icon("more"))  # Qt's own is dark on dark
            more.setToolTip("Show what has no room in the toolbar")
            more.setAccessibleName("More")
        self.mode_box.activated.connect(lambda _: self.mode_chosen.emit(self.mode_box.currentData()))
        self.task_box.activated.connect(self._choose_task)

    def _add_choice(self, name: str, box: QComboBox, tip: str) -> None:
        box.setAccessibleName(name)
        box.setToolTip(tip)
        take_wheel_when_focused(box)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        caption = QLabel(f" {name} ")
        caption.setBuddy(box)
        self.addWidget(caption)
        self.addWidget(box)

    def show_model(self, status: ModelStatus, mode: Mode | None, task: Task | None) -> None:
        """Name the model, offer its modes and tasks, and show the choices in use.

        Args:
            status: of the model.
            mode: the mode in use; None to let each page decide.
            task: the task in use; None while only the model that is still to come can tell.
        """
        model = status.model
        # A checkpoint names and describes itself: escape this, so that it sets no mnemonic and no markup.
        name = status.sentence if model or status.loading else "No model"
        self.model_chip.setText(name.replace("&", "&&"))
        self.model_chip.setAccessibleDescription(name)
        self.model_chip.setToolTip(plain_tip(model.info.description if model else status.sentence))
        self._offer(model)
        self.mode_box.setCurrentIndex(1 + list(Mode).index(mode) if mode else 0)
        self.show_task(task)

    def show_page_mode(self, mode: Mode | None) -> None:
        """Show which mode Auto chose for the shown page; None before that is known."""
        is_auto = self.mode_box.currentData() is None
        self.mode_box.setItemText(0, _auto_label(mode if is_auto else None))

    def show_task(self, task: Task | None) -> None:
        """Show the task in use; one that takes words quotes them. None as for `show_model`."""
        self.task_box.setCurrentIndex(-1)
        for index in range(self.task_box.count()):
            offered = self.task_box.itemData(index)
            chosen = task if task and offered is not None and offered.name == task.name else None
            if isinstance(offered, Ask):
                self.task_box.setItemText(index, chosen.label if chosen else f"{offered.label}…")
                tip = chosen.words if chosen else offered.question
                self.task_box.setItemData(index, plain_tip(tip), Qt.ItemDataRole.ToolTipRole)
            if chosen:
                self.task_box.setCurrentIndex(index)

    @Slot()
    def _choose_task(self) -> None:
        chosen = self.task_box.currentData()
        if isinstance(chosen, Ask):
            self.words_requested.emit(chosen)
        else:
            self.show_task(chosen)
            self.task_chosen.emit(chosen)

    def _offer(self, model: LoadedModel | None) -> None:
        self.mode_box.clear()
        self.mode_box.addItem(_auto_label(None), None)
        self.mode_box.setItemData(0, _AUTO, Qt.ItemDataRole.ToolTipRole)
        for mode in Mode:
            trained = model is None or mode in model.info.modes
            self.mode_box.addItem(mode.label if trained else f"{mode.label} (untrained)", mode)
        self.task_box.clear()
        for task in model.info.tasks if model else TASKS:
            self.task_box.addItem(task.label, task)
        if model is None or model.info.takes_words:
            self.task_box.insertSeparator(self.task_box.count())
            for ask in ASKS:
                self.task_box.addItem(f"{ask.label}…", ask)


def _auto_label(mode: Mode | None) -> str:
    return f"Auto ({mode.label})" if mode else "Auto"
