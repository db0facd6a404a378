"""Which model reads, where and how it runs, and when it frees its memory.

The session's part for the model. Each model replaces the previous one; if one cannot be loaded, the previous
one stays in use, and only what worked is remembered. A model in use may be unloaded for a while: the bridge
loads it again when something needs it. Asks the bridge and ignores its other answers. Knows neither pages nor
widgets.
"""

from dataclasses import replace
from enum import Enum, auto
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.model.model_info import LoadedModel, ModelInfo
from rtocr_gui.ocr.reading import Scaling
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.replies import ModelLoaded, RequestFailed
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.idle_unloader import IdleUnloader
from rtocr_gui.ui.state.notices import LoadModel, Notice, refusal
from rtocr_gui.ui.state.shown import ModelStatus


class _Memory(Enum):
    """Whether the model in use takes memory; `LOST` once it could not be loaded again, which was told."""

    LOADED = auto()
    UNLOADED = auto()
    RELOADING = auto()
    LOST = auto()


class Models(QObject):
    """The model in use, and the requests about it.

    Signals:
        changed (ModelStatus): what the window says about the model.
        left (): the person wants another model; the work of the current one should end.
        adopted (): another one is in use from now on, or the same loaded differently.
        reloaded (Path): the model in use, of this folder, was loaded again.
        ready (): there is a model to read with, a new one or still the previous one.
        missing (): a model could not be loaded and none is in use, or the one in use cannot be loaded again.
        fit_judged (FitJudged): whether a model fits into memory.
        fit_failed (Path, str): why that cannot be told of a model, by its folder.
        notice_raised (Notice): a message to the person.

    Attributes:
        idle: watches how long the model has been idle.

    Args:
        bridge: loads.
        choices: what is remembered.
        bundled: folder of the model that is used if none was chosen.
        parent: Qt parent.
    """

    changed = Signal(object)
    left = Signal()
    adopted = Signal()
    reloaded = Signal(object)
    ready = Signal()
    missing = Signal()
    fit_judged = Signal(object)
    fit_failed = Signal(object, str)
    notice_raised = Signal(object)

    def __init__(
        self, bridge: EngineBridge, choices: Choices, bundled: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._choices = choices
        self._bundled = bundled
        self._model: LoadedModel | None = None
        self._memory = _Memory.LOADED
        self._asked: LoadRequest | None = None
        self._loaded: LoadRequest | None = None
        self._load_id = 0
        self._fit: tuple[int, Path] = (0, bundled)  # the request, and which folder it is about
        self.idle = IdleUnloader(bridge, self)
        bridge.model_loaded.connect(self._adopt)
        bridge.model_unloaded.connect(self._note_unloaded)
        bridge.reload_began.connect(self._note_reload)
        bridge.model_reloaded.connect(self._take_back)
        bridge.reload_failed.connect(self._report_reload)
        bridge.fit_judged.connect(self.fit_judged)
        bridge.request_failed.connect(self._report)
        self.changed.connect(self._watch)

    @property
    def model(self) -> LoadedModel | None:
        """The model in use, even while it is unloaded; None before the first is loaded."""
        return self._model

    @property
    def is_loaded(self) -> bool:
        """True while the model in use takes memory."""
        return self._model is not None and self._memory is _Memory.LOADED

    @property
    def is_lost(self) -> bool:
        """True if the model in use could not be loaded again, which was told."""
        return self._memory is _Memory.LOST

    @property
    def status(self) -> ModelStatus:
        """What the window says about the model in use, or the one being loaded."""
        if self._asked is not None:
            return ModelStatus(None, f"Loading {self._asked.folder.name}…", loading=True)
        if self._model is None:
            return ModelStatus(None, "No model is loaded.")
        name = self._model.info.name
        match self._memory:
            case _Memory.LOADED:
                return ModelStatus(self._model, name)
            case _Memory.RELOADING:
                return ModelStatus(self._model, f"Loading {name}…", loading=True, unloaded=True)
        return ModelStatus(self._model, f"{name} (unloaded)", unloaded=True)

    # Wishes --------------------------------------------------------------------------------

    @Slot()
    def load(self) -> None:
        """Load the remembered model, or the bundled one."""
        self._load(self._request(self._folder))

    @Slot(object)
    def choose(self, folder: Path | None) -> None:
        """Load a checkpoint folder, and remember it once it works; None for the bundled miniature."""
        self.take(self._request(folder or self._bundled))

    @Slot(str)
    def choose_device(self, device: str) -> None:
        """Load the model in use on another device, and remember that once it works."""
        self.take(replace(self._wanted, device=device, anyway=False))

    @Slot(str)
    def choose_precision(self, precision: str) -> None:
        """Load the model in use in another precision, and remember that once it works."""
        self.take(replace(self._wanted, precision=precision, anyway=False))

    def take(self, request: LoadRequest) -> None:
        """Load a model as requested, unless it is already in use or being loaded in exactly this way."""
        is_there = self.is_loaded or self._asked is not None
        if not is_there or request != self._wanted:
            self.left.emit()
            self._load(request)

    def _load(self, request: LoadRequest) -> None:
        self._asked = request
        self.changed.emit(self.status)
        self._load_id = self._bridge.load_model(request)

    @Slot()
    def unload(self) -> None:
        """Free the memory of the model until something needs it."""
        self._bridge.unload_model()

    @Slot(int)
    def set_unload_after(self, minutes: int) -> None:
        """Remember after how many idle minutes a large model is unloaded; 0 for never."""
        self._choices.remember(unload_after_min=minutes)
        self._watch()

    @Slot(object)
    def judge_fit(self, folder: Path) -> None:
        """Find out whether a model would fit into memory."""
        self._fit = self._bridge.judge_fit(self._request(folder)), folder

    @property
    def _wanted(self) -> LoadRequest:
        """What is being loaded, or how the model in use would be loaded."""
        return self._asked or self._request(self._folder)

    @property
    def _folder(self) -> Path:
        folder = self._choices.settings.model_folder
        return Path(folder) if folder else self._bundled

    def _request(self, folder: Path) -> LoadRequest:
        """How a model is loaded now; a mode chosen for another model is ignored."""
        settings = self._choices.settings
        mode = self._choices.mode if folder == self._folder else None
        return LoadRequest(folder, settings.device, settings.precision, Scaling(mode, settings.most_tiles))

    # Answers -------------------------------------------------------------------------------

    @Slot(object)
    def _adopt(self, reply: ModelLoaded) -> None:
        choices, asked = self._choices, reply.request
        self._model, self._loaded = reply.model, asked
        self._memory = _Memory.LOADED
        if reply.request_id == self._load_id:
            self._asked = None
        choices.remember(device=asked.device, precision=asked.precision)
        self._remember(reply.model.info)
        if asked.changes_scaling:
            choices.remember(mode=asked.scaling.name, most_tiles=asked.scaling.most_tiles)
        self.adopted.emit()
        self._go_on()

    def _remember(self, info: ModelInfo) -> None:
        self._choices.adopt(info, is_bundled=info.folder == self._bundled)

    def _go_on(self) -> None:
        self.changed.emit(self.status)
        if self._asked is None:
            self.ready.emit()

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        fit_id, folder = self._fit
        if failure.request_id == fit_id:
            self.fit_failed.emit(folder, failure.sentence)
        if failure.request_id != self._load_id or self._asked is None:
            return
        asked, self._asked = self._asked, None
        self._refuse(failure, asked)
        if self._model is not None:
            self._go_on()
        else:
            self.missing.emit()
            self.changed.emit(ModelStatus(None, failure.sentence))

    def _refuse(self, failure: RequestFailed, asked: LoadRequest) -> None:
        """Report that the requested model was not loaded, and offer alternatives."""
        if failure.fit is None:
            # The remembered device or folder may keep any model from loading.
            rescue = LoadRequest(self._bundled)
            is_stuck = self._model is None and asked != replace(rescue, scaling=asked.scaling)
            offers = (LoadModel("Use the bundled miniature", rescue),) if is_stuck else ()
            self.notice_raised.emit(Notice(failure.sentence, offers, model=asked.folder))
        else:
            self.notice_raised.emit(refusal(failure.fit, asked, self._request(self._bundled)))

    @Slot()
    def _note_unloaded(self) -> None:
        self._memory = _Memory.UNLOADED
        self.changed.emit(self.status)

    @Slot()
    def _note_reload(self) -> None:
        self._memory = _Memory.RELOADING
        self.changed.emit(self.status)

    @Slot(object)
    def _take_back(self, model: LoadedModel) -> None:
        """Go on with the model in use, or with another that has been put in its folder meanwhile."""
        former, self._model = self._model, model
        self._memory = _Memory.LOADED
        self.reloaded.emit(model.info.folder)
        if former is not None and former.info == model.info:
            self.changed.emit(self.status)
            return
        self.left.emit()
        self._remember(model.info)
        self.adopted.emit()
        self._go_on()

    @Slot(object)
    def _report_reload(self, failure: RequestFailed) -> None:
        self._memory = _Memory.LOST
        self.changed.emit(self.status)
        assert self._loaded is not None, "nothing was loaded that could be loaded again"
        self._refuse(failure, self._loaded)
        self.missing.emit()

    @Slot()
    def _watch(self) -> None:
        loaded = self.model if self.is_loaded else None
        self.idle.watch(loaded, self._choices.settings.unload_after_min)
