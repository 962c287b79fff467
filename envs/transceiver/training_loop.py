"""The loop of every training here: steps with a progress bar, what is due is kept, an interruption says what was."""

from __future__ import annotations

from collections.abc import Callable

from tqdm import tqdm

from envs.command_line import Interrupted


def run_steps(
    title: str,
    steps: range,
    take: Callable[[int], float | None],
    keep: Callable[[int], None],
    is_due: Callable[[int], bool],
    is_shown: bool = True,
) -> None:
    """Take the steps that remain of a training; the last one is always kept.

    Args:
        title: of the progress bar.
        steps: from the first that is not done yet to the last.
        take: does a step; the loss that the bar is to show from now on, if any.
        keep: writes a checkpoint after a number of steps.
        is_due: whether one is due then.
        is_shown: whether there is a bar.

    Raises:
        Interrupted: Ctrl-C; the message says from which step the same command goes on.
    """
    done = kept = steps.start
    bar = tqdm(steps, initial=kept, total=steps.stop, desc=title, mininterval=5, disable=None if is_shown else True)
    try:
        for step in bar:
            if (loss := take(step)) is not None:
                bar.set_postfix(loss=f"{loss:.4f}")
            done = step + 1
            if done == steps.stop or is_due(done):
                keep(done)
                kept = done
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted after {done} steps; the same command goes on from step {kept}") from None
