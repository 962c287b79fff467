"""The bandwidths at which the order of the frameworks turns, over every link: `python -m agents crossover`.

Edge AIGC trails below the bandwidths of three columns and leads above them; none: it never leads. Equal latency: with
semaigc(split), whole devices, one attempt each. SemAIGC (the best split of each state) and Non-ROOT: expected
satisfaction in the scenario `paper`, up to 100 MHz; lead of SemAIGC over Edge AIGC in the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from omegaconf import DictConfig

from agents.experiments.shared.crossover import BANDWIDTHS_HZ, expected_satisfaction, first_crossing
from envs import checks, costs, plans
from envs.checks import Count, Points
from envs.command_line import command, plain

TITLES = ("image at 20 MHz", "image in 45 s", "equal latency", "SemAIGC", "Non-ROOT", "lead at 20 MHz")
SHOWN_HZ = 20e6


@dataclass(frozen=True)
class CrossoverSettings:
    """`configs/crossover.yaml`.

    Attributes:
        snr_db: of the rows.
        split: of the column of equal latency.
        num_states: drawn states that expected satisfaction is a mean over.
    """

    snr_db: Points
    split: Count
    num_states: Count


@command("crossover")
def main(config: DictConfig) -> None:
    """Print, for each link and SNR, Edge AIGC's sending time and both crossovers."""
    settings = checks.parse(CrossoverSettings, plain(config))
    both = [plans.semaigc(settings.split), plans.edge_aigc()]
    print(f"{'link':8} {'SNR':>6} " + " ".join(f"{title:>15}" for title in TITLES))
    shown_at = int(np.abs(BANDWIDTHS_HZ - SHOWN_HZ).argmin())
    for link in costs.LINKS:
        table = costs.CostTable.compile(both, link=link)
        for snr_db in settings.snr_db:
            price = costs.price(both[1], snr_db=snr_db, bandwidth_hz=SHOWN_HZ, link=link)
            link_s = price.latency_parts_s["link"]
            latency_hz = costs.crossover_bandwidth_hz(table, costs.LinkState(snr_db, SHOWN_HZ))
            mean = expected_satisfaction(snr_db, BANDWIDTHS_HZ, link, settings.num_states)
            turns_hz = [first_crossing(BANDWIDTHS_HZ, ahead, mean.edge) for ahead in (mean.semaigc, mean.non_root)]
            columns = (link_s * SHOWN_HZ / 45.0, latency_hz, *turns_hz)
            shown = [f"{hz / 1e6:.2f} MHz" if math.isfinite(hz) else "none" for hz in columns]
            shown.append(f"{(mean.semaigc - mean.edge)[shown_at]:+.3f}")
            print(f"{link:8} {snr_db:3g} dB {link_s:13.2f} s " + " ".join(f"{text:>15}" for text in shown))
