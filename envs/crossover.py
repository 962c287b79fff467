"""Where the order of the frameworks turns: `python -m envs.crossover` prints the bandwidths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs import plans
from envs.command_line import one_line_errors
from envs.costs import CostTable, LinkState, crossover_bandwidth_hz, price
from envs.costs.formulas import RATES
from envs.model import SplitModel
from envs.settings import SplitSettings
from envs.units import FloatArray

SNRS_DB = (-6.0, 0.0, 6.0, 15.0)
BANDWIDTHS_HZ = np.geomspace(1e5, 1e8, 31)
NUM_STATES = 256
SHOWN_HZ = 20e6
SHOWN_SPLIT = 18
LEGEND = f"""\
Edge AIGC trails below the bandwidths of three columns and leads above them; none: it never leads.
Equal latency: with semaigc({SHOWN_SPLIT}), whole devices, one attempt each. SemAIGC (the best split of each state) and
Non-ROOT: expected satisfaction in the scenario paper, {NUM_STATES} states, up to {BANDWIDTHS_HZ[-1] / 1e6:g} MHz; lead
of SemAIGC over Edge AIGC in the same."""


class Satisfaction(NamedTuple):
    """Mean expected satisfaction at each bandwidth, float64 [W]."""

    semaigc: FloatArray
    non_root: FloatArray
    edge: FloatArray


def expected_satisfaction(
    snr_db: float,
    bandwidths_hz: Sequence[float] | FloatArray,
    rate: str,
    num_states: int = NUM_STATES,
    seed: int = 0,
    **settings: Any,
) -> Satisfaction:
    """Expected satisfaction of SemAIGC at its best split, of Non-ROOT and of Edge AIGC, over the scenario `paper`.

    The best split is the exact optimum given the observation, which ROOT approaches. All but SNR and bandwidth
    varies as in the scenario; the same states are taken at every bandwidth.

    Args:
        snr_db: of the link.
        bandwidths_hz: within the bounds of the observation.
        rate: how the link is priced, see `envs.costs.formulas`.
        num_states: drawn states that the mean is over.
        seed: of the states.
        settings: of the environment besides, see `envs.model.SplitSettings`.
    """
    fixed = {"scenario": {"snr_db": snr_db}, "plans": ["semaigc", "edge_aigc"], "rate": rate}
    model = SplitModel(SplitSettings.from_keywords(settings | fixed))
    scenario = model.new_scenario()
    scenario.reset(num_states, np.random.default_rng(seed))
    edge, non_root = model.action_of("edge_aigc"), model.action_of(plans.non_root().name)
    rows = []
    for bandwidth_hz in bandwidths_hz:
        state = scenario.state._replace(bandwidth_hz=np.full(num_states, bandwidth_hz))
        rewards = model.expected_rewards(model.observe(state))
        best = np.delete(rewards, edge, axis=1).max(axis=1)
        rows.append((best.mean(), rewards[:, non_root].mean(), rewards[:, edge].mean()))
    return Satisfaction(*np.array(rows).T)


def first_crossing(x: NDArray[np.float64], ahead: FloatArray, behind: FloatArray) -> float:
    """Where `behind` first overtakes `ahead` along increasing x, linear in log x; infinite if it never does."""
    gap = ahead - behind
    turned = np.flatnonzero((gap[:-1] > 0) & (gap[1:] <= 0))
    if not len(turned):
        return math.inf if gap[0] > 0 else float(x[0])
    low = turned[0]
    share = gap[low] / (gap[low] - gap[low + 1])
    return float(x[low] * (x[low + 1] / x[low]) ** share)


def main() -> None:
    """Print, for each rate and SNR, Edge AIGC's sending time and both crossovers."""
    both = [plans.semaigc(SHOWN_SPLIT), plans.edge_aigc()]
    titles = ("image at 20 MHz", "image in 45 s", "equal latency", "SemAIGC", "Non-ROOT", "lead at 20 MHz")
    print(f"{'rate':8} {'SNR':>6} " + " ".join(f"{title:>15}" for title in titles))
    shown_at = int(np.abs(BANDWIDTHS_HZ - SHOWN_HZ).argmin())
    for rate in RATES:
        for snr_db in SNRS_DB:
            link_s = price(both[1], snr_db=snr_db, bandwidth_hz=SHOWN_HZ, rate=rate).latency_parts_s["link"]
            latency_hz = crossover_bandwidth_hz(CostTable.compile(both, rate=rate), LinkState(snr_db, SHOWN_HZ))
            mean = expected_satisfaction(snr_db, BANDWIDTHS_HZ, rate)
            turns_hz = [first_crossing(BANDWIDTHS_HZ, ahead, mean.edge) for ahead in (mean.semaigc, mean.non_root)]
            columns = (link_s * SHOWN_HZ / 45.0, latency_hz, *turns_hz)
            shown = [f"{hz / 1e6:.2f} MHz" if math.isfinite(hz) else "none" for hz in columns]
            shown.append(f"{(mean.semaigc - mean.edge)[shown_at]:+.3f}")
            print(f"{rate:8} {snr_db:3g} dB {link_s:13.2f} s " + " ".join(f"{text:>15}" for text in shown))
    print(LEGEND)


if __name__ == "__main__":
    with one_line_errors():
        main()
