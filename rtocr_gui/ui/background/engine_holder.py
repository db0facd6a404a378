"""The engine and its model, as requests find them: made on first use, and loaded again after it was unloaded.

Everything here runs on the model lane, where importing torch belongs. Knows requests; no page, no widget.
"""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from rtocr_gui.errors import RtocrError
from rtocr_gui.ocr.memory.fit import Fit
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.replies import RequestFailed

_NOT_BACK = "The model could not be loaded again."


class EngineHolder(QObject):
    """Holds one engine.

    Signals:
        unloaded (): its model no longer takes memory.
        reload_began (), reloaded (LoadedModel), reload_failed (RequestFailed): the model is needed again.

    Args:
        engine_factory: makes the engine, which imports torch.
        new_id: returns an id that is larger than those of all requests so far.
    """

    unloaded = Signal()
    reload_began = Signal()
    reloaded = Signal(object)
    reload_failed = Signal(object)

    def __init__(self, engine_factory: Callable[[], PageEngine], new_id: Callable[[], int]) -> None:
        super().__init__()
        self._engine_factory = engine_factory
        self._new_id = new_id
        self._engine: PageEngine | None = None
        self._loaded: LoadRequest | None = None
        self._failed_id = 0

    def fit(self, request: LoadRequest) -> Fit:
        """Find out whether a model would fit into memory; see `Engine.fit`."""
        return self._made().fit(request.folder, request.device, request.precision, request.scaling)

    def load(self, request: LoadRequest) -> LoadedModel:
        """Load a model in place of the loaded one; see `Engine.load`.

        If that fails, the previous model is still loaded, or unloaded until something needs it.
        """
        engine = self._made()
        was_loaded = engine.is_loaded
        try:
            model = _load(engine, request)
        finally:
            if was_loaded and not engine.is_loaded:
                self.unloaded.emit()
        self._loaded = request
        return model

    def unload(self) -> None:
        """Free the memory of the model, if one is loaded, until something needs it."""
        if self._engine is not None and self._engine.is_loaded:
            self._engine.unload()
            self.unloaded.emit()

    def ready(self, request_id: int) -> PageEngine:
        """Return the engine with its model, which is loaded again if it was unloaded.

        Once that has failed, only a newer request tries again.

        Raises:
            RtocrError: there is no model, or it could not be loaded again.
        """
        if self._engine is None or self._loaded is None:
            raise RtocrError("No model is loaded yet. Choose a model first.")
        if not self._engine.is_loaded:
            if request_id < self._failed_id:
                raise RtocrError(_NOT_BACK)
            self.reload_began.emit()
            try:
                self.reloaded.emit(_load(self._engine, self._loaded))
            except BaseException as error:
                self._failed_id = self._new_id()
                self.reload_failed.emit(RequestFailed.by(self._failed_id, error))
                raise RtocrError(_NOT_BACK) from error
        return self._engine

    def _made(self) -> PageEngine:
        if self._engine is None:
            self._engine = self._engine_factory()
        return self._engine


def _load(engine: PageEngine, request: LoadRequest) -> LoadedModel:
    return engine.load(request.folder, request.device, request.precision, request.scaling, request.anyway)
