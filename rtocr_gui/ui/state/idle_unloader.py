"""Unloads a large model that has been idle for a while, so that other programs can use the memory.

Small ones stay: they take little memory, and loading them again would keep a person waiting. Asks the bridge.
Knows neither pages nor widgets, and not how a model is loaded again.
"""

from PySide6.QtCore import QObject, QTimer, Slot

from rtocr_gui.ocr.model.model_info import LoadedModel
from rtocr_gui.ui.background.engine_bridge import EngineBridge

LARGE_BYTES = 1_000_000_000
"""Weights of at least this size are worth unloading."""

_MINUTE_MS = 60_000


class IdleUnloader(QObject):
    """Watches one model at a time.

    Attributes:
        timer: runs out when the model has been idle for as long as the person allows.

    Args:
        bridge: uses and unloads the model.
        parent: Qt parent.
    """

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self.timer = QTimer(self, singleShot=True)
        self.timer.timeout.connect(self._let_go)
        for used in (
            bridge.stage_entered,
            bridge.text_streamed,
            bridge.page_encoded,
            bridge.reading_finished,
            bridge.reading_traced,
            bridge.plan_computed,
            bridge.transport_solved,
            bridge.request_stopped,
            bridge.request_failed,
        ):
            used.connect(self._postpone)

    def watch(self, model: LoadedModel | None, after_min: int) -> None:
        """Watch another model, or use another limit, from now on.

        Args:
            model: the one in memory; None for none.
            after_min: how many idle minutes it may stay; 0 for no limit.
        """
        self.timer.stop()
        if model is not None and model.info.weight_bytes >= LARGE_BYTES and after_min:
            self.timer.start(after_min * _MINUTE_MS)

    @Slot()
    def _postpone(self) -> None:
        if self.timer.isActive():
            self.timer.start()

    @Slot()
    def _let_go(self) -> None:
        """Unload the model, unless it is busy: a pass over a long page may outlast the idle limit."""
        if self._bridge.is_model_busy:
            self.timer.start()
        else:
            self._bridge.unload_model()
