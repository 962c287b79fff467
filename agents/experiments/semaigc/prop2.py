"""Proposition 2: the compression rate below which SemAIGC is faster than Edge, as printed and right, against prices.

With q = (bits sent by SemAIGC) / (bits of the image), one attempt, and

    D = seconds of the receiver's part of SemAIGC less seconds of the same part at the edge,

the latencies differ by D + q O_s / v - O_s / v, so SemAIGC is faster exactly if q < 1 - v D / O_s: always for
D <= 0 and q < 1, never for v D >= O_s. The proposition lets the receiver's work grow with the bits sent, D = q O_s d,
which gives q < 1 / (1 + v d), and always for 1 + v d <= 0; it is printed with an absolute value, |1 / (1 + v d)|,
which then asks for a bound where there is none. Own derivation; SemAIGC, eqs. 21 to 23.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from agents.evaluation.statistics import column_intervals
from agents.experiments.shared.claims import Near, by_construction, report, value_claim
from agents.experiments.shared.findings import Findings
from agents.experiments.shared.study import Study
from agents.policies.model_based import sample_observations
from agents.reports.drawing import PACR_LABEL
from agents.reports.style import OKABE_ITO, house_style
from envs import SplitVectorEnv, costs, observation_to_state, plans
from envs.checks import Count, Points
from envs.units import FloatArray

SHIPPED = costs.Payloads()
NEVER = Near(0.0, 0.0)
"""What the proposition says of wrong decisions."""


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        splits: of SemAIGC, compared with Edge one by one.
        rates: compression rates, in (0, 1); the bits of a latent are these shares of the image's.
        num_states: states of the scenario in which prices decide who is faster.
        snr_db, edge_availability: of the figure's lines.
        split: of the figure's lines.
    """

    splits: list[int]
    rates: Points
    num_states: Count
    snr_db: Points
    edge_availability: Points
    split: Count


def right_bound(rate_bps: ArrayLike, image_bits: float, extra_s: ArrayLike) -> FloatArray:
    """Compression rate below which SemAIGC is faster, `1 - v D / O_s`; above 1: always, not above 0: never.

    Args:
        rate_bps: v of the link.
        image_bits: O_s.
        extra_s: D, seconds of the receiver's part less those of the same part at the edge.
    """
    return 1 - np.asarray(rate_bps) * np.asarray(extra_s) / image_bits


def printed_bound(rate_bps: ArrayLike, latent_bits: float, extra_s: ArrayLike) -> FloatArray:
    """The printed one, eq. 21: `|1 / (1 + v d)|` with d = D / O_ij, the receiver's extra seconds a sent bit.

    Args:
        latent_bits: O_ij that the receiver's work was measured at.
    """
    with np.errstate(divide="ignore"):
        return np.abs(1 / (1 + np.asarray(rate_bps) * np.asarray(extra_s) / latent_bits))


def run(study: Study, options: Options) -> Findings:
    """Decide by both bounds and by prices, in many states."""
    steps = study.num_inference_steps
    if bad := [split for split in (*options.splits, options.split) if not 0 < split <= steps]:
        raise ValueError(f"experiment.splits must lie in 1..{steps}, where a latent is sent; got {bad}")
    if not 0 < min(options.rates) <= max(options.rates) < 1:
        raise ValueError(f"experiment.rates must lie in (0, 1), got {options.rates}")
    link = _sampled_links(study, options.num_states)
    cases = [_decide(study, split, rate, link) for split in options.splits for rate in _with_shipped(options.rates)]
    rows = _rows(cases)
    lines = _lines(study, options)
    wrong = {kind: np.array([row[f"{kind}_wrong"] for row in rows]) for kind in ("right", "printed")}
    no_bound = np.array([row["printed_denominator_negative"] for row in rows])
    shipped = [row for row in rows if row["rate"] == _shipped_rate()]
    worst = max(rows, key=lambda row: row["printed_wrong"])
    return Findings(
        "Proposition 2: the compression rate below which SemAIGC is faster than Edge",
        {"": _draw(lines, rows, options)},
        {"": rows, "bounds": lines},
        [
            value_claim(
                "paper",
                "SemAIGC is faster than Edge exactly below the printed bound",
                f"decides wrongly in {wrong['printed'].mean():.1%} of the cases over splits, rates and states, at most "
                f"{worst['printed_wrong']:.1%} (split {worst['split']}, rate {worst['rate']:.3g}); at the latent's own "
                f"rate 1/{1 / _shipped_rate():.0f} in {np.mean([row['printed_wrong'] for row in shipped]):.2%}",
                [(NEVER, wrong["printed"].mean())],
                f"its denominator is negative in {no_bound.mean():.1%} of the cases, where SemAIGC is always faster "
                "and the absolute value still asks for a bound; and it lets the receiver's steps cost less when fewer "
                "bits are sent, which they do not",
            ),
            by_construction(
                "the right bound decides as the prices do, always",
                f"wrong in {wrong['right'].mean():.2%} of {len(rows) * options.num_states:,} cases",
                not wrong["right"].any(),
                "rounding at the bound itself"
                if wrong["right"].mean() < 1e-4
                else "the derivation does not fit the prices",
            ),
            report(
                "how often SemAIGC is faster than Edge at the latent's own rate, one attempt",
                ", ".join(f"split {row['split']}: {row['semaigc_faster']:.0%}" for row in shipped),
            ),
        ],
        study.notes,
    )


def _shipped_rate() -> float:
    return SHIPPED.latent / SHIPPED.image


def _with_shipped(rates: Sequence[float]) -> list[float]:
    return sorted({*rates, _shipped_rate()})


def _sampled_links(study: Study, num_states: int) -> costs.LinkState:
    state = observation_to_state(sample_observations(SplitVectorEnv(1, study.settings).model, num_states, study.seed))
    edge_device, user_device = study.settings.edge_device, study.settings.user_device
    return costs.LinkState(
        snr_db=state["snr_db"],
        bandwidth_hz=state["bandwidth_hz"],
        edge_availability=np.minimum(state["edge_capability_hz"] / edge_device.clock_hz, 1.0),
        user_availability=np.minimum(state["user_capability_hz"] / user_device.clock_hz, 1.0),
        density_factor=state["edge_density"] / edge_device.density_cycles_per_bit,
    )


def _prices(study: Study, split: int, link: costs.LinkState, latent_bits: int) -> tuple[costs.Parts, costs.Parts]:
    """Seconds of one attempt of SemAIGC and of Edge, by part, each [N]."""
    steps = study.num_inference_steps
    pair = [plans.semaigc(split, steps), plans.edge_aigc(steps)]
    table = costs.CostTable.compile(
        pair, study.settings.edge_device, study.settings.user_device, costs.Payloads(latent=latent_bits)
    )
    parts = table.price(link).parts_s(1)
    semaigc, edge = (costs.Parts(parts.edge[:, i], parts.link[:, i], parts.user[:, i]) for i in range(len(pair)))
    return semaigc, edge


def extra_s(semaigc: costs.Parts, edge: costs.Parts) -> FloatArray:
    """D: computing seconds of SemAIGC less those of Edge; what both do at the edge cancels."""
    return semaigc.edge + semaigc.user - edge.edge - edge.user


@dataclass(frozen=True)
class Case:
    """One split and compression rate in N states: who is faster, and what either bound says; bool [N] each."""

    split: int
    rate: float
    faster: NDArray[np.bool_]
    right: NDArray[np.bool_]
    printed: NDArray[np.bool_]
    negative: NDArray[np.bool_]


def _decide(study: Study, split: int, rate: float, link: costs.LinkState) -> Case:
    bits = max(1, round(rate * SHIPPED.image))
    semaigc, edge = _prices(study, split, link, bits)
    rate_bps = costs.shannon_rate_bps(link.bandwidth_hz, link.snr_db)
    more_s, exact = extra_s(semaigc, edge), bits / SHIPPED.image
    return Case(
        split,
        rate,
        faster=semaigc.total < edge.total,
        right=exact < right_bound(rate_bps, SHIPPED.image, more_s),
        printed=exact < printed_bound(rate_bps, SHIPPED.latent, more_s),
        negative=1 + rate_bps * more_s / SHIPPED.latent < 0,
    )


def _rows(cases: Sequence[Case]) -> list[dict[str, Any]]:
    wrong = column_intervals(np.stack([case.printed != case.faster for case in cases], axis=1))
    return [
        {
            "split": case.split,
            "rate": case.rate,
            "semaigc_faster": float(case.faster.mean()),
            "right_wrong": float((case.right != case.faster).mean()),
            "printed_wrong": each.mean,
            "printed_wrong_low": each.low,
            "printed_wrong_high": each.high,
            "printed_denominator_negative": float(case.negative.mean()),
        }
        for case, each in zip(cases, wrong, strict=True)
    ]


def _lines(study: Study, options: Options) -> list[dict[str, Any]]:
    """Both bounds over PACR at the scenario's highest bandwidth, and the crossing of the prices themselves."""
    bandwidth_hz = float(np.max(study.settings.scenario.bandwidth_hz))
    rows = []
    for snr_db in options.snr_db:
        link = costs.LinkState(snr_db, bandwidth_hz, np.asarray(options.edge_availability, dtype=np.float64))
        semaigc, edge = _prices(study, options.split, link, SHIPPED.latent)
        more_s, rate_bps = extra_s(semaigc, edge), costs.shannon_rate_bps(bandwidth_hz, snr_db)
        right = right_bound(rate_bps, SHIPPED.image, more_s)
        printed = printed_bound(rate_bps, SHIPPED.latent, more_s)
        for index, pacr in enumerate(options.edge_availability):
            rows.append(
                {
                    "split": options.split,
                    "bandwidth_hz": bandwidth_hz,
                    "snr_db": snr_db,
                    "edge_availability": pacr,
                    "right_bound": float(np.clip(right[index], 0, 1)),
                    "printed_bound": float(min(printed[index], 1)),
                    "crossing_of_prices": _crossing(study, options.split, snr_db, bandwidth_hz, pacr),
                }
            )
    return rows


def _crossing(study: Study, split: int, snr_db: float, bandwidth_hz: float, pacr: float) -> float:
    """The largest share of the image's bits, by bisection over whole bits, at which SemAIGC is still faster."""
    link = costs.LinkState(snr_db, bandwidth_hz, pacr)

    def faster(bits: int) -> bool:
        semaigc, edge = _prices(study, split, link, bits)
        return bool(semaigc.total[0] < edge.total[0])

    low, high = 0, SHIPPED.image
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if faster(middle) else (low, middle)
    return low / SHIPPED.image


def _draw(lines: list[dict[str, Any]], rows: list[dict[str, Any]], options: Options) -> Figure:
    with house_style():
        figure = Figure(figsize=(7.4, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2)
        for colour, snr_db in zip(OKABE_ITO, options.snr_db, strict=False):
            own = [row for row in lines if row["snr_db"] == snr_db]
            x = [row["edge_availability"] for row in own]
            left.plot(x, [row["right_bound"] for row in own], color=colour, label=f"right, {snr_db:g} dB")
            left.plot(x, [row["printed_bound"] for row in own], "--", color=colour, label=f"printed, {snr_db:g} dB")
            left.plot(x, [row["crossing_of_prices"] for row in own], "o", color=colour, markerfacecolor="none")
        left.plot([], [], "o", color="black", markerfacecolor="none", label="prices (bisection)")
        left.axhline(_shipped_rate(), color="0.5", linewidth=0.8)
        left.annotate(
            "latent, 1/48", (max(options.edge_availability), _shipped_rate()), ha="right", va="bottom", fontsize=7
        )
        bandwidth_mhz = lines[0]["bandwidth_hz"] / 1e6
        left.set(
            xlabel=PACR_LABEL,
            ylabel="Compression rate below which SemAIGC is faster",
            title=f"split {options.split}, {bandwidth_mhz:g} MHz",
            ylim=(-0.03, 1.05),
        )
        left.legend(fontsize=6.5)
        for colour, split in zip(OKABE_ITO, options.splits, strict=False):
            own = [row for row in rows if row["split"] == split]
            x = [row["rate"] for row in own]
            right.plot(x, [row["printed_wrong"] for row in own], color=colour, label=f"printed, split {split}")
            low, high = ([row[f"printed_wrong_{end}"] for row in own] for end in ("low", "high"))
            right.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0)
        right.plot(
            x,
            np.max([[r["right_wrong"] for r in rows if r["rate"] == rate] for rate in x], axis=1),
            "k-",
            label="right, any split",
        )
        right.set(
            xscale="log",
            xlabel="Compression rate (bits sent / bits of the image)",
            ylabel="Share of states decided wrongly",
        )
        right.legend(fontsize=6.5)
    return figure
