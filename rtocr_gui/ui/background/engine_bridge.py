"""Runs everything slow off the main thread: documents, the model, plans.

The bridge owns five lanes. The *document lane* opens files and renders pages (`open_documents`), thumbnails
when nothing else waits. The *export lane* writes files, page by page, while other pages are viewed. The
*model lane* imports torch, loads the model, encodes and reads (`page_scheduler`). The *plan lane* plans from
an immutable `EncodedPage` while the slider moves. The *compute lane* solves where merged tokens go, and does
whatever else would block the main thread, or the plans of a moving slider, for too long. Each request is
answered by frozen replies that carry its id; workers emit signals, and only slots on the main thread touch
widgets. Knows no widget and no program state: whoever asked compares the id, and drops an answer that is no
longer wanted.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from PySide6.QtCore import QObject, Signal, SignalInstance
from PySide6.QtGui import QImage

from rtocr_gui.documents.loading import list_files
from rtocr_gui.documents.pages import PageImage, PageRef
from rtocr_gui.errors import DocumentError, RtocrError
from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.pages_together import PageRequest
from rtocr_gui.ocr.reading import EncodedPage, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, Transport, plan_pruning
from rtocr_gui.ui.background.images import as_qimage
from rtocr_gui.ui.background.lanes import Lane, wait_for
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.open_documents import OpenDocuments
from rtocr_gui.ui.background.page_reading import PageReading
from rtocr_gui.ui.background.page_scheduler import PageScheduler, PageToEncode
from rtocr_gui.ui.background.replies import (
    Computed,
    DocumentOpened,
    Exported,
    ExportProgressed,
    FitJudged,
    FolderListed,
    ModelLoaded,
    PageEncoded,
    PageRendered,
    PlanComputed,
    ReadingFinished,
    ReadingTraced,
    RequestFailed,
    RequestStopped,
    StageEntered,
    TextStreamed,
    TransportSolved,
)

RenderPage = Callable[[PageRef], PageImage]
"""Renders a page, or raises a `DocumentError`."""

NOT_SAVED = "The image could not be saved to a file. Free some space, and try again."
_NOT_BACK = "The model could not be loaded again."


class _Stopped(BaseException):
    """Ends a job that was stopped; not an `Exception`, so that no handler of an export recovers from it."""


class EngineBridge(QObject):
    """Takes requests on the main thread, and answers them with signals from the lanes.

    Signals (each carries one frozen value):
        document_opened (DocumentOpened), folder_listed (FolderListed),
        page_rendered (PageRendered), thumbnail_rendered (PageRendered),
        export_progressed (ExportProgressed), exported (Exported), fit_judged (FitJudged),
        model_loaded (ModelLoaded), model_unloaded (), reload_began (),
        model_reloaded (LoadedModel), reload_failed (RequestFailed),
        stage_entered (StageEntered), page_encoded (PageEncoded),
        text_streamed (TextStreamed), reading_finished (ReadingFinished),
        reading_traced (ReadingTraced), plan_computed (PlanComputed), transport_solved (TransportSolved),
        computed (Computed), request_stopped (RequestStopped), request_failed (RequestFailed).

    Args:
        engine_factory: makes the engine; called on the model lane, where importing torch belongs.
    """

    document_opened = Signal(object)
    folder_listed = Signal(object)
    page_rendered = Signal(object)
    thumbnail_rendered = Signal(object)
    export_progressed = Signal(object)
    exported = Signal(object)
    fit_judged = Signal(object)
    model_loaded = Signal(object)
    model_unloaded = Signal()
    reload_began = Signal()
    model_reloaded = Signal(object)
    reload_failed = Signal(object)
    stage_entered = Signal(object)
    page_encoded = Signal(object)
    text_streamed = Signal(object)
    reading_finished = Signal(object)
    reading_traced = Signal(object)
    plan_computed = Signal(object)
    transport_solved = Signal(object)
    computed = Signal(object)
    request_stopped = Signal(object)
    request_failed = Signal(object)

    def __init__(self, engine_factory: Callable[[], PageEngine]) -> None:
        super().__init__()
        self._engine_factory = engine_factory
        self._engine: PageEngine | None = None
        self._loaded_request: LoadRequest | None = None
        self._ids = itertools.count(1)
        self._failed_reload_id = 0
        self._documents = OpenDocuments()
        self._document_lane = Lane("documents")
        self._export_lane = Lane("export")
        self._model_lane = Lane("model")
        self._plan_lane = Lane("plan")
        self._compute_lane = Lane("compute")
        signals: dict[type, SignalInstance] = {
            StageEntered: self.stage_entered,
            PageEncoded: self.page_encoded,
            TextStreamed: self.text_streamed,
            ReadingFinished: self.reading_finished,
            RequestStopped: self.request_stopped,
            RequestFailed: self.request_failed,
        }
        self._scheduler = PageScheduler(
            self._model_lane, self._loaded_engine, lambda reply: signals[type(reply)].emit(reply)
        )
        self._newest_ids: dict[type, int] = {}  # by the reply that is wanted
        # Held by the jobs that check them; an event vanishes with its last job.
        self._cancels: WeakValueDictionary[int, threading.Event] = WeakValueDictionary()

    # Documents -----------------------------------------------------------------------------

    def open_document(self, path: Path, password: str | None = None) -> int:
        """List the pages of a file. Answered by `document_opened`, for a folder by `folder_listed`."""
        request_id = next(self._ids)

        def job() -> None:
            found = list_files(path)
            if found.files == (path,):
                self._open(request_id, path, password)
            else:
                self.folder_listed.emit(FolderListed(request_id, path, found.files, found.left_out))

        return self._submit(self._document_lane, request_id, job)

    def open_picture(self, picture: QImage, path: Path) -> int:
        """Save a picture to a PNG file and list its page. Answered by `document_opened`."""
        request_id = next(self._ids)

        def job() -> None:
            if not picture.save(str(path)):
                raise DocumentError(NOT_SAVED)
            self._open(request_id, path)

        return self._submit(self._document_lane, request_id, job)

    def _open(self, request_id: int, path: Path, password: str | None = None) -> None:
        pages = self._documents.open(path, password)
        self.document_opened.emit(DocumentOpened(request_id, path, pages))

    def close_document(self, path: Path) -> None:
        """Close a file and its handles, after the exports requested before.

        It is closed on the document lane, for whose jobs no export should have to wait.
        """
        request_id, close = next(self._ids), self._documents.closer(path)

        def close_later() -> None:
            self._submit(self._document_lane, request_id, close)

        self._submit(self._export_lane, request_id, close_later)

    def render_page(self, ref: PageRef) -> int:
        """Render a page at full size. Answered by `page_rendered`, unless a newer page is requested."""

        def job(request_id: int) -> None:
            image = as_qimage(self._documents.page(ref).image)
            self.page_rendered.emit(PageRendered(request_id, ref, image))

        return self._submit_newest(self._document_lane, PageRendered, job)

    def render_thumbnail(self, ref: PageRef) -> int:
        """Render a small page, after all that is wanted more urgently.

        Answered by `thumbnail_rendered`, with a null image if that fails.
        """
        request_id = next(self._ids)

        def job() -> None:
            try:
                image = as_qimage(self._documents.thumbnail(ref))
            except RtocrError:
                image = QImage()  # the page itself says why once it is shown
            self.thumbnail_rendered.emit(PageRendered(request_id, ref, image))

        return self._submit(self._document_lane, request_id, job, is_idle=True)

    def export(self, write: Callable[[RenderPage], None]) -> int:
        """Have files written, after those requested before. Answered by `export_progressed` and `exported`.

        If it is stopped while it still needs pages, it is answered by `request_stopped` last.

        Args:
            write: called on the export lane. Once stopped, or if the bridge is closed, it gets no more pages.
        """
        request_id = next(self._ids)
        cancel = self._cancels[request_id] = threading.Event()
        taken = itertools.count(1)

        def render(ref: PageRef) -> PageImage:
            if cancel.is_set():
                raise _Stopped
            page = self._documents.page(ref)
            self.export_progressed.emit(ExportProgressed(request_id, next(taken)))
            return page

        def job() -> None:
            write(render)
            self.exported.emit(Exported(request_id))

        return self._submit(self._export_lane, request_id, job)

    # Model ---------------------------------------------------------------------------------

    @property
    def is_model_busy(self) -> bool:
        """True while something is being done with the model, or waits to be."""
        return self._model_lane.is_busy

    def judge_fit(self, request: LoadRequest) -> int:
        """Find out whether a model would fit into memory. Answered by `fit_judged`, unless asked again."""

        def job(request_id: int) -> None:
            fit = self._made_engine().fit(request.folder, request.device, request.precision, request.scaling)
            self.fit_judged.emit(FitJudged(request_id, request.folder, fit))

        return self._submit_newest(self._model_lane, FitJudged, job)

    def load_model(self, request: LoadRequest) -> int:
        """Import torch if necessary, and load a checkpoint.

        Answered by `model_loaded`, unless another is requested before this one's turn comes. If loading
        fails, the previous model is still loaded, or (`model_unloaded`) is loaded again once it is needed.
        """

        def job(request_id: int) -> None:
            engine = self._made_engine()
            was_loaded = engine.is_loaded
            try:
                model = _load(engine, request)
            finally:
                if was_loaded and not engine.is_loaded:
                    self.model_unloaded.emit()
            self._loaded_request = request
            self.model_loaded.emit(ModelLoaded(request_id, request, model))

        return self._submit_newest(self._model_lane, ModelLoaded, job)

    def unload_model(self) -> int:
        """Unload the model until it is needed. Answered by `model_unloaded` if one was loaded."""

        def job() -> None:
            if self._engine is not None and self._engine.is_loaded:
                self._engine.unload()
                self.model_unloaded.emit()

        return self._submit(self._model_lane, next(self._ids), job)

    def encode_page(self, ref: PageRef, scaling: Scaling) -> int:
        """Encode and measure a page without reading it; between two passes if pages are being read.

        Answered by `page_encoded`, unless a newer page is requested before this one's turn comes.
        """

        def render(request_id: int) -> None:
            page = self._documents.page(ref)
            is_wanted = partial(self._is_newest, PageEncoded, request_id)
            self._scheduler.encode(PageToEncode(request_id, page, scaling, is_wanted))

        return self._submit_newest(self._document_lane, PageEncoded, render)

    def read_page(self, ref: PageRef, settings: ReadSettings, with_others: bool = False) -> int:
        """Read a page. Answered by stages, `page_encoded`, streamed text and, last, `reading_finished`.

        A reading that is stopped before its turn comes is answered by `request_stopped` alone.

        Args:
            ref: which page.
            settings: how to read it.
            with_others: read it in the same passes as other pages with this flag.
        """
        request_id = next(self._ids)
        cancel = self._cancels[request_id] = threading.Event()

        def render() -> None:
            request = PageRequest(self._documents.page(ref), settings, cancel)
            self._scheduler.read(PageReading(request_id, request, with_others))

        return self._submit(self._document_lane, request_id, render, cancel)

    def trace_page(self, ref: PageRef, settings: ReadSettings, token_ids: Sequence[int]) -> int:
        """Find out where on its page a finished reading was read. Answered by `reading_traced`.

        A trace that is stopped is answered by `request_stopped`.
        """
        request_id = next(self._ids)
        cancel = self._cancels[request_id] = threading.Event()

        def trace(page: PageImage) -> None:
            found = self._loaded_engine(request_id).trace(page, settings, token_ids, cancel)
            if found is None:
                raise _Stopped
            self.reading_traced.emit(ReadingTraced(request_id, found))

        def render() -> None:
            page = self._documents.page(ref)
            self._submit(self._model_lane, request_id, lambda: trace(page), cancel)

        return self._submit(self._document_lane, request_id, render, cancel)

    def stop(self, request_id: int) -> None:
        """End a reading or a trace after its pass, an export after its page; keep others from starting."""
        cancel = self._cancels.get(request_id)
        if cancel is not None:
            cancel.set()

    # Plans and other figures -------------------------------------------------------------

    def compute_plan(self, encoded: EncodedPage, settings: PruneSettings) -> int:
        """Plan for a ratio. Answered by `plan_computed`, unless a newer plan is requested meanwhile."""

        def job(request_id: int) -> None:
            plan = plan_pruning(encoded.layout, encoded.measures, settings)
            self.plan_computed.emit(PlanComputed(request_id, plan))

        return self._submit_newest(self._plan_lane, PlanComputed, job)

    def solve_transport(self, plan: PrunePlan) -> int:
        """Solve where the merged tokens of a plan go.

        Answered by `transport_solved`, unless a newer one is requested meanwhile.
        """

        def job(request_id: int) -> None:
            self.transport_solved.emit(TransportSolved(request_id, _solve_transport(plan)))

        return self._submit_newest(self._compute_lane, TransportSolved, job)

    def compute(self, work: Callable[[], object]) -> int:
        """Run work that takes too long for the main thread. Answered by `computed`.

        Work that is stopped before its turn comes is answered by `request_stopped`.
        """
        request_id = next(self._ids)
        cancel = self._cancels[request_id] = threading.Event()

        def job() -> None:
            self.computed.emit(Computed(request_id, work()))

        return self._submit(self._compute_lane, request_id, job, cancel)

    # Life ----------------------------------------------------------------------------------

    def close(self, timeout_s: float, writing_timeout_s: float = 0) -> bool:
        """Cancel running jobs and end the lanes.

        Args:
            timeout_s: how long to wait for them.
            writing_timeout_s: how long to wait, before that, for a file that is being written.

        Returns:
            False if one is still busy then.
        """
        for cancel in list(self._cancels.values()):
            cancel.set()
        lanes = (
            self._export_lane,
            self._document_lane,
            self._model_lane,
            self._plan_lane,
            self._compute_lane,
        )
        for lane in lanes:
            lane.close_soon()
        self._export_lane.wait(writing_timeout_s)
        ended = wait_for(lanes, timeout_s)
        if ended:
            self._documents.close_all()
        return ended

    def _loaded_engine(self, request_id: int) -> PageEngine:
        """The engine with its model, which is loaded again if it was unloaded.

        Once that has failed, only a newer request tries again.
        """
        if self._engine is None or self._loaded_request is None:
            raise RtocrError("No model is loaded yet. Choose a model first.")
        if not self._engine.is_loaded:
            if request_id < self._failed_reload_id:
                raise RtocrError(_NOT_BACK)
            self.reload_began.emit()
            try:
                self.model_reloaded.emit(_load(self._engine, self._loaded_request))
            except BaseException as error:
                self._failed_reload_id = next(self._ids)
                self.reload_failed.emit(RequestFailed.by(self._failed_reload_id, error))
                raise RtocrError(_NOT_BACK) from error
        return self._engine

    def _made_engine(self) -> PageEngine:
        """The engine, made on first use, which imports torch."""
        if self._engine is None:
            self._engine = self._engine_factory()
        return self._engine

    def _is_newest(self, reply: type, request_id: int) -> bool:
        return self._newest_ids[reply] == request_id

    def _submit_newest(self, lane: Lane, reply: type, job: Callable[[int], None]) -> int:
        """Queue a job that takes its id; it is dropped if one for the same reply comes before its turn."""
        request_id = self._newest_ids[reply] = next(self._ids)

        def job_if_newest() -> None:
            if self._is_newest(reply, request_id):
                job(request_id)

        return self._submit(lane, request_id, job_if_newest)

    def _submit(
        self,
        lane: Lane,
        request_id: int,
        job: Callable[[], None],
        cancel: threading.Event | None = None,
        *,
        is_idle: bool = False,
    ) -> int:
        """Queue a job, which does not begin once `cancel` is set.

        `_Stopped` becomes a `request_stopped`, anything else that it raises a `request_failed`.
        """

        def guarded() -> None:
            try:
                if cancel is not None and cancel.is_set():
                    raise _Stopped
                job()
            except _Stopped:
                self.request_stopped.emit(RequestStopped(request_id))
            except BaseException as error:
                # The last line of defence: no unexpected error, nor a library's panic, kills the lane.
                self.request_failed.emit(RequestFailed.by(request_id, error))

        lane.submit(guarded, is_idle=is_idle)
        return request_id


def _load(engine: PageEngine, request: LoadRequest) -> LoadedModel:
    return engine.load(request.folder, request.device, request.precision, request.scaling, request.anyway)


def _solve_transport(plan: PrunePlan) -> Transport:
    from rtocr_gui.pruning.transport import transport_of  # imports torch

    return transport_of(plan)
