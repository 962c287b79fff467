"""Compare the profile's rewards with those of really generated images: `python -m agents check_profile`.

Three questions: whether the profile is what the transceiver delivers (its own requests and channel draws), whether its
requests stand for others (fresh requests of neither part), and what the receivers deliver of these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from tqdm import tqdm

from agents.evaluation.statistics import Interval, Margins, column_intervals, paired_difference
from agents.policies import load_policy
from agents.reports.provenance import describe
from agents.runs.settings import GROUPS, read_settings
from agents.runs.setup import prepare_environment
from envs import SplitVectorEnv
from envs.checks import Count, Natural, Points
from envs.command_line import Interrupted, command, plain
from envs.fidelity import ComparedRewards, LiveSource, compare_rewards, fresh_requests, live_quality
from envs.files import whole_file, write_text

HALF_WIDTH = 0.01
"""The bar: zero lies inside an interval of at most this half-width."""
COUNTS = ("num_batches", "fresh_batches", "receiver_batches")
"""Settings that may grow: the batches that are there stay."""
SHOWN = {"PSNR": "psnr_db", "SSIM ≥ 0.8": "ssim", "alignment ≥ 0.9": "alignment"}
LEAST = {"ssim": 0.8, "alignment": 0.9}

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class ReceiverCells:
    """Where two receivers are compared: at every split with every SNR."""

    receivers: list[str]
    splits: list[int]
    snr_db: Points

    def __post_init__(self) -> None:
        if len(self.receivers) != 2:
            raise ValueError(f"receivers.receivers must be two, got {self.receivers}")


@dataclass(frozen=True)
class CheckSettings:
    """`configs/check_profile.yaml` outside the groups.

    Attributes:
        folder: where finished batches are kept.
        requests: of the profile that are compared, `train`, `test` or `all`.
        seed: of the requests; batch k is drawn with (seed, k).
        batch_size: independent requests in a batch.
        num_batches: of the profile's own requests.
        fresh_batches: of requests of neither part.
        receiver_batches: of fresh requests on which the receivers are compared.
        policy: who chooses the plans; None is every plan equally often.
        receivers: the cells of that comparison.
    """

    folder: str
    requests: str
    seed: Natural
    batch_size: Count
    num_batches: Count
    fresh_batches: Count
    receiver_batches: Count
    policy: str | None
    receivers: ReceiverCells


def chosen_plans(environment: SplitVectorEnv, settings: CheckSettings, index: int) -> tuple[Any, NDArray[np.integer]]:
    """States of a batch of requests, and the plan of each."""
    model = environment.model
    rng = np.random.default_rng((settings.seed, index))
    scenario = model.new_scenario()
    scenario.reset(settings.batch_size, rng)
    if settings.policy is None:
        return scenario.state, rng.permutation(settings.batch_size) % len(model.plans)
    policy = load_policy(settings.policy, environment, seed=settings.seed + index)
    return scenario.state, policy.predict(model.observe(scenario.state), deterministic=True)[0]


def own_batch(environment: SplitVectorEnv, settings: CheckSettings, index: int) -> Arrays:
    """Rewards of some of the profile's requests, see `ComparedRewards`."""
    state, action = chosen_plans(environment, settings, index)
    live: Any = environment.core.quality
    return vars(compare_rewards(environment.model, live, action, state))


def fresh_batch(environment: SplitVectorEnv, settings: CheckSettings, index: int) -> Arrays:
    """Live rewards [N] of fresh requests, and what the profile expects in their states of each of its own, [R, N]."""
    model = environment.model
    state, action = chosen_plans(environment, settings, index)
    count = len(action)
    requests = fresh_requests(model.profile, count, np.random.default_rng((settings.seed, index, 1)))
    source = LiveSource(live_quality(model, requests, model.settings.receiver), model)
    live = model.serve(action, state._replace(request=np.arange(count)), source)[0]
    expected = model.expected_rewards(model.observe(state), by_request=True)[:, np.arange(count), action]
    return {"live": live, "profile": expected.astype(np.float32)}


def receiver_batch(environment: SplitVectorEnv, settings: CheckSettings, index: int) -> Arrays:
    """Metrics of fresh requests by both receivers in all cells: metric -> [2, splits, SNRs, N]."""
    model, cells, count = environment.model, settings.receivers, settings.batch_size
    requests = fresh_requests(model.profile, count, np.random.default_rng((settings.seed, index, 2)))
    found = {name: np.empty((2, len(cells.splits), len(cells.snr_db), count)) for name in SHOWN.values()}
    for which, receiver in enumerate(cells.receivers):
        live = live_quality(model, requests, receiver)
        for i, split in enumerate(cells.splits):
            action = np.full(count, model.action_of(f"semaigc({split})"))
            for j, snr_db in enumerate(cells.snr_db):
                links = np.full(count, float(snr_db))
                values, _ = live.measure(action, np.arange(count), links, np.zeros(count, dtype=np.int64))
                for name, each in found.items():
                    each[which, i, j] = values[name]
    return found


def report(batches: list[ComparedRewards]) -> list[str]:
    """Lines about the profile's own requests: both comparisons, and how many rewards are the same.

    Requests of one prompt and seed are resampled together: they share what the profile was measured with, and so its
    errors.
    """
    rows = {name: np.concatenate([vars(batch)[name] for batch in batches]) for name in vars(batches[0])}
    lines = [f"{len(rows['live'])} requests of {len(np.unique(rows['request']))} prompts and seeds"]
    for name, live, profile in (
        ("the profile's own channel draws", rows["live"], rows["profile"]),
        ("fresh channel draws", rows["live_fresh"], rows["profile_mean"]),
    ):
        lines.append(_verdict(name, live.mean(), profile.mean(), paired_difference(live, profile, rows["request"])))
    same = np.isclose(rows["live"], rows["profile"], rtol=0.0, atol=1e-9)
    lines.append(f"equal rewards with the profile's own draws: {same.mean():.1%}")
    return lines


def report_fresh(batches: list[Arrays], part: str) -> str:
    """A line about fresh requests: two samples, of which both are resampled, these and the profile's own.

    Every fresh request has a state and a plan of its own, for which the profile gives a mean over its own requests: so
    the states are the same on both sides, and the requests are not.
    """
    live = np.concatenate([batch["live"] for batch in batches])
    profile = np.concatenate([batch["profile"] for batch in batches], axis=1).astype(np.float64)  # [R, N]
    gap = Margins(live - profile.mean(axis=0), live.mean() - profile.mean(axis=1)).interval()
    name = f"{len(live):,} fresh requests against the profile's {len(profile):,} {part} requests"
    return _verdict(name, live.mean(), profile.mean(), gap)


def report_receivers(batches: list[Arrays], cells: ReceiverCells) -> list[str]:
    """Lines about the two receivers on fresh requests, paired; intervals are over requests, with one draw each."""
    values = {name: np.concatenate([batch[name] for batch in batches], axis=-1) for name in SHOWN.values()}
    one, other = cells.receivers
    lines = [f"{one} less {other} on {values['psnr_db'].shape[-1]} fresh requests (95 % over requests):"]
    for i, split in enumerate(cells.splits):
        for j, snr_db in enumerate(cells.snr_db):
            gains = []
            for name in SHOWN.values():
                own = values[name] if name not in LEAST else (values[name] >= LEAST[name]).astype(np.float64)
                gains.append(own[0, i, j] - own[1, i, j])
            shown = zip(SHOWN, column_intervals(np.stack(gains, axis=1)), strict=True)
            texts = [f"{label} {gain.mean:+.3f} ({gain.span('+.3f')})" for label, gain in shown]
            lines.append(f"  split {split}, {snr_db:g} dB: {', '.join(texts)}")
    return lines


def _verdict(name: str, live: float, profile: float, gap: Interval) -> str:
    met = gap.low <= 0.0 <= gap.high and gap.half <= HALF_WIDTH
    return (
        f"{name}: live {live:.4f}, profile {profile:.4f}, live - profile {gap.mean:+.4f} "
        f"(95 % {gap.low:+.4f} to {gap.high:+.4f}); zero inside a half-width of {HALF_WIDTH:g} or less: "
        f"{'yes' if met else 'no'} ({gap.half:.4f})"
    )


@command("check_profile")
def main(config: DictConfig) -> None:
    """Compare as `configs/check_profile.yaml` says; finished batches are kept."""
    settings = read_settings(CheckSettings, config, GROUPS)
    folder = Path(settings.folder)
    if config.env.fidelity != "live" or settings.policy == "clairvoyant":
        raise ValueError("env.fidelity must be live, and the policy one that decides by the observation")
    judged = replace(prepare_environment(config, 1)[0], requests=settings.requests)
    environment = SplitVectorEnv(settings.batch_size, judged)
    if environment.model.reward.is_vector:
        raise ValueError("rewards are compared as numbers: env.reward must be satisfaction or qoe, got vector")
    for split in settings.receivers.splits:
        environment.model.action_of(f"semaigc({split})")
    source = describe(config, environment)
    _check_same_run(folder, config, source)
    print(source)
    kinds: dict[str, tuple[Callable[..., Arrays], int]] = {
        "batch": (own_batch, settings.num_batches),
        "fresh": (fresh_batch, settings.fresh_batches),
        "receivers": (receiver_batch, settings.receiver_batches),
    }
    done = {name: [folder / f"{name}-{index}.npz" for index in range(count)] for name, (_, count) in kinds.items()}
    left = [
        (path, partial(kinds[name][0], environment, settings, index))
        for name, paths in done.items()
        for index, path in enumerate(paths)
        if not path.is_file()
    ]
    try:
        for path, measure in tqdm(left, desc="batches", unit="batch"):
            batch = measure()
            with whole_file(path) as file:
                np.savez_compressed(file, **batch)  # type: ignore[arg-type]
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; the same command goes on with the batches in {folder}") from None
    kept = {name: [_load(path) for path in paths] for name, paths in done.items()}
    lines = [report_fresh(kept["fresh"], settings.requests), *report_receivers(kept["receivers"], settings.receivers)]
    print("\n".join([*report([ComparedRewards(**batch) for batch in kept["batch"]]), *lines]))


def _check_same_run(folder: Path, config: DictConfig, source: str) -> None:
    """Refuse to mix batches of different settings; the number of batches may grow."""
    settings = {"source": source} | plain(config, exclude=["folder", *COUNTS])
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    path = folder / "settings.json"
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise ValueError(f"{folder} holds batches of other settings ({path}): give another folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


def _load(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as data:
        return dict(data)
