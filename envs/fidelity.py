"""Where images and their quality come from: the measured profile, or a transceiver that really generates them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from envs.model import SplitModel
from envs.quality import QualitySource, Served
from envs.scenario import RequestState

FIDELITIES = ("profile", "live")


class Measure(Protocol):
    """Generates images and measures them: what `envs.transceiver.live.LiveQuality` does."""

    def measure(
        self,
        action: NDArray[np.integer],
        request: NDArray[np.integer],
        snr_db: NDArray[np.float64],
        draw: NDArray[np.integer],
    ) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float32]]:
        """One attempt for each of M requests: (metric -> [M], images [M, 3, H, W] in [0, 1])."""


def quality_source(fidelity: str, model: SplitModel, transceiver: Any = None) -> QualitySource:
    """Choose what serves the requests of a model.

    Args:
        fidelity: `profile` or `live`.
        model: the decision process.
        transceiver: for `live`, what generates; None is the embedded model over the model's channel.

    Raises:
        ValueError: an unknown fidelity, a profile of another channel, or a transceiver over another one.
    """
    if fidelity not in FIDELITIES:
        raise ValueError(f"unknown fidelity {fidelity!r}; allowed: {', '.join(FIDELITIES)}")
    if fidelity == "profile":
        _check_measured_over(model)
        return model.quality
    from envs.transceiver import load_transceiver
    from envs.transceiver.live import LiveQuality  # torch and diffusers, only where images are generated

    channel = "awgn" if model.channel is None else model.channel
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
            "one (python -m envs.transceiver.make_profile channel=...), or generate every image (fidelity=live)"
        )


class LiveSource:
    """Serves requests by generating every attempt, in batches of those that are still waiting.

    Args:
        measure: what generates and measures.
        model: whose acceptance rule holds.
    """

    def __init__(self, measure: Measure, model: SplitModel) -> None:
        self._measure = measure
        self._metric, self._quality_min = model.settings.quality_metric, model.settings.quality_min

    def serve(self, action: NDArray[np.integer], state: RequestState) -> Served:
        """Serve request n of the state by plan `action[n]`; see `envs.quality.QualitySource`."""
        waiting = np.arange(len(action))
        attempts = np.zeros(len(action), dtype=np.int64)
        quality: dict[str, NDArray[np.float64]] = {}
        images: NDArray[np.float32] | None = None
        for draw in state.draws:
            values, made = self._measure.measure(
                action[waiting], state.request[waiting], state.snr_db[waiting], draw[waiting]
            )
            if images is None:
                images, quality = np.array(made), {name: np.array(value) for name, value in values.items()}
            images[waiting] = made
            for name, value in values.items():
                quality[name][waiting] = value
            attempts[waiting] += 1
            waiting = waiting[values[self._metric] < self._quality_min]
            if not len(waiting):
                break
        return Served(attempts, quality[self._metric] >= self._quality_min, quality, images)
