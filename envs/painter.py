"""From the last step of the core to frames: finds the delivered images, and has them drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.core import Outcome, SplitCore
from envs.model import SplitModel
from envs.outcome import STATE_NAMES
from envs.plans import Compute, Plan
from envs.render import Panel, draw_frame
from envs.rewards import satisfaction
from envs.scenario import RequestState
from envs.transceiver.execute import execute

RENDER_MODES = ("rgb_array",)


class Painter:
    """Draws the last step of every environment of a core.

    Args:
        model: the decision process.
        transceiver: what generates images that were not kept; None is the embedded model, loaded at first use.
    """

    def __init__(self, model: SplitModel, transceiver: Any = None) -> None:
        self._model = model
        self._transceiver = transceiver

    @classmethod
    def for_mode(cls, render_mode: str | None, model: SplitModel, transceiver: Any = None) -> Painter | None:
        """Make a painter if the render mode wants one.

        Raises:
            ValueError: an unknown render mode.
        """
        if render_mode is None:
            return None
        if render_mode not in RENDER_MODES:
            raise ValueError(f"unknown render_mode {render_mode!r}; allowed: {', '.join(RENDER_MODES)} or None")
        return cls(model, transceiver)

    def paint(self, core: SplitCore) -> tuple[NDArray[np.uint8], ...]:
        """Draw a frame uint8 [360, 640, 3] of each environment: its last step, or its first request.

        Raises:
            ResetNeeded: before the first reset.
        """
        state = core.state if core.outcome is None else core.outcome.state
        return tuple(draw_frame(self._panel(core, _row(state, row), row)) for row in range(core.num_envs))

    def _panel(self, core: SplitCore, link: dict[str, float], row: int) -> Panel:
        outcome = core.outcome
        request = self._model.profile.requests[int(link["request"])]
        total = self._model.profile.num_inference_steps
        if outcome is None:
            return Panel(request.prompt, total, link)
        plan = self._model.plans[outcome.action[row]]
        info = outcome.info
        happy = satisfaction(info["latency_s"][row], link["latency_low_s"], link["latency_high_s"])
        return Panel(
            request.prompt,
            total,
            link,
            image=self._image(outcome, row),
            plan=plan.name,
            edge_steps=_edge_steps(plan),
            user_first=_denoising(plan)[0].node == "user",
            payload=plan.payload,
            latency_parts_s={name: float(part[row]) for name, part in info["latency_parts_s"].items()},
            attempts=int(info["attempts"][row]),
            failed=bool(info["failed"][row]),
            quality={name: float(value[row]) for name, value in info["quality"].items()},
            satisfaction=float(happy * ~info["failed"][row]),
        )

    def _image(self, outcome: Outcome, row: int) -> NDArray[np.float32]:
        if outcome.served.images is not None:
            return np.asarray(outcome.served.images[row], dtype=np.float32)
        if self._transceiver is None:
            from envs.transceiver import load_transceiver  # torch and diffusers, only where images are generated

            channel = "awgn" if self._model.channel is None else self._model.channel
            loaded = load_transceiver(num_inference_steps=self._model.profile.num_inference_steps, channel=channel)
            self._model.profile.check_measured_with(loaded.fingerprint)
            self._transceiver = loaded
        state, plan = outcome.state, self._model.plans[outcome.action[row]]
        request = self._model.profile.requests[state.request[row]]
        draw = int(state.draws[outcome.served.attempts[row] - 1, row])
        delivery = execute(
            self._transceiver,
            plan,
            [request.prompt],
            [request.seed],
            [float(state.snr_db[row])],
            self._model.settings.receiver,
            [draw],
        )
        return np.asarray(delivery.images[0], dtype=np.float32)


def _denoising(plan: Plan) -> list[Compute]:
    return [stage for stage in plan.stages if isinstance(stage, Compute) and stage.denoises]


def _edge_steps(plan: Plan) -> int:
    return sum(stage.steps for stage in _denoising(plan) if stage.node == "edge")


def _row(state: RequestState, row: int) -> dict[str, float]:
    return {name: float(getattr(state, name)[row]) for name in STATE_NAMES}
