"""The loop of every training here: steps with a progress bar, what is due is kept, a request to stop is heard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from tqdm import tqdm

from envs.command_line import Interrupted, stop_request


def run_steps(
    title: str,
    steps: range,
    take: Callable[[int], float | None],
    keep: Callable[[int], None],
    is_due: Callable[[int], bool],
    is_shown: bool = True,
    any_of: Callable[[bool], bool] = bool,
) -> None:
    """Take the steps that remain of a training; the last one is always kept.

    The first Ctrl-C or SIGTERM ends the step, keeps what was done and stops; a second one stops at once.

    Args:
        title: of the progress bar.
        steps: from the first that is not done yet to the last.
        take: does a step; the loss that the bar is to show from now on, if any.
        keep: writes a checkpoint after a number of steps.
        is_due: whether one is due then.
        is_shown: whether there is a bar.
        any_of: whether any of the processes that train together says yes; alone, what this one says.

    Raises:
        Interrupted: somebody stopped it; the message says from which step the same command goes on.
    """
    done = kept = steps.start
    unshown = None if is_shown else True
    with (
        suppress(KeyboardInterrupt),
        stop_request() as stop,
        tqdm(steps, initial=kept, total=steps.stop, desc=title, unit="step", mininterval=1, disable=unshown) as bar,
    ):
        for step in bar:
            if (loss := take(step)) is not None:
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
            done, stopping = step + 1, any_of(stop.asked)
            if done == steps.stop or stopping or is_due(done):
                keep(done)
                kept = done
            if stopping:
                break
    if kept < steps.stop:
        raise Interrupted(f"interrupted after {done} steps; the same command goes on from step {kept}")
