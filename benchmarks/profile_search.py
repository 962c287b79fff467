"""What measuring SNRs only where acceptance changes saves and loses: `python benchmarks/profile_search.py`.

Some training requests of the embedded model are measured at every SNR and with six channel draws. Of these, the search
of `make_profile` and its three draws are taken as if nothing else had been measured. Both profiles then give the best
plan in states of scenario `paper`, which the full one judges: by either rule of acceptance, on the requests that both
were fitted on, and on others of the full one that neither was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents.evaluation.statistics import Interval, mean_interval
from benchmarks.harness import settings
from envs import SplitSettings
from envs.command_line import one_line_errors
from envs.model import SplitModel
from envs.transceiver.profile.acceptance import ACCEPTED
from envs.transceiver.profile.files import gather_profile
from envs.transceiver.profile.measurement import Search
from envs.transceiver.profile.profile import PROMPT, TRAIN, ProfilePart, QualityProfile
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.profile.shards import measure_cells
from envs.transceiver.profile.table import METRICS, QualityTable, TableKey

SNR_DB = (-20, -14, -9, -6, -4.5, -3, -1.5, 0, 1.5, 3, 4.5, 6, 7.5, 9, 10.5, 12, 13.5, 15, 20, 30)
FIRST = (-20, -3, 9, 30)
FULL_DRAWS, DRAWS = 6, 3


def searched(table: QualityTable) -> QualityTable:
    """What the search would have measured of a table, with fewer channel draws."""
    full = table.measured[..., :DRAWS]
    known = np.zeros(full.shape[1:], dtype=np.bool_)
    search = Search(tuple(SNR_DB.index(snr) for snr in FIRST), ACCEPTED)
    for split in range(1, len(table.splits)):
        wanted = search.first((len(full[0]), len(SNR_DB), DRAWS))
        while wanted.any():
            known[:, split] |= wanted
            wanted = search.next(np.where(known[:, split], full[:, :, split], np.nan))
    return replace(table, measured=np.where(known, full, np.nan))


def forwards(table: QualityTable) -> int:
    """Of an unguided receiver, for the links that were measured."""
    links = (~np.isnan(table.measured[0])).sum(axis=(0, 2, 3))
    return int((links * (table.splits[-1] - np.array(table.splits))).sum())


def profile_of(part: ProfilePart, table: QualityTable, rows: NDArray[np.int64]) -> QualityProfile:
    """A profile of one table on some of its requests."""
    own = replace(
        table, measured=table.measured[:, rows], noise_free=table.noise_free[:, rows], rows=np.arange(len(rows))
    )
    steps = table.splits[-1]
    requests = tuple(part.requests[row] for row in rows)
    references = {steps: part.references[steps][:, rows]}
    some = ProfilePart(TRAIN, requests, references, {TableKey("finetuned", steps): own})
    return QualityProfile({(PROMPT, TRAIN): some}, steps, table.fingerprint)


def regret(cheap: QualityProfile, full: QualityProfile, judge: QualityProfile, metric: str, states: int) -> Interval:
    """Reward that the best plan of the cheap profile loses to that of the full one, by a profile that judges both."""
    shared: dict[str, Any] = {"acceptance": {"metric": metric, "least": ACCEPTED[metric]}}
    models = [SplitModel(SplitSettings(profile=profile, **shared)) for profile in (cheap, full, judge)]
    scenario = models[0].new_scenario()
    scenario.reset(states, np.random.default_rng(1))
    shown = models[0].observe(scenario.state)
    chosen = [model.expected_rewards(shown).argmax(axis=1) for model in models[:2]]
    rewards = models[2].expected_rewards(shown)
    lost = rewards[np.arange(states), chosen[1]] - rewards[np.arange(states), chosen[0]]
    return mean_interval(lost, np.arange(states))


def report(options: argparse.Namespace) -> None:
    """Measure, search, compare."""
    if min(options.requests // 2, options.states, options.steps - 1) < 1:
        raise ValueError("requests and steps must be 2 or more, and states 1 or more")
    params = MeasureParams(
        model=options.model,
        receivers={"finetuned": ReceiverAxes((options.steps,), draws=FULL_DRAWS)},
        requests={TRAIN: options.requests},
        snr_db=SNR_DB,
        num_inference_steps=options.steps,
    )
    measure_cells(params, options.folder, options.workers, 1)
    part = gather_profile(params, options.folder).part(TRAIN)
    table = part.table(TableKey("finetuned", options.steps))
    cheap = searched(table)
    share = forwards(cheap) / forwards(table)
    sizes = f"{options.requests} requests, {len(SNR_DB)} SNRs, {FULL_DRAWS} draws"
    print(f"finetuned, T = {options.steps}, {sizes}: {forwards(table):,} forwards")
    links = (~np.isnan(cheap.measured[0, :, 1:])).sum(axis=2).mean()
    print(f"search: {links:.1f} SNRs a draw, {DRAWS} draws: {forwards(cheap):,} forwards, {share:.3f} of all (bar 0.2)")
    known = table.values[..., :DRAWS]
    for metric, least in ACCEPTED.items():
        index = METRICS.index(metric)
        wrong = ((cheap.values[index, :, 1:] >= least) != (known[index, :, 1:] >= least)).mean()
        print(f"{metric} >= {least}: acceptance differs in {wrong:.2%} of the links")
    every, half = np.arange(options.requests), options.requests // 2
    for metric in ACCEPTED:
        whole = profile_of(part, table, every)
        same = regret(profile_of(part, cheap, every), whole, whole, metric, options.states)
        fitted, others = every[:half], every[half:]
        held = regret(
            profile_of(part, cheap, fitted), profile_of(part, table, fitted), profile_of(part, table, others), metric,
            options.states,
        )  # fmt: skip
        print(
            f"{metric}: regret against the full profile's oracle {same.text('.4f')}; on the other half of the requests "
            f"{held.text('+.4f')} (bar 0.002)"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the settings and measure."""
    parser = settings(__doc__)
    parser.add_argument("--model", help="folder of a model, default: the embedded one")
    parser.add_argument("--steps", type=int, default=20, help="T, default: %(default)s")
    parser.add_argument("--requests", type=int, default=32, help="measured at every SNR, default: %(default)s")
    parser.add_argument("--states", type=int, default=4096, help="of the comparison, default: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path("outputs/benchmarks/profile"), help="of the finished cells")
    parser.add_argument("--workers", type=int, default=2, help="processes, default: %(default)s")
    with one_line_errors():
        report(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
