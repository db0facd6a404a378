"""Loads models, one in place of the other; one that cannot be loaded leaves the one before it in use.

Asks the bridge and drops what else it answers. Knows neither pages nor widgets.
"""

from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.reading import LoadedModel
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.replies import RequestFailed
from rtocr_gui.ui.shown import ModelStatus


class ModelLoader(QObject):
    """The model in use.

    Signals:
        adopted (LoadedModel): another model is in use from now on.
        kept (LoadedModel): a model could not be loaded; this one is still in use.
        missing (): a model could not be loaded, and there is none in use.
        refused (str): why a model could not be loaded; precedes `kept` and `missing`.
        status_changed (ModelStatus): what the window says of the model.

    Args:
        bridge: loads.
        parent: Qt parent.
    """

    adopted = Signal(object)
    kept = Signal(object)
    missing = Signal()
    refused = Signal(str)
    status_changed = Signal(object)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._model: LoadedModel | None = None
        self._load_id = 0
        bridge.model_loaded.connect(self._adopt)
        bridge.request_failed.connect(self._report)

    @property
    def model(self) -> LoadedModel | None:
        """The model in use; None before the first is loaded."""
        return self._model

    def load(self, folder: Path, device: str) -> None:
        """Load a checkpoint folder in place of the model in use."""
        self.status_changed.emit(ModelStatus(None, f"Loading {folder.name}…", loading=True))
        self._load_id = self._bridge.load_model(folder, device)

    @Slot(object)
    def _adopt(self, model: LoadedModel) -> None:
        self._model = model
        self.adopted.emit(model)

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id != self._load_id:
            return
        self.refused.emit(failure.sentence)
        if self._model is not None:
            self.kept.emit(self._model)
        else:
            self.missing.emit()
            self.status_changed.emit(ModelStatus(None, failure.sentence))
