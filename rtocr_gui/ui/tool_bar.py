"""The toolbar: what is done most often, how a page is read, and which model reads it."""

import html

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from rtocr_gui.ocr.reading import TASKS, LoadedModel, Mode, Task
from rtocr_gui.ui.actions import MENUS, fill
from rtocr_gui.ui.shown import ModelStatus


class ToolBar(QToolBar):
    """Actions, the choice of mode and task, and a chip that names the model.

    Signals:
        mode_chosen(Mode): pages should be scaled in another way.
        task_chosen(Task): the model should be asked for something else.

    Args:
        actions: every action of the window, by name.
        parent: Qt parent.
    """

    mode_chosen = Signal(object)
    task_chosen = Signal(object)

    def __init__(self, actions: dict[str, QAction], parent: QWidget | None = None) -> None:
        super().__init__("Main toolbar", parent)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.mode_box = QComboBox()
        self.task_box = QComboBox()
        self.model_chip = QToolButton()
        fill(self, ("open", "", "read", "read_all", "stop", ""), actions)
        self._add_choice("Mode", self.mode_box, "How the page is scaled; larger modes see smaller print")
        self._add_choice("Task", self.task_box, "What the model is asked for")
        fill(self, ("", "export"), actions)
        spacer = QWidget()
        spacer.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(spacer)
        self.model_chip.setAccessibleName("Model")
        self.model_chip.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.model_chip)
        fill(menu, MENUS["&Model"], actions)
        self.model_chip.setMenu(menu)
        self.addWidget(self.model_chip)
        self.mode_box.activated.connect(lambda _: self.mode_chosen.emit(self.mode_box.currentData()))
        self.task_box.activated.connect(lambda _: self.task_chosen.emit(self.task_box.currentData()))

    def _add_choice(self, name: str, box: QComboBox, tip: str) -> None:
        box.setAccessibleName(name)
        box.setToolTip(tip)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        caption = QLabel(f" {name} ")
        caption.setBuddy(box)
        self.addWidget(caption)
        self.addWidget(box)

    def show_model(self, status: ModelStatus, mode: Mode, task: Task) -> None:
        """Name the model, offer what it was made for, and show the choices in use."""
        model = status.model
        self.model_chip.setText(status.sentence if model or status.loading else "No model")
        # A checkpoint describes itself: escaped, so that no markup of its own is rendered.
        self.model_chip.setToolTip(
            f"<span>{html.escape(model.info.description if model else status.sentence)}</span>"
        )
        with QSignalBlocker(self.mode_box), QSignalBlocker(self.task_box):
            self._offer(model)
            self.mode_box.setCurrentIndex(list(Mode).index(mode))
            self.task_box.setCurrentText(task.label)

    def _offer(self, model: LoadedModel | None) -> None:
        self.mode_box.clear()
        for mode in Mode:
            name = mode.value.capitalize()
            trained = model is None or mode in model.info.modes
            self.mode_box.addItem(name if trained else f"{name} (untrained)", mode)
        self.task_box.clear()
        for task in model.info.tasks if model else TASKS:
            self.task_box.addItem(task.label, task)
