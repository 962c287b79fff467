"""The loop of every training: what is kept when somebody asks it to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from envs.command_line import Interrupted
from envs.transceiver import training_loop
from envs.transceiver.training_loop import run_steps


@pytest.fixture(autouse=True)
def _usual_handlers() -> Iterator[None]:
    """A shell has its background jobs ignore SIGINT."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def interrupted(take: Callable[[int], None], **more: Any) -> tuple[list[int], str]:
    """After which of ten steps something was kept, where every fourth is due, and what was said in the end."""
    kept: list[int] = []
    with pytest.raises(Interrupted) as stop:
        run_steps("toy", range(10), take, kept.append, lambda done: done % 4 == 0, **more)
    return kept, str(stop.value)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_keeps_the_steps_that_were_done(number: signal.Signals) -> None:
    def take(step: int) -> None:
        if step == 5:
            signal.raise_signal(number)

    assert interrupted(take) == ([4, 6], "interrupted after 6 steps; the same command goes on from step 6")


def test_a_second_one_stops_at_once() -> None:
    def take(step: int) -> None:
        if step == 5:
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGTERM)

    assert interrupted(take) == ([4], "interrupted after 5 steps; the same command goes on from step 4")


def test_one_of_several_processes_stops_all() -> None:
    steps: list[int] = []
    kept, _ = interrupted(steps.append, any_of=lambda own: own or len(steps) == 3)
    assert kept == [3]


def test_a_request_at_the_last_step_comes_too_late() -> None:
    def take(step: int) -> None:
        if step == 9:
            signal.raise_signal(signal.SIGTERM)

    kept: list[int] = []
    run_steps("toy", range(10), take, kept.append, lambda _: False)
    assert kept == [10]


def test_the_bar_counts_steps_and_shows_every_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: list[Any] = []

    class Bar(training_loop.tqdm):  # type: ignore[type-arg]
        def __init__(self, *arguments: Any, **settings: Any) -> None:
            super().__init__(*arguments, **{**settings, "disable": False})
            bars.append(self)

    monkeypatch.setattr(training_loop, "tqdm", Bar)
    run_steps("toy", range(3, 5), float, lambda _: None, lambda _: False)
    assert "toy: 100%" in str(bars[0])
    assert "5/5" in str(bars[0])
    assert "step" in str(bars[0])
    assert "loss=4.0000" in str(bars[0])
