"""The communication overhead of MEG's protocols: the paper's table again, from the plans' payloads.

The paper's "Mb" and "kb" are bytes: of an image of 512 x 896 pixels at 24 bits (1,376,256 B), of its latent at 8 bits
an element (28,672 B) and of a sketch of half the resolution (344,064 B). Computing is priced as for 512 x 512.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure

from agents.experiments.shared.claims import Claim, Near, report, value_claim
from agents.experiments.shared.findings import Findings
from agents.experiments.shared.study import Study
from agents.reports.style import GREY, OKABE_ITO, house_style
from envs import costs, plans
from envs.checks import Count


class Printed(NamedTuple):
    """A row of the paper's table in bytes, each with the value of its last printed digit."""

    uplink: tuple[float, float]
    downlink: tuple[float, float]
    total: tuple[float, float]


_IMAGE, _LATENT = (1.37e6, 1e4), (28e3, 1e3)
PRINTED: dict[str, Printed] = {
    "full_ue": Printed((0, 0), (0, 0), (0, 0)),
    "full_es": Printed(_IMAGE, _IMAGE, (2.75e6, 1e4)),
    "uieg": Printed(_LATENT, _IMAGE, (1.40e6, 1e4)),
    "eiug": Printed(_IMAGE, _LATENT, (1.40e6, 1e4)),
    "ciag": Printed(_LATENT, _LATENT, (57e3, 1e3)),
    "esuc": Printed(_IMAGE, (344e3, 1e3), (1.71e6, 1e4)),
}
"""MEG, figure 6."""
PRINTED_FACTOR = Near(47.2, 0.1)
SEVERAL = ("uidg", "diug", "dsuc", "uidcg", "dcsuc")


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        height, width: of the images in pixels.
        snr_db, bandwidth_hz: state of the link at which the plans are priced beside it.
        servers: numbers of edge servers of the protocols with several.
    """

    height: Count
    width: Count
    snr_db: float
    bandwidth_hz: float
    servers: list[int]


def run(study: Study, options: Options) -> Findings:
    """Count what each protocol sends, price it, and compare with the paper's table."""
    payloads = costs.Payloads.of_images(options.height, options.width)
    one = [plans.expand(name, study.num_inference_steps)[0] for name in PRINTED]
    names = [f"{name}({servers})" for name in SEVERAL for servers in options.servers]
    several = plans.expand(names, study.num_inference_steps)
    rows = [_row(study, options, plan, payloads) for plan in one]
    more = [_row(study, options, plan, payloads) for plan in several]
    printed = [
        row | {f"printed_{kind}_bytes": value for kind, (value, _) in PRINTED[row["plan"]]._asdict().items()}
        for row in rows
    ]
    return Findings(
        "Communication overhead of MEG's protocols, bytes up and down",
        {"": _draw(printed)},
        {"": printed, "several_servers": more},
        [_parts_claim(rows), _totals_claim(rows), _factor_claim(rows), *_reports(rows, more, options)],
        study.notes,
    )


def _row(study: Study, options: Options, plan: plans.Plan, payloads: costs.Payloads) -> dict[str, Any]:
    sent = costs.traffic(plan, payloads)
    price = costs.price(
        plan,
        snr_db=options.snr_db,
        bandwidth_hz=options.bandwidth_hz,
        edge=study.settings.edge_device,
        user=study.settings.user_device,
        payload_bits=payloads,
    )
    return {
        "plan": plan.name,
        "uplink_bytes": sent.uplink_bits // 8,
        "downlink_bytes": sent.downlink_bits // 8,
        "total_bytes": sent.wireless_bits // 8,
        "link_s": price.latency_parts_s["link"],
        "latency_s": price.latency_s,
        "energy_j": price.energy_j,
    }


def _entries(rows: Sequence[dict[str, Any]], kinds: Sequence[str]) -> list[tuple[str, Near, float]]:
    """What is compared, the printed value within less than a unit of its last digit, and the counted bytes."""
    return [
        (f"{row['plan']} {kind}", Near(value, max(0.0, digit - 1)), row[f"{kind}_bytes"])
        for row in rows
        for kind in kinds
        for value, digit in [getattr(PRINTED[row["plan"]], kind)]
    ]


def _off(entries: Sequence[tuple[str, Near, float]]) -> list[str]:
    return [
        f"{what} {value:,.0f} B, printed {near.stated:,.0f}"
        for what, near, value in entries
        if near.verdict(value) != "yes"
    ]


def _parts_claim(rows: Sequence[dict[str, Any]]) -> Claim:
    entries = _entries(rows, ("uplink", "downlink"))
    off = _off(entries)
    image, latent = rows[1]["uplink_bytes"], rows[2]["uplink_bytes"]
    return value_claim(
        "paper",
        "uplink and downlink of the six protocols: 1.37 Mb an image, 28 kb a seed, 344 kb a sketch",
        f"image {image:,} B, latent {latent:,} B, sketch {rows[5]['downlink_bytes']:,} B; "
        f"{len(entries) - len(off)} of {len(entries)} entries within a unit of the last printed digit",
        [(near, value) for _, near, value in entries],
        "; ".join(off),
    )


def _totals_claim(rows: Sequence[dict[str, Any]]) -> Claim:
    entries = _entries(rows, ("total",))
    off = _off(entries)
    return value_claim(
        "paper",
        "totals of the six protocols: 0, 2.75, 1.40, 1.40 Mb, 57 kb, 1.71 Mb",
        ", ".join(f"{row['plan']} {row['total_bytes']:,} B" for row in rows)
        + f"; {len(entries) - len(off)} of {len(entries)} within a unit of the last printed digit",
        [(near, value) for _, near, value in entries],
        f"{'; '.join(off)}: the paper adds figures that it has already cut off (1.37 + 0.344)",
    )


def _factor_claim(rows: Sequence[dict[str, Any]]) -> Claim:
    total = {row["plan"]: row["total_bytes"] for row in rows}
    ratio = total["full_es"] / total["ciag"]
    return value_claim(
        "paper",
        f"CIAG decreases what Full ES sends by a factor of {PRINTED_FACTOR.stated}",
        f"{ratio:.1f} times fewer bytes",
        [(PRINTED_FACTOR, ratio)],
        f"the ratio is exactly that of an image to its latent; the printed figures give 2.75 / 0.057 = "
        f"{2.75 / 0.057:.1f}, and (2.75 - 0.057) / 0.057 = {(2.75 - 0.057) / 0.057:.1f} for what is saved",
    )


def _reports(rows: Sequence[dict[str, Any]], more: Sequence[dict[str, Any]], options: Options) -> list[Claim]:
    fastest = sorted(rows, key=lambda row: row["latency_s"])
    state = f"{options.snr_db:g} dB and {options.bandwidth_hz / 1e6:g} MHz"
    return [
        report(
            "the unit of the paper's table",
            f"bytes: an image of {options.height} x {options.width} has {8 * rows[1]['uplink_bytes']:,} bits, eight "
            "times what 'Mb' would say",
        ),
        report(
            f"seconds and joules of a request at {state}, computing as for 512 x 512",
            ", ".join(f"{row['plan']} {row['latency_s']:.2f} s, {row['energy_j']:,.0f} J" for row in fastest),
        ),
        report(
            f"several edge servers at {state}",
            ", ".join(f"{row['plan']} {row['total_bytes'] / 1e6:.2f} MB in {row['latency_s']:.2f} s" for row in more),
        ),
    ]


def _draw(rows: Sequence[dict[str, Any]]) -> Figure:
    with house_style():
        figure = Figure(figsize=(6.2, 3.0), layout="constrained")
        axis = figure.subplots()
        position = np.arange(len(rows))
        for offset, kind, colour in ((-0.2, "uplink", OKABE_ITO[0]), (0.2, "downlink", OKABE_ITO[1])):
            values = [row[f"{kind}_bytes"] for row in rows]
            axis.bar(position + offset, values, 0.38, color=colour, label=kind)
            stated = [row[f"printed_{kind}_bytes"] for row in rows]
            label = "paper" if kind == "uplink" else None
            axis.plot(position + offset, stated, "D", color="black", markerfacecolor="none", label=label)
        for place, row in enumerate(rows):
            total = row["total_bytes"]
            text = f"{total / 1e6:.2f} MB" if total >= 1e6 else f"{total / 1e3:.1f} kB" if total else "nothing"
            height = max(row["uplink_bytes"], row["downlink_bytes"])
            axis.text(place, max(height, 1e4) * 1.35, text, ha="center", va="bottom", fontsize=7.5, color=GREY)
        axis.set(yscale="log", ylim=(1e4, 6e6), ylabel="Bytes (total above)")
        axis.set_xticks(position, [row["plan"].upper().replace("FULL_", "Full ") for row in rows])
        axis.grid(visible=False, axis="x")
        axis.set_axisbelow(True)
        axis.legend(ncols=3, loc="upper center", bbox_to_anchor=(0.5, 1.14), fontsize=8)
    return figure
