"""How far the profile can be trusted: rewards of the same requests, from the profile and from the live transceiver."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from envs.fidelity import LiveSource
from envs.model import SplitModel
from envs.outcome import settle
from envs.quality import QualitySource
from envs.scenario import RequestState

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Rewards of N requests, each served by one plan.

    Attributes:
        action: integers [N], the plan.
        request: integers [N], index into the profile's requests.
        snr_db: float64 [N].
        profile: float64 [N], read from the profile.
        live: float64 [N], really generated, with the channel draws that the profile was measured with.
        profile_mean: float64 [N], mean of the profile over all orders of its draws.
        live_fresh: float64 [N], really generated, with draws that the profile has not seen.
    """

    action: NDArray[np.integer]
    request: NDArray[np.integer]
    snr_db: FloatArray
    profile: FloatArray
    live: FloatArray
    profile_mean: FloatArray
    live_fresh: FloatArray


def compare(model: SplitModel, live: LiveSource, action: NDArray[np.integer], state: RequestState) -> Compared:
    """Serve requests by the profile and live, with the same and with fresh channel draws.

    With the same draws both see the same noise, so only the interpolation between the measured SNRs and the rounding
    of the table are left: most differences are zero, and few requests give a narrow interval. Fresh draws tell
    besides how well the few measured ones stand for the channel; there the profile's mean over the orders of its
    draws takes its own luck out of each difference.

    Args:
        model: the decision process; its reward is a number, no vector.
        live: generates the same requests.
        action: integers [N], the plan of each.
        state: N requests.
    """

    def rewards(quality: QualitySource, given: RequestState) -> FloatArray:
        return settle(model, action, given, quality.serve(action, given))[0]

    count, draws = len(action), model.quality.num_draws
    orders = permutations(range(draws), model.quality.max_attempts)
    ordered = [rewards(model.quality, state._replace(draws=_same_for_all(order, count))) for order in orders]
    return Compared(
        action,
        state.request,
        state.snr_db,
        rewards(model.quality, state),
        rewards(live, state),
        np.mean(ordered, axis=0),
        rewards(live, state._replace(draws=state.draws + draws)),
    )


def _same_for_all(order: tuple[int, ...], count: int) -> NDArray[np.int64]:
    return np.repeat(np.array(order, dtype=np.int64)[:, None], count, axis=1)
