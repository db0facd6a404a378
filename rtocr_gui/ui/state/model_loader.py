"""Loads models, each replacing the previous one; if one cannot be loaded, the previous one stays in use.

A model in use may be unloaded for a while: the bridge loads it again when something needs it. Asks the bridge
and ignores its other answers. Knows neither pages nor widgets.
"""

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.replies import FitJudged, ModelLoaded, RequestFailed
from rtocr_gui.ui.state.shown import ModelStatus


class ModelLoader(QObject):
    """The model in use.

    Signals:
        adopted (LoadedModel, LoadRequest): another model is now in use, or the same one loaded differently.
        kept (): a model could not be loaded; the previous one is still in use.
        missing (): a model could not be loaded and none is in use, or the one in use cannot be loaded again.
        refused (RequestFailed, LoadRequest): why a model could not be loaded; precedes `kept` and `missing`.
        fit_judged (FitJudged): whether a model fits into memory.
        status_changed (ModelStatus): what the window says about the model, where no other signal implies it.

    Args:
        bridge: loads.
        parent: Qt parent.
    """

    adopted = Signal(object, object)
    kept = Signal()
    missing = Signal()
    refused = Signal(object, object)
    fit_judged = Signal(object)
    status_changed = Signal(object)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._model: LoadedModel | None = None
        self._unloaded = self._reloading = False
        self._load_id = 0
        self._asked: LoadRequest | None = None
        self._loaded: LoadRequest | None = None
        self._fit_id = 0
        bridge.model_loaded.connect(self._adopt)
        bridge.model_unloaded.connect(self._note_unloaded)
        bridge.reload_began.connect(self._note_reload)
        bridge.model_reloaded.connect(self._take_back)
        bridge.reload_failed.connect(self._report_reload)
        bridge.fit_judged.connect(self._pass_on_fit)
        bridge.request_failed.connect(self._report)

    @property
    def model(self) -> LoadedModel | None:
        """The model in use, even while it is unloaded; None before the first is loaded."""
        return self._model

    @property
    def is_loaded(self) -> bool:
        """True while the model in use takes memory."""
        return self._model is not None and not self._unloaded

    @property
    def asked(self) -> LoadRequest | None:
        """What is being loaded; None while nothing is."""
        return self._asked

    @property
    def status(self) -> ModelStatus:
        """What the window says about the model in use, or the one being loaded."""
        if self._asked is not None:
            return ModelStatus(None, f"Loading {self._asked.folder.name}…", loading=True)
        if self._model is None:
            return ModelStatus(None, "No model is loaded.")
        name = self._model.info.name
        if self._reloading:
            return ModelStatus(self._model, f"Loading {name}…", loading=True, unloaded=True)
        return ModelStatus(
            self._model, f"{name} (unloaded)" if self._unloaded else name, unloaded=self._unloaded
        )

    def load(self, request: LoadRequest) -> None:
        """Load a checkpoint folder in place of the model in use."""
        self._asked = request
        self.status_changed.emit(self.status)
        self._load_id = self._bridge.load_model(request)

    def judge_fit(self, request: LoadRequest) -> None:
        """Find out whether a model fits into memory."""
        self._fit_id = self._bridge.judge_fit(request)

    def unload(self) -> None:
        """Unload the model in use until it is needed."""
        self._bridge.unload_model()

    @Slot(object)
    def _adopt(self, reply: ModelLoaded) -> None:
        self._model, self._loaded = reply.model, reply.request
        self._unloaded = self._reloading = False
        if reply.request_id == self._load_id:
            self._asked = None
        self.adopted.emit(reply.model, reply.request)

    @Slot()
    def _note_unloaded(self) -> None:
        self._unloaded = True
        self.status_changed.emit(self.status)

    @Slot()
    def _note_reload(self) -> None:
        self._reloading = True
        self.status_changed.emit(self.status)

    @Slot(object)
    def _take_back(self, model: LoadedModel) -> None:
        self._model, self._unloaded, self._reloading = model, False, False
        self.status_changed.emit(self.status)

    @Slot(object)
    def _report_reload(self, failure: RequestFailed) -> None:
        self._reloading = False
        self.status_changed.emit(self.status)
        self.refused.emit(failure, self._loaded)
        self.missing.emit()

    @Slot(object)
    def _pass_on_fit(self, reply: FitJudged) -> None:
        if reply.request_id == self._fit_id:
            self.fit_judged.emit(reply)

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id != self._load_id:
            return
        asked, self._asked = self._asked, None
        self.refused.emit(failure, asked)
        if self._model is not None:
            self.kept.emit()
        else:
            self.missing.emit()
            self.status_changed.emit(ModelStatus(None, failure.sentence))
