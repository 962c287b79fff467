"""Energy and delay of edge-user collaborative inference over its split, and the contradiction in the paper's figure 8.

EUCI's eq. 2 is linear in the user's steps t: `F t / C_n P_n + F (T - t) / C_b P_b`, F the operations of a step. So the
energy of a split lies between those of its two ends, whatever F is; and the ratio of the two ends is
`(P_b / C_b) / (P_n / C_n)`. The paper's figure shows that ratio, and a split below both ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.statistics import Interval
from agents.experiments.shared.claims import Claim, Near, order_claim, report, value_claim
from agents.experiments.shared.findings import Findings
from agents.experiments.shared.study import Study
from agents.reports.style import OKABE_ITO, house_style
from envs import costs, plans
from envs.checks import Count
from envs.units import FloatArray

EDGE_J, USER_J, SPLIT_J = 1.58, 1.3, 0.7
"""EUCI, VI-C: "approximately 1.58W", "around 1.3W", "less than 0.7W" (W is printed, energy is meant)."""
USER_OVER_EDGE, USER_OVER_SPLIT = 20.0, 10.0
"""EUCI, VI-C: the user alone takes "nearly 20 times" as long as the edge, "10 times" as long as the split."""
CLOSE = 0.1
"""Relative difference up to which a figure that was read off a plot agrees."""
ENDS, USER_TIMES = Near.share(EDGE_J / USER_J, CLOSE), Near.share(USER_OVER_EDGE, CLOSE)


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        num_inference_steps: T of the paper.
        rate_bps: of the wireless link, and of the backhaul.
    """

    num_inference_steps: Count
    rate_bps: float


@dataclass(frozen=True)
class Curve:
    """Prices over the user's steps t.

    Attributes:
        steps: [K], t; 0 is edge-only and T user-only.
        energy_j, latency_s: [K], text encoder and VAE once, image and latent sent at the rate.
        unet_sent_s, cache_miss_s: [K], the latter with weights sent first; at the two ends nothing is.
        printed_share: [K], eq. 2 as printed, relative to its value at edge-only.
    """

    steps: NDArray[np.int64]
    energy_j: FloatArray
    latency_s: FloatArray
    unet_sent_s: FloatArray
    cache_miss_s: FloatArray
    printed_share: FloatArray


def printed_energy_share(steps: NDArray[np.int64], total: int, edge: costs.Device, user: costs.Device) -> FloatArray:
    """Eq. 2 as printed, over its value at t = 0; the operations of a step cancel.

    Args:
        steps: [K], the user's steps t.
        total: T.
        edge, user: with their throughputs C and powers P.
    """
    joules_a_flop = [device.power_w / _throughput(device) for device in (edge, user)]
    return (steps * joules_a_flop[1] + (total - steps) * joules_a_flop[0]) / (total * joules_a_flop[0])


def run(study: Study, options: Options) -> Findings:
    """Price every split, and compare with what the paper says of its figure."""
    total = options.num_inference_steps
    if total < 2 or not 0 < options.rate_bps < np.inf:
        raise ValueError(
            "experiment.num_inference_steps must be >= 2 and experiment.rate_bps positive and finite, "
            f"got {total} and {options.rate_bps}"
        )
    source = costs.cost_source(study.settings.costs)
    edge, user = source.devices(study.settings.edge_device, study.settings.user_device, costs.ReceiverStep())
    curve = _curve(total, options.rate_bps, edge, user)
    rows = [{name: values[index].item() for name, values in vars(curve).items()} for index in range(len(curve.steps))]
    claims = [
        *_energy_claims(curve, total),
        *_delay_claims(curve, total, edge, user),
        *_reports(curve, total, edge, options),
    ]
    return Findings(
        "EUCI: energy and delay over the split, against the paper's figure 8",
        {"": _draw(curve, total)},
        {"": rows},
        claims,
        study.notes,
    )


def _curve(total: int, rate_bps: float, edge: costs.Device, user: costs.Device) -> Curve:
    ends = [plans.edge_aigc(total)], [plans.local_aigc(total)]

    def prices(weights: plans.Weights) -> costs.Prices:
        middle = [plans.euci(t, total, weights) for t in range(1, total)]
        table = costs.CostTable.compile([*ends[0], *middle, *ends[1]], edge, user, backhaul_bps=rate_bps)
        return table.price(costs.LinkState(snr_db=0.0, bandwidth_hz=rate_bps))  # log2(1 + 1) = 1 bit/s/Hz

    held, sent, fetched = prices("held"), prices("sent"), prices("fetched")
    steps = np.arange(total + 1)
    return Curve(
        steps,
        held.bill().energy_j[0],
        held.bill().latency_s[0],
        sent.bill().latency_s[0],
        fetched.bill().latency_s[0],
        printed_energy_share(steps, total, edge, user),
    )


def _energy_claims(curve: Curve, total: int) -> list[Claim]:
    share = curve.printed_share
    user_over_edge = share[-1].item()
    least = EDGE_J * share.min().item()
    return [
        value_claim(
            "paper",
            f"energy: edge alone {EDGE_J}, user alone {USER_J}, a ratio of {EDGE_J / USER_J:.2f}",
            f"eq. 2 with the paper's devices: edge over user {1 / user_over_edge:.2f}",
            [(ENDS, 1 / user_over_edge)],
            "the devices are others than the paper's",
        ),
        order_claim(
            "paper",
            f"energy of the split below {SPLIT_J}, less than both ends",
            f"eq. 2 with the edge at {EDGE_J}: at least {least:.2f}, at {int(curve.steps[share.argmin()])} of {total} "
            f"steps at the user; with text encoder and VAE once, "
            f"{curve.energy_j[1:-1].min():.1f} to {curve.energy_j[1:-1].max():.1f} J inside, "
            f"{curve.energy_j[0]:.1f} and {curve.energy_j[-1]:.1f} J at the ends",
            [_exactly(SPLIT_J - least)],
            "a linear function lies between its ends, so no split can do this; the user's part of a split in the "
            f"middle is {EDGE_J * share[-1] / 2:.2f} by itself: the figure may lack the edge's part",
        ),
    ]


def _delay_claims(curve: Curve, total: int, edge: costs.Device, user: costs.Device) -> list[Claim]:
    latency_s = curve.latency_s
    ratio = (latency_s[-1] / latency_s).tolist()
    inside = np.abs(latency_s[-1] / latency_s[1:-1] - USER_OVER_SPLIT)
    best = int(inside.argmin()) + 1
    middle = total // 2
    return [
        value_claim(
            "paper",
            f"delay: the user alone takes nearly {USER_OVER_EDGE:.0f} times as long as the edge alone",
            f"{ratio[0]:.0f} times ({latency_s[-1]:.2f} s and {latency_s[0]:.3f} s, the image sent)",
            [(USER_TIMES, ratio[0])],
            f"the throughputs alone give a ratio of {_throughput(edge) / _throughput(user):.0f} (eq. 4); 20 would need "
            f"{latency_s[-1] / USER_OVER_EDGE:.2f} s at the edge",
        ),
        # Nothing to judge: the ratio falls from that of the edge alone to 1, so that some split has any in between.
        report(
            f"the paper: the user alone takes {USER_OVER_SPLIT:.0f} times as long as the split, which it does not name",
            f"{ratio[best]:.1f} times with {best} of {total} steps at the user, {ratio[middle]:.1f} with {middle}",
        ),
        order_claim(
            "paper",
            "one split is both: a tenth of the user's delay, and the least energy",
            f"the split with a tenth of the delay takes {EDGE_J * curve.printed_share[best]:.2f} on the paper's scale "
            f"of energy, {'more' if curve.printed_share[best] > curve.printed_share[-1] else 'no more'} than the user "
            "alone",
            [_exactly(SPLIT_J - EDGE_J * curve.printed_share[best])],
            "the fewer steps the user takes, the nearer both are to the edge alone, which needs the most energy",
        ),
        order_claim(
            "paper",
            "the split, whose delay holds the size of the UNet (eq. 3), is faster than the user alone",
            f"with the UNet sent it takes {curve.unet_sent_s[1:-1].min():.0f} s or more, "
            f"{curve.unet_sent_s[1:-1].min() / latency_s[-1]:.1f} times the user alone; with a model-cache miss "
            f"{curve.cache_miss_s[1:-1].min():.0f} s",
            [_exactly(latency_s[-1] - curve.unet_sent_s[1:-1].min())],
            "1.72 GB at this rate; figure 8(b) can only be without it (weights that the user holds)",
        ),
    ]


def _reports(curve: Curve, total: int, edge: costs.Device, options: Options) -> list[Claim]:
    flops = EDGE_J * _throughput(edge) / edge.power_w
    step = 2 * costs.counted_operations()["unet"].flops
    return [
        report(
            "the operations that the paper's joules stand for",
            f"{EDGE_J} J at the edge are {flops / 1e12:.2f} TFLOP, {flops / step:.1f} guided steps of Stable Diffusion "
            f"v1-5 and not {total}, which take {total * step / 1e12:.0f} TFLOP and {curve.energy_j[0]:.0f} J",
        ),
        report(
            "eq. 3 as printed, bandwidth times size over distance",
            "grows with the bandwidth and is not a time; here size over rate: an image takes "
            f"{costs.Payloads().image / options.rate_bps:.3f} s",
        ),
    ]


def _exactly(value: float) -> Interval:
    """Prices have no chance in them."""
    return Interval(value, value, value)


def _throughput(device: costs.Device) -> float:
    if device.compute_flops_per_s is None:
        raise ValueError(f"euci_fig8 needs the throughput compute_flops_per_s of {device.name}")
    return device.compute_flops_per_s


def _draw(curve: Curve, total: int) -> Figure:
    with house_style():
        figure = Figure(figsize=(7.4, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_energy(left, curve, total)
        _draw_delay(right, curve)
        for axis in (left, right):
            axis.set(xlabel=f"Steps at the user, of {total} (0: edge only, {total}: user only)")
    return figure


def _draw_energy(axis: Any, curve: Curve, total: int) -> None:
    whole = curve.energy_j / curve.energy_j[0]
    axis.plot(curve.steps, curve.printed_share, color=OKABE_ITO[0], label="eq. 2, as printed")
    axis.plot(curve.steps, whole, "--", color=OKABE_ITO[2], label="text encoder and VAE once")
    stated = [1.0, USER_J / EDGE_J]
    axis.plot([0, total], stated, "D", color="black", markerfacecolor="none", label="the paper's ends")
    axis.axhspan(0, SPLIT_J / EDGE_J, color=OKABE_ITO[1], alpha=0.2, linewidth=0)
    axis.text(total / 2, SPLIT_J / EDGE_J / 2, "where the paper has its split", ha="center", va="center", fontsize=8)
    axis.set(ylim=(0, 1.15), ylabel="Energy / energy of the edge alone")
    axis.legend(fontsize=7, loc="lower left", bbox_to_anchor=(0.02, 0.44))


def _draw_delay(axis: Any, curve: Curve) -> None:
    user_s, inside = curve.latency_s[-1], slice(1, -1)
    axis.plot(curve.steps, curve.latency_s, color=OKABE_ITO[0], label="weights held")
    axis.plot(curve.steps[inside], curve.unet_sent_s[inside], "--", color=OKABE_ITO[4], label="UNet sent (eq. 3)")
    axis.plot(curve.steps[inside], curve.cache_miss_s[inside], ":", color=OKABE_ITO[3], label="model-cache miss")
    axis.plot([0], [user_s / USER_OVER_EDGE], "D", color="black", markerfacecolor="none", label="the paper's edge only")
    axis.axhline(user_s / USER_OVER_SPLIT, color=OKABE_ITO[1], linewidth=1.0, label="the paper's split")
    axis.set(yscale="log", ylabel="Delay (s)")
    axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0.0, 0.84))
