"""Compare the profile's rewards with those of really generated images: `python -m agents check_profile`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig
from tqdm import tqdm

from agents.evaluation.statistics import paired_difference
from agents.policies import load_policy
from agents.reports.provenance import describe
from agents.runs.settings import GROUPS, read_settings
from agents.runs.setup import prepare_environment
from envs import SplitVectorEnv
from envs.checks import Count, Natural
from envs.command_line import Interrupted, command, plain
from envs.fidelity import ComparedRewards, compare_rewards
from envs.files import whole_file, write_text

HALF_WIDTH = 0.01
"""The bar: zero lies inside an interval of at most this half-width."""


@dataclass(frozen=True)
class CheckSettings:
    """`configs/check_profile.yaml` outside the groups.

    Attributes:
        folder: where finished batches are kept.
        seed: of the requests; batch k is drawn with (seed, k).
        num_batches, batch_size: of independent requests.
        policy: who chooses the plans; None is every plan equally often.
    """

    folder: str
    seed: Natural
    num_batches: Count
    batch_size: Count
    policy: str | None


def compare_batch(environment: SplitVectorEnv, live: Any, settings: CheckSettings, index: int) -> ComparedRewards:
    """Compare one batch of requests."""
    model = environment.model
    rng = np.random.default_rng((settings.seed, index))
    scenario = model.new_scenario()
    scenario.reset(settings.batch_size, rng)
    if settings.policy is None:
        action: NDArray[np.integer] = rng.permutation(settings.batch_size) % len(model.plans)
    else:
        policy = load_policy(settings.policy, environment, seed=settings.seed + index)
        action = policy.predict(model.observe(scenario.state), deterministic=True)[0]
    return compare_rewards(model, live, action, scenario.state)


def report(batches: list[ComparedRewards]) -> list[str]:
    """Lines about both comparisons, and about how many rewards are the same.

    Requests of one prompt and seed are resampled together: they share what the profile was measured with, and so its
    errors.
    """
    rows = {name: np.concatenate([vars(batch)[name] for batch in batches]) for name in vars(batches[0])}
    lines = [f"{len(rows['live'])} requests of {len(np.unique(rows['request']))} prompts and seeds"]
    for name, live, profile in (
        ("the profile's own channel draws", rows["live"], rows["profile"]),
        ("fresh channel draws", rows["live_fresh"], rows["profile_mean"]),
    ):
        gap = paired_difference(live, profile, rows["request"])
        half = (gap.high - gap.low) / 2
        met = gap.low <= 0.0 <= gap.high and half <= HALF_WIDTH
        lines.append(
            f"{name}: live {live.mean():.4f}, profile {profile.mean():.4f}, live - profile {gap.mean:+.4f} "
            f"(95 % {gap.low:+.4f} to {gap.high:+.4f}); zero inside a half-width of {HALF_WIDTH:g} or less: "
            f"{'yes' if met else 'no'} ({half:.4f})"
        )
    same = np.isclose(rows["live"], rows["profile"], rtol=0.0, atol=1e-9)
    lines.append(f"equal rewards with the profile's own draws: {same.mean():.1%}")
    return lines


@command("check_profile")
def main(config: DictConfig) -> None:
    """Compare as `configs/check_profile.yaml` says; finished batches are kept."""
    settings = read_settings(CheckSettings, config, GROUPS)
    folder = Path(settings.folder)
    if config.env.fidelity != "live" or settings.policy == "clairvoyant":
        raise ValueError("env.fidelity must be live, and the policy one that decides by the observation")
    environment = prepare_environment(config, settings.batch_size)[1]
    if environment.model.reward.is_vector:
        raise ValueError("rewards are compared as numbers: env.reward must be satisfaction or qoe, got vector")
    source = describe(config, environment)
    _check_same_run(folder, config, source)
    done = [folder / f"batch-{index}.npz" for index in range(settings.num_batches)]
    left = [index for index, path in enumerate(done) if not path.is_file()]
    print(source)
    try:
        for index in tqdm(left, desc="batches", unit="batch"):
            batch = compare_batch(environment, environment.core.quality, settings, index)
            with whole_file(done[index]) as partial:
                np.savez_compressed(partial, **vars(batch))
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted; the same command goes on with the batches in {folder}") from None
    print("\n".join(report([_load(path) for path in done])))


def _check_same_run(folder: Path, config: DictConfig, source: str) -> None:
    """Refuse to mix batches of different settings; the number of batches may grow."""
    settings = {"source": source} | plain(config, exclude=["folder", "num_batches"])
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    path = folder / "settings.json"
    if path.is_file() and path.read_text(encoding="utf-8") != text:
        raise ValueError(f"{folder} holds batches of other settings ({path}): give another folder")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, text)


def _load(path: Path) -> ComparedRewards:
    with np.load(path, allow_pickle=False) as data:
        return ComparedRewards(**data)
