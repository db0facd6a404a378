"""Keeps the plan of the page that is shown up to date: encodes it once, then plans at every ratio.

Asks the bridge and drops answers that are no longer wanted. Knows neither text nor widgets.
"""

from collections import OrderedDict

from PySide6.QtCore import QObject, Signal, Slot

from rtocr_gui.documents.pages import PageRef
from rtocr_gui.ocr.reading import EncodedPage, Mode
from rtocr_gui.pruning.plan import PrunePlan, PruneSettings, Transport
from rtocr_gui.ui.engine_bridge import EngineBridge
from rtocr_gui.ui.replies import PageEncoded, PlanComputed, RequestFailed, StageEntered

ENCODED_PAGES_KEPT = 4
"""Measured pages held for the slider; the engine's own cache makes measuring an older one cheap."""


class Planner(QObject):
    """Plans for one page at a time.

    Signals:
        plan_changed (PrunePlan or None): the plan to show; None while there is none.
        transport_changed (Transport or None): where the merged tokens of that plan go; follows each plan
            and is None unless it is wanted.
        encoding_changed (bool): True while the page that is shown is being encoded.
        failed (str): the page cannot be encoded, and why.

    Args:
        bridge: encodes and plans.
        parent: Qt parent.
    """

    plan_changed = Signal(object)
    transport_changed = Signal(object)
    encoding_changed = Signal(bool)
    failed = Signal(str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._encoded: OrderedDict[tuple[PageRef, Mode], EncodedPage] = OrderedDict()
        self._shown: tuple[PageRef, Mode] | None = None
        self._retention: float | None = None
        self._transport_wanted = False
        self._plan: PrunePlan | None = None
        self._transport: Transport | None = None
        self._encode_id = self._plan_id = 0
        bridge.stage_entered.connect(self._note_stage)
        bridge.page_encoded.connect(self._keep)
        bridge.plan_computed.connect(self._show)
        bridge.request_failed.connect(self._report)

    def show_page(self, ref: PageRef | None, mode: Mode, dpi: float) -> None:
        """Plan for another page or mode from now on; None for no page."""
        self._shown = (ref, mode) if ref is not None else None
        self._encode_id = self._plan_id = 0
        self.encoding_changed.emit(False)
        self._tell(None, None)
        if ref is None:
            return
        if (ref, mode) in self._encoded:
            self._ask_plan()
        else:
            self._encode_id = self._bridge.encode_page(ref, dpi, mode)

    def show_again(self) -> None:
        """Tell the current plan once more, to a picture that came after it."""
        if self._plan is not None:
            self._tell(self._plan, self._transport)

    def set_retention(self, retention: float | None) -> None:
        """Plan at another ratio from now on; None for automatic retention."""
        self._retention = retention
        self._ask_plan()

    def set_transport_wanted(self, wanted: bool) -> None:
        """Solve the transport of every plan from now on, and of the one that is shown; or no longer."""
        self._transport_wanted = wanted
        if wanted and self._plan is not None and self._transport is None:
            self._ask_plan()

    def forget_encodings(self) -> None:
        """Another model sees other tokens."""
        self._encoded.clear()

    def _ask_plan(self) -> None:
        encoded = self._encoded.get(self._shown) if self._shown else None
        if encoded is not None:
            settings = PruneSettings(self._retention)
            self._plan_id = self._bridge.compute_plan(encoded, settings, self._transport_wanted)

    @Slot(object)
    def _note_stage(self, reply: StageEntered) -> None:
        if reply.request_id == self._encode_id:
            self.encoding_changed.emit(True)

    @Slot(object)
    def _keep(self, reply: PageEncoded) -> None:
        key = (reply.encoded.ref, reply.encoded.mode)
        self._encoded[key] = reply.encoded
        self._encoded.move_to_end(key)
        if len(self._encoded) > ENCODED_PAGES_KEPT:
            self._encoded.popitem(last=False)
        if reply.request_id == self._encode_id:
            self.encoding_changed.emit(False)
        if key == self._shown:
            self._ask_plan()

    @Slot(object)
    def _show(self, reply: PlanComputed) -> None:
        if reply.request_id == self._plan_id:
            self._tell(reply.plan, reply.transport)

    def _tell(self, plan: PrunePlan | None, transport: Transport | None) -> None:
        self._plan, self._transport = plan, transport
        self.plan_changed.emit(plan)
        self.transport_changed.emit(transport)

    @Slot(object)
    def _report(self, failure: RequestFailed) -> None:
        if failure.request_id in (self._encode_id, self._plan_id):
            self.encoding_changed.emit(False)
            self.failed.emit(failure.sentence)
