"""Keeps the plan of the shown page up to date: encodes it once, then plans at every ratio.

Asks the bridge and drops answers that are no longer wanted. Knows neither text nor widgets.
"""

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import EncodedPage, Scaling
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, Transport
from rtocr_gui.ui.background.engine_bridge import EngineBridge
from rtocr_gui.ui.background.replies import (
    PageEncoded,
    PlanComputed,
    RequestFailed,
    StageEntered,
    TransportSolved,
)
from rtocr_gui.ui.state.shown import PageFailure

ENCODED_PAGES_KEPT = 4
"""How many encoded pages are kept for the slider; the engine's cache makes encoding an older one cheap."""


class Planner(QObject):
    """Plans for one page at a time.

    Signals:
        plan_changed (PrunePlan or None): another `plan`.
        transport_changed (Transport): the `transport` of the plan; only on demand.
        encoding_changed (bool): True while the shown page is being encoded.
        failed (PageFailure): why the page cannot be encoded or its plan cannot be made.

    Attributes:
        plan: the plan to show; None while there is none.
        transport: where its merged tokens go; None until that was wanted and answered.

    Args:
        bridge: encodes and plans.
        parent: Qt parent.
    """

    plan_changed = Signal(object)
    transport_changed = Signal(object)
    encoding_changed = Signal(bool)
    failed = Signal(object)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._encoded: OrderedDict[tuple[PageRef, Scaling], EncodedPage] = OrderedDict()
        self._shown: tuple[PageRef, Scaling] | None = None
        self._retention: float | None = None
        self.plan: PrunePlan | None = None
        self.transport: Transport | None = None
        self._encode_id = self._plan_id = self._transport_id = 0
        bridge.stage_entered.connect(self._note_stage)
        bridge.page_encoded.connect(self._keep)
        bridge.plan_computed.connect(self._show)
        bridge.transport_solved.connect(self._complete)
        bridge.request_failed.connect(self._report)

    def show_page(self, ref: PageRef | None, scaling: Scaling) -> None:
        """Plan for another page or scaling from now on; None for no page."""
        self._shown = (ref, scaling) if ref is not None else None
        self.stop_encoding()
        self._plan_id = 0
        self._tell(None)
        if ref is None:
            return
        if (ref, scaling) in self._encoded:
            self._ask_plan()
        else:
            self._encode_id = self._bridge.encode_page(ref, scaling)

    def stop_encoding(self) -> None:
        """Give up the page that is about to be encoded: it cannot be rendered, or is shown no longer."""
        self._bridge.stop(self._encode_id)
        self._encode_id = 0
        self.encoding_changed.emit(False)

    @property
    def encoded(self) -> EncodedPage | None:
        """The shown page; None before it is encoded."""
        return self._encoded.get(self._shown) if self._shown else None

    @Slot(object)
    def set_retention(self, retention: float | None) -> None:
        """Plan at another ratio from now on; None for automatic retention."""
        self._retention = retention
        self._ask_plan()

    @Slot()
    def want_transport(self) -> None:
        """Request where the merged tokens of the current plan go."""
        if self.plan is not None and self.transport is None and not self._transport_id:
            self._transport_id = self._bridge.solve_transport(self.plan)

    def forget_encodings(self) -> None:
        """Forget all encoded pages: another model encodes them differently."""
        self._encoded.clear()

    def _ask_plan(self) -> None:
        if self.encoded is not None:
            self._plan_id = self._bridge.compute_plan(self.encoded, PruneSettings(self._retention))

    @Slot(object)
    def _note_stage(self, reply: StageEntered) -> None:
        if reply.request_id == self._encode_id:
            self.encoding_changed.emit(True)

    @Slot(object)
    def _keep(self, reply: PageEncoded) -> None:
        key = (reply.encoded.ref, reply.scaling)
        is_new = key not in self._encoded
        self._encoded[key] = reply.encoded
        self._encoded.move_to_end(key)
        # The slider of the shown page has to work while other pages are read.
        if self._shown is not None and self._shown in self._encoded:
            self._encoded.move_to_end(self._shown)
        if len(self._encoded) > ENCODED_PAGES_KEPT:
            self._encoded.popitem(last=False)
        if reply.request_id == self._encode_id:
            self.encoding_changed.emit(False)
        if key == self._shown and is_new:
            self._ask_plan()

    @Slot(object)
    def _show(self, reply: PlanComputed) -> None:
        if reply.request_id == self._plan_id:
            self._tell(reply.plan)

    @Slot(object)
    def _complete(self, reply: TransportSolved) -> None:
        if reply.request_id == self._transport_id:
            self.transport = reply.transport
            self.transport_changed.emit(reply.transport)

    def _tell(self, plan: PrunePlan | None) -> None:
        self.plan, self.transport, self._transport_id = plan, None, 0
        self.plan_changed.emit(plan)

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if self._shown is None:
            return
        if failure.request_id in (self._encode_id, self._plan_id):
            self.encoding_changed.emit(False)
        elif failure.request_id == self._transport_id:
            self._transport_id = 0
        else:
            return
        self.failed.emit(PageFailure.of(self._shown[0], failure))
