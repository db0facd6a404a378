"""Runs everything slow off the main thread: documents, the model, plans.

The bridge owns a lane for each job that should not wait for the others. The *file lane* opens and closes
files (`open_documents`). The *page lane* renders pages to be shown, and to be encoded for the overlay, the
*thumbnail lane* small ones, and the *reading lane* those that are read. The *export lane* writes files, page
by page. The *model lane* imports torch, loads the model (`engine_holder`), encodes and reads
(`page_scheduler`). The *plan lane* plans from an immutable `EncodedPage` while the slider moves. The *compute
lane* solves where merged tokens go, and does whatever else would block the main thread, or the plans of a
moving slider, for too long.
Each request (`requests`) is answered by frozen `replies` that carry its id; workers emit signals, and only
slots on the main thread touch widgets. Knows no widget and no program state: whoever asked compares the id,
and drops an answer that is no longer wanted.
"""

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, SignalInstance
from PySide6.QtGui import QImage

from rtocr_gui.documents.folders import list_files
from rtocr_gui.documents.pages import Check, PageImage, PageRef
from rtocr_gui.errors import DocumentError, RtocrError
from rtocr_gui.ocr.page_engine import PageEngine
from rtocr_gui.ocr.pages_together import PageRequest
from rtocr_gui.ocr.reading import EncodedPage, ReadSettings, Scaling
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, Transport, plan_pruning
from rtocr_gui.ui.background.engine_holder import EngineHolder
from rtocr_gui.ui.background.images import as_qimage
from rtocr_gui.ui.background.lanes import Lane, wait_for
from rtocr_gui.ui.background.load_request import LoadRequest
from rtocr_gui.ui.background.open_documents import OpenDocuments, RenderPage
from rtocr_gui.ui.background.page_reading import PageReading
from rtocr_gui.ui.background.page_scheduler import PageScheduler, PageToEncode, Reply
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
from rtocr_gui.ui.background.requests import Request, Requests, Stopped

NOT_SAVED = "The image could not be saved to a file. Free some space, and try again."


class _Postponed(Exception):
    """A page takes long, and others wait behind it."""


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
        self._documents = OpenDocuments()
        self._file_lane = Lane("files")
        self._page_lane = Lane("pages")
        self._thumbnail_lane = Lane("thumbnails")
        self._reading_lane = Lane("pages to read")
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

        def tell(reply: Reply) -> None:
            signals[type(reply)].emit(reply)

        self._requests = Requests(tell)
        self._engine = EngineHolder(engine_factory, self._requests.new_id)
        for told, signal in (
            (self._engine.unloaded, self.model_unloaded),
            (self._engine.reload_began, self.reload_began),
            (self._engine.reloaded, self.model_reloaded),
            (self._engine.reload_failed, self.reload_failed),
        ):
            told.connect(signal, Qt.ConnectionType.DirectConnection)  # so that they stay in order with others
        self._scheduler = PageScheduler(self._model_lane, self._engine.ready, tell)

    # Documents -----------------------------------------------------------------------------

    def open_document(self, path: Path, password: str | None = None) -> int:
        """List the pages of a file. Answered by `document_opened`, for a folder by `folder_listed`.

        Pages of the file that are requested from now on wait until it is open.
        """

        def job(request: Request) -> None:
            with self._documents.opening(path):
                found = list_files(path)
                if found.files == (path,):
                    self._open(request, path, password)
                else:
                    self.folder_listed.emit(FolderListed(request.id, path, found.files, found.left_out))

        self._documents.expect(path)
        return self._requests.submit(self._file_lane, job)

    def open_picture(self, picture: QImage, path: Path) -> int:
        """Save a picture to a PNG file and list its page. Answered by `document_opened`."""

        def job(request: Request) -> None:
            if not picture.save(str(path)):
                raise DocumentError(NOT_SAVED)
            self._open(request, path)

        return self._requests.submit(self._file_lane, job)

    def _open(self, request: Request, path: Path, password: str | None = None) -> None:
        pages = self._documents.open(path, password, request.check)
        self.document_opened.emit(DocumentOpened(request.id, path, pages))

    def close_document(self, path: Path) -> None:
        """Close a file and its handles, after the exports requested before.

        It is closed on the file lane, for whose jobs no export should have to wait.
        """
        close = self._documents.closer(path)

        def close_later(request: Request) -> None:
            self._requests.queue(self._file_lane, request, lambda _: close())

        self._requests.submit(self._export_lane, close_later)

    def render_page(self, ref: PageRef) -> int:
        """Render a page at full size. Answered by `page_rendered`, unless a newer page is requested."""

        def job(request: Request) -> None:
            image = as_qimage(self._documents.page(ref, request.check).image)
            self.page_rendered.emit(PageRendered(request.id, ref, image))

        return self._requests.submit(self._page_lane, job, newest=PageRendered)

    def render_thumbnail(self, ref: PageRef) -> int:
        """Render a small page. Answered by `thumbnail_rendered`, with a null image if that fails."""

        def render(request: Request, check: Check) -> None:
            try:
                image = as_qimage(self._documents.thumbnail(ref, check))
            except RtocrError:
                image = QImage()  # the page itself says why once it is shown
            self.thumbnail_rendered.emit(PageRendered(request.id, ref, image))

        return self._submit_patient(self._thumbnail_lane, render)

    def _submit_patient(self, lane: Lane, render: Callable[[Request, Check], None]) -> int:
        """Have a page rendered, which, if it takes long, waits once for the others on its lane.

        Args:
            lane: where.
            render: called with a check to be made while it waits.
        """

        def first(request: Request) -> None:
            def check() -> None:
                request.check()
                if lane.is_awaited:
                    raise _Postponed

            try:
                render(request, check)
            except _Postponed:
                self._requests.queue(lane, request, lambda request: render(request, request.check))

        return self._requests.submit(lane, first)

    def export(self, write: Callable[[RenderPage], None]) -> int:
        """Have files written, after those requested before. Answered by `export_progressed` and `exported`.

        Args:
            write: called on the export lane. Once stopped, or if the bridge is closed, it gets no more pages.
        """
        taken = itertools.count(1)

        def job(request: Request) -> None:
            def render(ref: PageRef) -> PageImage:
                request.check()
                page = self._documents.page(ref, request.check)
                self.export_progressed.emit(ExportProgressed(request.id, next(taken)))
                return page

            write(render)
            self.exported.emit(Exported(request.id))

        return self._requests.submit(self._export_lane, job)

    # Model ---------------------------------------------------------------------------------

    @property
    def is_model_busy(self) -> bool:
        """True while something is being done with the model, or waits to be."""
        return self._model_lane.is_busy

    def judge_fit(self, load: LoadRequest) -> int:
        """Find out whether a model would fit into memory. Answered by `fit_judged`, unless asked again."""

        def job(request: Request) -> None:
            self.fit_judged.emit(FitJudged(request.id, load.folder, self._engine.fit(load)))

        return self._requests.submit(self._model_lane, job, newest=FitJudged)

    def load_model(self, load: LoadRequest) -> int:
        """Import torch if necessary, and load a checkpoint.

        Answered by `model_loaded`, unless another is requested before this one's turn comes. If loading
        fails, the previous model is still loaded, or (`model_unloaded`) is loaded again once it is needed.
        """

        def job(request: Request) -> None:
            self.model_loaded.emit(ModelLoaded(request.id, load, self._engine.load(load)))

        return self._requests.submit(self._model_lane, job, newest=ModelLoaded)

    def unload_model(self) -> int:
        """Unload the model until it is needed. Answered by `model_unloaded` if one was loaded."""
        return self._requests.submit(self._model_lane, lambda _: self._engine.unload())

    def encode_page(self, ref: PageRef, scaling: Scaling) -> int:
        """Encode and measure a page without reading it; between two passes if pages are being read.

        Answered by `page_encoded`, unless a newer page is requested before this one's turn comes.
        """

        def render(request: Request) -> None:
            page = self._documents.page(ref, request.check)
            self._scheduler.encode(PageToEncode(request.id, page, scaling, request.is_wanted))

        return self._requests.submit(self._page_lane, render, newest=PageEncoded)

    def read_page(self, ref: PageRef, settings: ReadSettings, with_others: bool = False) -> int:
        """Read a page. Answered by stages, `page_encoded`, streamed text and, last, `reading_finished`.

        Args:
            ref: which page.
            settings: how to read it.
            with_others: read it in the same passes as other pages with this flag.
        """

        def render(request: Request, check: Check) -> None:
            page = PageRequest(self._documents.page(ref, check), settings, request.cancel)
            self._scheduler.read(PageReading(request.id, page, with_others))

        return self._submit_patient(self._reading_lane, render)

    def trace_page(self, ref: PageRef, settings: ReadSettings, token_ids: Sequence[int]) -> int:
        """Find out where on its page a finished reading was read. Answered by `reading_traced`."""

        def render(request: Request) -> None:
            page = self._documents.page(ref, request.check)
            self._requests.queue(self._model_lane, request, partial(trace, page))

        def trace(page: PageImage, request: Request) -> None:
            found = self._engine.ready(request.id).trace(page, settings, token_ids, request.cancel)
            if found is None:
                raise Stopped
            self.reading_traced.emit(ReadingTraced(request.id, found))

        return self._requests.submit(self._reading_lane, render)

    # Plans and other figures -------------------------------------------------------------

    def compute_plan(self, encoded: EncodedPage, settings: PruneSettings) -> int:
        """Plan for a ratio. Answered by `plan_computed`, unless a newer plan is requested meanwhile."""

        def job(request: Request) -> None:
            plan = plan_pruning(encoded.layout, encoded.measures, settings)
            self.plan_computed.emit(PlanComputed(request.id, plan))

        return self._requests.submit(self._plan_lane, job, newest=PlanComputed)

    def solve_transport(self, plan: PrunePlan) -> int:
        """Solve where the merged tokens of a plan go.

        Answered by `transport_solved`, unless a newer one is requested meanwhile.
        """

        def job(request: Request) -> None:
            self.transport_solved.emit(TransportSolved(request.id, _solve_transport(plan)))

        return self._requests.submit(self._compute_lane, job, newest=TransportSolved)

    def compute(self, work: Callable[[], object]) -> int:
        """Run work that takes too long for the main thread. Answered by `computed`."""

        def job(request: Request) -> None:
            self.computed.emit(Computed(request.id, work()))

        return self._requests.submit(self._compute_lane, job)

    # Life ----------------------------------------------------------------------------------

    def stop(self, request_id: int) -> None:
        """Keep a request from starting, or end a reading or a trace after its pass, an export after its page.

        A file or a page that is being decoded for it is given up.

        What is stopped is answered by `request_stopped`, a reading that had begun by `reading_finished`.
        """
        self._requests.stop(request_id)

    def close(self, timeout_s: float, writing_timeout_s: float = 0) -> bool:
        """Cancel running jobs and end the lanes.

        Args:
            timeout_s: how long to wait for them.
            writing_timeout_s: how long to wait, before that, for a file that is being written.

        Returns:
            False if one is still busy then.
        """
        self._requests.stop_all()
        lanes = (
            self._export_lane,
            self._file_lane,
            self._page_lane,
            self._thumbnail_lane,
            self._reading_lane,
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


def _solve_transport(plan: PrunePlan) -> Transport:
    from rtocr_gui.pruning.transport import transport_of  # imports torch

    return transport_of(plan)
