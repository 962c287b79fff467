"""A bound on the mean reward of every policy: decisions that know the future, and pay for it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from agents.planning.paths import Path, some_sessions
from agents.planning.values import Values, choices_at

CHUNK_VALUES = 2**18
"""Rewards that are worked on at a time."""


def bound_rewards(model: Any, values: Values, path: Path) -> NDArray[np.float64]:
    """Mean reward a request that no policy passes, for each of N sessions, float64 [N].

    Its mean over sessions is an unbiased estimate of an upper bound on the mean reward of every policy, those that
    know the request's number and the whole past included. Why:

    1. Decisions are made on a grid whose system is never worse off than the real one (`Levels`).
    2. They know all links, devices and latency requirements of the session beforehand (not the images, and not the
       other users' work: their means are taken). Who knows more can do no worse.
    3. From their reward is taken what that knowledge is thought to be worth: at each request the worth `V` of the level
       that a decision leads to in the state that follows, less its mean over what might have followed. For a policy
       that does not know the future its mean is 0, whatever `V` is; so 2 still bounds it. A good `V` (here the fitted
       values) takes away most of the advantage.

    Given the session, the best such decisions are found exactly, going back over the grid.
    Source: Brown, Smith and Sun, "Information relaxations and duality in stochastic dynamic programs" (2010).

    Args:
        model: of the environment.
        values: fitted ones; any would do, good ones make the bound tight.
        path: the sessions.
    """
    levels = values.levels
    num_sessions = len(path[0].features)
    rows = max(1, CHUNK_VALUES // (levels.num * len(model.plans)))
    found = np.empty(num_sessions)
    with tqdm(total=num_sessions, desc="bound", unit="session", leave=False) as bar:
        for start in range(0, num_sessions, rows):
            chunk = slice(start, min(start + rows, num_sessions))
            found[chunk] = _best(model, values, some_sessions(path, chunk))
            bar.update(chunk.stop - chunk.start)
    return found / len(path)


def _best(model: Any, values: Values, path: Path) -> NDArray[np.float64]:
    """Largest sums of rewards less payments, of some sessions."""
    levels = values.levels
    everywhere = np.arange(levels.num)[None]
    ahead = np.zeros((len(path[0].features), levels.num))
    for request in reversed(range(len(path))):
        moment = path[request]
        outlook = levels.outlook(ahead)
        if request + 1 < len(path):
            surprise = path[request + 1].features - moment.features * values.decay
            outlook = outlook - surprise @ values.outlooks[request]
        ahead = choices_at(model, levels, moment.state, everywhere).totals(outlook).max(axis=-1)
    first = levels.index(path[0].state.features[levels.name])
    return ahead[np.arange(len(ahead)), first]
