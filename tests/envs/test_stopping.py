from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from envs.command_line import stop_request


@pytest.mark.parametrize(
    ("number", "default"), [(signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)]
)
def test_the_first_request_waits_and_the_second_interrupts(number: signal.Signals, default: Any) -> None:
    before = signal.signal(number, default)  # a shell has its background jobs ignore SIGINT
    try:
        with stop_request() as stop:
            assert not stop.asked
            signal.raise_signal(number)
            assert stop.asked
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert signal.getsignal(number) == default
    finally:
        signal.signal(number, before)


def test_a_listener_that_is_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with stop_request() as stop:
            signal.raise_signal(signal.SIGTERM)
        assert heard == [signal.SIGTERM]
        assert not stop.asked
    finally:
        signal.signal(signal.SIGTERM, before)


def test_in_a_thread_nothing_is_listened_to() -> None:
    asked: list[bool] = []

    def work() -> None:
        with stop_request() as stop:
            asked.append(stop.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert asked == [False]
