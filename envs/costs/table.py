"""The coefficient table: a list of plans compiled for two devices, priced as one small matrix product.

The latency of a plan is linear in a few features of the link state, each a slowdown or a time per bit:

| feature | multiplies | part |
|---|---|---|
| density factor / edge availability | seconds of the edge's denoising steps | edge |
| 1 / edge availability | seconds of the edge's text encoder and decoder | edge |
| density factor / user availability | seconds of the user's denoising steps | user |
| 1 / user availability | seconds of the user's text encoder and decoder | user |
| 1 / rate | bits sent over the wireless link, up, down or from user to user | link |
| 1, where a plan uses the backhaul | seconds of the backhaul | link |
| 1 / bandwidth, where a latent is sent as symbols | their number | link |
| density factor, where a plan uses the cloud | seconds of the cloud's denoising steps | cloud |
| 1, likewise | seconds of the cloud's text encoder and decoder | cloud |

That is SemAIGC's eqs. 19 and 20 with the capability nu = clock x availability.
Deviation: text encoder and decoder, the constant l of eq. 20, slow down with the availability as the steps do.

An attempt whose image is not accepted is repeated from the hand-over on (`Plan.attempt_start`): in SemAIGC the link,
and the user's denoising steps and decoding. Text encoders, weights, and what is done before that are paid once.
So the latency of j attempts is `once + j * repeat`, with coefficients for each.

Nodes of one kind that work side by side have the same device and availability: they take as long as one, and all of
them draw power. Tables of plans with such stages have second coefficients, `busy`, in which each stage counts for all
its nodes.
Own assumptions, where the papers say nothing: every wireless link has the same rate in both directions; the backhaul's
is constant; the cloud is always available.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.checks import choice, number
from envs.costs.devices import A100, GTX_1080_TI, RTX_A6000, Device
from envs.costs.features import (
    BACKHAUL,
    CLOUD_CONSTANT,
    CLOUD_STEPS,
    EDGE_CONSTANT,
    EDGE_STEPS,
    LINK,
    SYMBOLS,
    USER_CONSTANT,
    USER_STEPS,
    LinkState,
)
from envs.costs.formulas import LINKS, Link, analog_channel_uses, compute_energy_j
from envs.costs.payloads import Payloads
from envs.plans import Compute, Plan, Stage, Transmit
from envs.units import FloatArray, Floats

BACKHAUL_BPS = 125e6
"""Rate between cloud and edge, the 125 Mbit/s of EUCI, VI-A."""


class Parts(NamedTuple):
    """Seconds at the edge, on the link and at the user, of equal shape; in the cloud where plans use it, else None."""

    edge: FloatArray
    link: FloatArray
    user: FloatArray
    cloud: FloatArray | None = None

    @property
    def total(self) -> FloatArray:
        """Their sum: nothing overlaps."""
        ends = self.edge + self.link + self.user
        return ends if self.cloud is None else ends + self.cloud

    def by_name(self) -> dict[str, FloatArray]:
        """The parts that there are, by name."""
        return {name: seconds for name, seconds in self._asdict().items() if seconds is not None}


class Bill(NamedTuple):
    """What a number of attempts costs.

    Attributes:
        parts_s: seconds by part; None of `Totals`, which know their sums alone.
        latency_s: seconds in all.
        energy_j: joules in all (EUCI, eq. 2).
    """

    parts_s: Parts
    latency_s: FloatArray
    energy_j: FloatArray


class Totals(NamedTuple):
    """Prices summed over their parts, for looking at many numbers of attempts at once; float64 of one shape.

    Attributes:
        once_s, repeat_s: seconds that are paid once, and those of each attempt.
        once_j, repeat_j: joules likewise.
    """

    once_s: FloatArray
    repeat_s: FloatArray
    once_j: FloatArray
    repeat_j: FloatArray

    def mapped(self, function: Callable[[FloatArray], FloatArray]) -> Totals:
        """The same with a function of every array."""
        return Totals(*map(function, self))

    def bill(self, attempts: Floats | NDArray[np.integer] = 1.0) -> Bill:
        """What a number of attempts costs; `attempts` is broadcast to the prices."""
        latency_s, energy_j = self.once_s + attempts * self.repeat_s, self.once_j + attempts * self.repeat_j
        return Bill(None, latency_s, energy_j)  # type: ignore[arg-type]


class Prices(NamedTuple):
    """What plans cost in given states, shapes [N] or [N, P].

    Attributes:
        seconds: float64 [2, 3 or 4, ...]: those that are paid once and those of each attempt, by part as in `Parts`.
        busy_seconds: the same summed over nodes that work side by side; the very array where there are none.
        edge_power_w, user_power_w, cloud_power_w: power of the devices while they compute.
    """

    seconds: FloatArray
    busy_seconds: FloatArray
    edge_power_w: float
    user_power_w: float
    cloud_power_w: float = 0.0

    @property
    def once_s(self) -> Parts:
        """Seconds that are paid whatever the number of attempts."""
        return Parts(*self.seconds[0])

    @property
    def repeat_s(self) -> Parts:
        """Seconds of each attempt."""
        return Parts(*self.seconds[1])

    @property
    def needs_edge(self) -> NDArray[np.bool_]:
        """Whether anything is computed at the edge."""
        return np.asarray(self.once_s.edge + self.repeat_s.edge > 0.0)

    def mapped(self, function: Callable[[FloatArray], FloatArray]) -> Prices:
        """The same with a function of all seconds."""
        seconds = function(self.seconds)
        alike = self.busy_seconds is self.seconds
        return self._replace(seconds=seconds, busy_seconds=seconds if alike else function(self.busy_seconds))

    def only(self, possible: NDArray[np.bool_]) -> Prices:
        """The same where plans are possible, and no seconds where they are not; `possible` has the prices' shape."""
        return self.mapped(lambda seconds: seconds * possible)

    def parts_s(self, attempts: Floats | NDArray[np.integer] = 1.0) -> Parts:
        """Seconds of a number of attempts, by part; `attempts` is broadcast to the prices."""
        return _attempts(self.seconds, attempts)

    def bill(self, attempts: Floats | NDArray[np.integer] = 1.0) -> Bill:
        """What a number of attempts costs, by part; `attempts` is broadcast to the prices."""
        parts_s = self.parts_s(attempts)
        busy_s = parts_s if self.busy_seconds is self.seconds else _attempts(self.busy_seconds, attempts)
        return Bill(parts_s, parts_s.total, self._energy_j(busy_s))

    def totals(self, waiting_s: FloatArray | None = None) -> Totals:
        """Sums over the parts; what is waited before is paid once."""
        once_s, repeat_s = self.once_s.total, self.repeat_s.total
        once_j, repeat_j = (self._energy_j(Parts(*busy_s)) for busy_s in self.busy_seconds)
        return Totals(once_s if waiting_s is None else once_s + waiting_s, repeat_s, once_j, repeat_j)

    def _energy_j(self, parts: Parts) -> FloatArray:
        ends = compute_energy_j(parts.edge, self.edge_power_w) + compute_energy_j(parts.user, self.user_power_w)
        return np.asarray(ends if parts.cloud is None else ends + compute_energy_j(parts.cloud, self.cloud_power_w))


@dataclass(frozen=True, eq=False)
class CostTable:
    """Coefficients of P plans for two devices; made by `CostTable.compile`.

    Attributes:
        plans: the plans, in the order of the rows.
        coefficients: float64 [2, F, P], read-only: seconds (bits or symbols for the link) that are paid once, and those
            of each attempt; F = 5, 7 where a plan uses the backhaul or sends symbols, 9 where one uses the cloud.
        busy_coefficients: the same summed over nodes that work side by side; the very array where no plan has any.
        payload_bits: float64 [P], read-only: bits that each attempt sends over the wireless link; symbols are none.
        once_bits: float64 [P], read-only: bits of weights that are sent over it before.
        edge, user, cloud: the devices.
        link: what sending costs, a name of `envs.costs.formulas.LINKS`.
    """

    plans: tuple[Plan, ...]
    coefficients: FloatArray
    busy_coefficients: FloatArray
    payload_bits: FloatArray
    once_bits: FloatArray
    edge: Device
    user: Device
    link: str = "paper"
    cloud: Device = A100

    @classmethod
    def compile(
        cls,
        plans: Sequence[Plan],
        edge: Device = RTX_A6000,
        user: Device = GTX_1080_TI,
        payload_bits: Payloads = Payloads(),  # noqa: B008  (frozen)
        link: str = "paper",
        backhaul_bps: float = BACKHAUL_BPS,
        cloud: Device = A100,
    ) -> CostTable:
        """Compile plans for the devices, payload sizes, a link and the rate of the backhaul.

        Raises:
            ValueError: no plan, something that is not a plan, an unknown link, a backhaul without a rate, or a codec
                that was not measured.
        """
        choice("link", link, LINKS)
        number("backhaul_bps", backhaul_bps, above=0.0)
        if not plans:
            raise ValueError("plans must hold at least one plan, got none")
        lasting, busy = np.zeros((2, 2, CLOUD_CONSTANT + 1, len(plans)))  # [once or repeat, F, P]
        devices = {"edge": edge, "user": user, "cloud": cloud}
        for column, plan in enumerate(plans):
            if not isinstance(plan, Plan):
                raise ValueError(f"plans must hold Plan objects (see plans.expand), got {plan!r}")
            for index, (stage, share) in enumerate(zip(plan.stages, plan.shares_done, strict=True)):
                if isinstance(stage, Transmit):
                    feature, amount, nodes = _sent(stage, payload_bits, share, LINKS[link], backhaul_bps)
                else:
                    feature, amount, nodes = _computed(stage, devices[stage.node])
                repeated = int(index >= plan.attempt_start and not _is_text_encoder(stage))
                lasting[repeated, feature, column] += amount
                busy[repeated, feature, column] += amount * nodes
        for first in (CLOUD_STEPS, BACKHAUL):
            if not lasting[:, first:].any():
                lasting, busy = lasting[:, :first].copy(), busy[:, :first].copy()
        bits = lasting[:, LINK].copy()
        for array in (lasting, busy, bits):
            array.setflags(write=False)
        busy = lasting if np.array_equal(lasting, busy) else busy
        return cls(tuple(plans), lasting, busy, bits[1], bits[0], edge, user, link, cloud)

    def price(self, state: LinkState, action: NDArray[np.integer] | None = None) -> Prices:
        """Price plans in N states; the state is trusted (see `LinkState.validate`).

        Args:
            state: N link states.
            action: integers [N] below P, the plan of each state; None for all plans.

        Returns:
            Prices of shape [N], or [N, P] for all plans.
        """
        features = state.features(LINKS[self.link].rate_bps, self.coefficients.shape[1])
        seconds = _seconds(self.coefficients, features, action)
        alike = self.busy_coefficients is self.coefficients
        busy_seconds = seconds if alike else _seconds(self.busy_coefficients, features, action)
        return Prices(seconds, busy_seconds, self.edge.power_w, self.user.power_w, self.cloud.power_w)

    def link_shown(self, state: Mapping[str, FloatArray]) -> LinkState:
        """The link state behind physical values of an observation, name -> [N] (see `envs.observation`)."""
        return LinkState(
            snr_db=state["snr_db"],
            bandwidth_hz=state["bandwidth_hz"],
            edge_availability=state["edge_capability_hz"] / self.edge.clock_hz,
            user_availability=state["user_capability_hz"] / self.user.clock_hz,
            density_factor=state["edge_density"] / self.edge.density_cycles_per_bit,
        )


def _attempts(seconds: FloatArray, attempts: Floats | NDArray[np.integer]) -> Parts:
    total = attempts * seconds[1]
    total += seconds[0]
    return Parts(*total)


def _is_text_encoder(stage: Stage) -> bool:
    return isinstance(stage, Compute) and stage.module == "text_encoder"


def _sent(
    stage: Transmit, payloads: Payloads, share: float, link: Link, backhaul_bps: float
) -> tuple[int, float, float]:
    """Feature that sending is proportional to, its bits, symbols or seconds, and that it keeps one node busy."""
    if link.sends_symbols and stage.payload == "latent" and stage.codec is None and not stage.is_backhaul:
        return SYMBOLS, float(stage.copies * analog_channel_uses(payloads.latent_elements)), 1.0
    bits = float(payloads.sent_bits(stage, share))
    return (BACKHAUL, bits / backhaul_bps, 1.0) if stage.is_backhaul else (LINK, bits, 1.0)


FEATURES_OF_NODES = {
    "edge": (EDGE_CONSTANT, EDGE_STEPS),
    "user": (USER_CONSTANT, USER_STEPS),
    "cloud": (CLOUD_CONSTANT, CLOUD_STEPS),
}


def _computed(stage: Compute, device: Device) -> tuple[int, float, float]:
    """Feature that computing is proportional to, its seconds, and how many nodes it keeps busy."""
    seconds = stage.steps * device.module_s(stage.module) / (stage.nodes if stage.divided else 1)
    return FEATURES_OF_NODES[stage.node][stage.denoises], seconds, stage.nodes


def _seconds(coefficients: FloatArray, features: FloatArray, action: NDArray[np.integer] | None) -> FloatArray:
    """Seconds [2, 3 or 4, N] or [2, 3 or 4, N, P], once and of each attempt, by part."""
    # Elementwise, so that an environment's price does not depend on how many are priced beside it.
    if action is None:
        terms = features[:, :, None] * coefficients[:, :, None, :]
    else:
        terms = coefficients.take(action, axis=-1)
        terms *= features
    seconds = terms[:, :3]
    seconds[:, ::2] += terms[:, EDGE_CONSTANT : USER_CONSTANT + 1]
    if terms.shape[1] > BACKHAUL:
        seconds[:, 1] += terms[:, BACKHAUL]
        seconds[:, 1] += terms[:, SYMBOLS]
    if terms.shape[1] > CLOUD_STEPS:
        cloud_s = terms[:, CLOUD_STEPS] + terms[:, CLOUD_CONSTANT]
        return np.concatenate([seconds, cloud_s[:, None]], axis=1)
    return seconds
