from __future__ import annotations

import signal
import threading

import pytest

from agents.runs.stopping import stop_request


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_request_waits_and_the_second_interrupts(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_request() as stop:
        assert not stop.asked
        signal.raise_signal(number)  # in this thread; `os.kill` may reach another one first
        assert stop.asked
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
    assert signal.getsignal(number) == before


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
