"""Which model reads, where and how it runs, and when it frees its memory.

The session's part for the model. Two controllers do the work, and the choices remember it:

    ModelLoader   has models loaded, and knows the one in use
    IdleUnloader  has it unloaded when it has been idle for long

Only what worked is remembered. Knows neither pages nor widgets.
"""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.reading import Scaling
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.replies import RequestFailed
from rtocr_gui.ui.state.choices import Choices
from rtocr_gui.ui.state.idle_unloader import IdleUnloader
from rtocr_gui.ui.state.model_loader import ModelLoader
from rtocr_gui.ui.state.notices import LoadModel, Notice, refusal
from rtocr_gui.ui.state.shown import ModelStatus


class Models(QObject):
    """The model in use, and the requests about it.

    Signals:
        changed (ModelStatus): what the window says about the model.
        left (): the person wants another model; the work of the current one should end.
        adopted (): another one is in use from now on, or the same loaded differently.
        ready (): there is a model to read with, a new one or still the previous one.
        missing (): there is none, or it cannot be loaded again.
        fit_judged (FitJudged): whether a model fits into memory.
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
    ready = Signal()
    missing = Signal()
    fit_judged = Signal(object)
    notice_raised = Signal(object)

    def __init__(
        self, bridge: EngineBridge, choices: Choices, bundled: Path, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._choices = choices
        self._bundled = bundled
        self._loader = ModelLoader(bridge, self)
        self.idle = IdleUnloader(bridge, self)
        self._loader.adopted.connect(self._adopt)
        self._loader.kept.connect(self._go_on)
        self._loader.missing.connect(self.missing)
        self._loader.refused.connect(self._refuse)
        self._loader.status_changed.connect(self.changed)
        self._loader.fit_judged.connect(self.fit_judged)
        self.changed.connect(self._watch)

    @property
    def model(self) -> LoadedModel | None:
        """The model in use, even while it is unloaded; None before the first is loaded."""
        return self._loader.model

    @property
    def is_loaded(self) -> bool:
        """True while the model in use takes memory."""
        return self._loader.is_loaded

    @property
    def status(self) -> ModelStatus:
        """What the window says about the model in use, or the one being loaded."""
        return self._loader.status

    # Wishes --------------------------------------------------------------------------------

    @Slot()
    def load(self) -> None:
        """Load the remembered model, or the bundled one."""
        self._loader.load(self._request(self._folder))

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
        is_there = self.is_loaded or self._loader.asked is not None
        if not is_there or request != self._wanted:
            self.left.emit()
            self._loader.load(request)

    @Slot()
    def unload(self) -> None:
        """Free the memory of the model until something needs it."""
        self._loader.unload()

    @Slot(int)
    def set_unload_after(self, minutes: int) -> None:
        """Remember after how many idle minutes a large model is unloaded; 0 for never."""
        self._choices.remember(unload_after_min=minutes)
        self._watch()

    @Slot(object)
    def judge_fit(self, folder: Path) -> None:
        """Find out whether a model would fit into memory."""
        request = self._request(folder)
        each_page_decides = Scaling(None, self._choices.settings.most_tiles)
        self._loader.judge_fit(replace(request, scaling=request.scaling or each_page_decides))

    @property
    def _wanted(self) -> LoadRequest:
        """What is being loaded, or how the model in use would be loaded."""
        return self._loader.asked or self._request(self._folder)

    @property
    def _folder(self) -> Path:
        folder = self._choices.settings.model_folder
        return Path(folder) if folder else self._bundled

    def _request(self, folder: Path) -> LoadRequest:
        """How a model is loaded now; a mode chosen for another model is ignored."""
        settings = self._choices.settings
        is_chosen = bool(settings.mode) and folder == self._folder
        scaling = self._choices.scaling if is_chosen else None
        return LoadRequest(folder, settings.device, settings.precision, scaling)

    # Answers -------------------------------------------------------------------------------

    @Slot(object, object)
    def _adopt(self, model: LoadedModel, asked: LoadRequest) -> None:
        choices = self._choices
        choices.remember(device=asked.device, precision=asked.precision)
        choices.adopt(model.info, is_bundled=model.info.folder == self._bundled)
        if asked.changes_scaling and asked.scaling is not None:
            choices.remember(mode=asked.scaling.name, most_tiles=asked.scaling.most_tiles)
        self.adopted.emit()
        self._go_on()

    @Slot()
    def _go_on(self) -> None:
        self.changed.emit(self.status)
        if self._loader.asked is None:
            self.ready.emit()

    @Slot(object, object)
    def _refuse(self, failure: RequestFailed, asked: LoadRequest) -> None:
        """Report that the requested model was not loaded, offer alternatives, and show what is in use."""
        if failure.fit is None:
            # The remembered device or folder may keep any model from loading.
            rescue = LoadRequest(self._bundled)
            is_stuck = self.model is None and asked != rescue
            offers = (LoadModel("Use the bundled miniature", rescue),) if is_stuck else ()
            self.notice_raised.emit(Notice(failure.sentence, offers))
        else:
            self.notice_raised.emit(refusal(failure.fit, asked, self._request(self._bundled)))

    @Slot()
    def _watch(self) -> None:
        loaded = self.model if self.is_loaded else None
        self.idle.watch(loaded, self._choices.settings.unload_after_min)
