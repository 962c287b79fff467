"""Stop between two steps of a long work when the user or the machine's scheduler asks for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody asked to stop.

    Attributes:
        asked: set by the first Ctrl-C (SIGINT) or SIGTERM; a second one interrupts at once.
    """

    def __init__(self) -> None:
        self.asked = False

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listen for a request to stop while the block runs.

    Not in a thread, where signals do not come, and not where somebody else listens (submitit requeues its job).
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {n: signal.signal(n, request) for n, handler in usual.items() if signal.getsignal(n) == handler}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
