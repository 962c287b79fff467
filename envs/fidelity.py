"""Where images and their quality come from: the measured profile, or a transceiver that really generates them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from envs.model import SplitModel
from envs.quality import QualitySource, Served
from envs.scenario import RequestState
from envs.units import FloatArray


class Measure(Protocol):
    """Generates images and measures them: what `envs.transceiver.profile.live.LiveQuality` does."""

    def measure(
        self,
        action: NDArray[np.integer],
        request: NDArray[np.integer],
        snr_db: NDArray[np.float64],
        draw: NDArray[np.integer],
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32]]:
        """One attempt for each of M requests: (metric -> [M], images [M, 3, H, W] in [0, 1])."""


def quality_source(model: SplitModel) -> QualitySource:
    """Choose what serves the requests of a model, by its settings `fidelity`, `transceiver` and `channel`.

    Raises:
        ValueError: a profile of another channel, or a transceiver over another one.
    """
    if model.settings.fidelity == "profile":
        _check_measured_over(model)
        return model.quality
    from envs.transceiver import load_transceiver
    from envs.transceiver.profile.live import LiveQuality  # torch and diffusers, only where images are generated

    channel, transceiver = "awgn" if model.channel is None else model.channel, model.settings.transceiver
    live = LiveQuality(
        requests=model.profile.requests,
        plans=model.plans,
        receiver=model.settings.receiver,
        transceiver=load_transceiver(channel=channel) if transceiver is None else transceiver,
    )
    used = live.transceiver.fingerprint["channel"]
    if model.channel is not None and used != model.channel.fingerprint:
        raise ValueError(f"the transceiver sends over channel {used!r}, asked for is {model.channel.fingerprint!r}")
    return LiveSource(live, model)


def _check_measured_over(model: SplitModel) -> None:
    measured = model.profile.fingerprint.get("channel")
    if model.channel is not None and model.channel.fingerprint != measured:
        raise ValueError(
            f"the profile was measured over channel {measured!r}, asked for is {model.channel.fingerprint!r}: measure "
            "one (python -m envs make_profile channel=...), or generate every image (fidelity=live)"
        )


class LiveSource:
    """Serves requests by generating every attempt, in batches of those that are still waiting.

    Args:
        measure: what generates and measures.
        model: whose acceptance rule holds.
    """

    def __init__(self, measure: Measure, model: SplitModel) -> None:
        self._measure = measure
        self._metrics = model.profile.metrics
        self._metric, self._quality_min = model.settings.quality_metric, model.settings.quality_min

    def serve(
        self, action: NDArray[np.integer], state: RequestState, possible: NDArray[np.bool_] | None = None
    ) -> Served:
        """Serve request n of the state by plan `action[n]`; see `envs.quality.QualitySource`."""
        count = len(action)
        waiting = np.arange(count) if possible is None else np.flatnonzero(possible)
        attempts = np.zeros(count, dtype=np.int64)
        quality = {name: np.full(count, np.nan) for name in self._metrics}
        images: NDArray[np.float32] | None = None
        for draw in state.draws:
            if not len(waiting):
                break
            values, made = self._measure.measure(
                action[waiting], state.request[waiting], state.snr_db[waiting], draw[waiting]
            )
            if images is None:
                images = np.zeros((count, *made.shape[1:]), made.dtype)
            images[waiting] = made
            for name, value in values.items():
                quality[name][waiting] = value
            attempts[waiting] += 1
            waiting = waiting[values[self._metric] < self._quality_min]
        return Served(attempts, quality[self._metric] >= self._quality_min, quality, images)


@dataclass(frozen=True)
class ComparedRewards:
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


def compare_rewards(
    model: SplitModel, live: LiveSource, action: NDArray[np.integer], state: RequestState
) -> ComparedRewards:
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
        return model.serve(action, given, quality)[0]

    count, draws = len(action), model.quality.num_draws
    orders = permutations(range(draws), model.quality.max_attempts)
    ordered = [rewards(model.quality, state._replace(draws=_same_for_all(order, count))) for order in orders]
    return ComparedRewards(
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
