"""Speed of the environment: steps a second on one core, beside other ways to run it, and memory over its size.

`python benchmarks/env.py` prints it for the shipped profile and scenario `paper`, with random actions. Contestants take
short turns in many rounds (slow ones in fewer) and the best turn of each counts: what disturbs a machine for a while
then harms none. It is the processor's time of this one process.
"""

from __future__ import annotations

import argparse
import os
import sys
import tracemalloc
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from itertools import cycle
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `agents` is a file

from benchmarks.harness import Run, in_turns, processor_s, settings
from envs import SplitEnv, SplitVectorEnv
from envs.command_line import one_line_errors
from envs.transceiver import QualityProfile

CHUNK_S = 0.03
"""Processor seconds of a turn, about."""
LONG_S = 0.4
"""A turn that takes k times as long is taken in every k-th round only."""
CYCLE = 21
"""Calls that serve a session of 20 requests and start the next one in SyncVectorEnv; elsewhere the start is free."""
WARM_UP = 3
"""Calls before each turn that do not count."""
BAR_STEPS_PER_S, BAR_SCALAR_STEPS_PER_S, BAR_RATIO, BAR_ENVS = 5e6, 1e4, 50.0, 4096


class Contestant:
    """Something that steps.

    Args:
        name: in the table.
        num_envs: environment steps of one call.
        step: the call.
    """

    def __init__(self, name: str, num_envs: int, step: Run) -> None:
        self.name, self.num_envs, self._step = name, num_envs, step
        step()
        turns = CHUNK_S / max(1e-7, processor_s(step, 3))
        self._calls = CYCLE * max(1, round(turns / CYCLE))  # whole sessions: to start anew costs less than a step
        self._every = max(1, round(self._calls * processor_s(step) / LONG_S))
        self.rounds_s: list[float] = []

    def take_turn(self, turn: int) -> None:
        """Measure once more, if it is the contestant's round."""
        if turn % self._every == 0:
            processor_s(self._step, WARM_UP)  # the one before left its own data in the caches
            self.rounds_s.append(processor_s(self._step, self._calls))

    @property
    def steps_per_s(self) -> float:
        """In the best round."""
        return self.num_envs / min(self.rounds_s)


def batched(name: str, env: Any, step: Callable[[Any], Any] | None = None) -> Contestant:
    """Random actions in a vector environment, by `step` where it is not the environment's own."""
    env.reset(seed=0)
    rng, take = np.random.default_rng(0), env.step if step is None else step
    actions = cycle([rng.integers(env.single_action_space.n, size=env.num_envs) for _ in range(64)])
    return Contestant(name, env.num_envs, lambda: take(next(actions)))


def single(name: str, env: Any, actions: Sequence[Any]) -> Contestant:
    """Given actions in a `gymnasium.Env`, which starts anew at the end of a session."""
    env.reset(seed=0)
    turn = cycle(actions)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(next(turn))
        if terminated or truncated:
            env.reset()

    return Contestant(name, 1, step)


def adapted(num_envs: int, profile: QualityProfile) -> Contestant:
    """The native form seen through the stable-baselines3 adapter."""
    from agents import SB3VecEnv

    env = SplitVectorEnv(num_envs, profile=profile)
    return batched("stable-baselines3 adapter", env, SB3VecEnv(env).step)


def peer() -> Contestant | None:
    """mobile-env's small scenario with a central agent; None where it is not installed."""
    if find_spec("mobile_env") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about Gymnasium's names of metadata
        import mobile_env  # noqa: F401  (registers)

        env = gym.make("mobile-small-central-v0").unwrapped
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(64)]
    return single("mobile-env, small scenario (nearest peer)", env, actions)


def bytes_of(num_envs: int, profile: QualityProfile) -> tuple[int, int]:
    """Bytes that a number of environments holds after a step, and at most during one, with the model's."""
    tracemalloc.start()
    env = SplitVectorEnv(num_envs, profile=profile)
    env.reset(seed=0)
    actions = np.zeros(num_envs, dtype=np.int64)
    kept = env.step(actions)
    del kept
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held, most


def report_speed(sizes: Sequence[int], sync_sizes: Sequence[int], rounds: int, profile: QualityProfile) -> None:
    """Print steps a second of every contestant, and the bars."""
    contestants = [batched("native vector form", SplitVectorEnv(size, profile=profile)) for size in sizes]
    env = SplitEnv(profile=profile)
    actions = np.random.default_rng(0).integers(len(env.model.plans), size=4096)
    contestants.append(single("scalar form", env, actions.tolist()))
    for size in sync_sizes:
        together = gym.vector.SyncVectorEnv([lambda: SplitEnv(profile=profile) for _ in range(size)])
        contestants.append(batched("SyncVectorEnv over the scalar form", together))
    contestants += [adapted(size, profile) for size in sizes]
    other = peer()
    contestants += [] if other is None else [other]
    for turn, contestant in in_turns(contestants, rounds, "rounds"):
        contestant.take_turn(turn)
    print(f"{'':44s} {'environments':>12s} {'steps/s':>14s} {'us a call':>10s}")
    for one in contestants:
        print(f"{one.name:44s} {one.num_envs:12,d} {one.steps_per_s:14,.0f} {1e6 * min(one.rounds_s):10.1f}")
    if other is None:
        print("mobile-env is not installed: pip install mobile-env")
    by_size = {(one.name, one.num_envs): one.steps_per_s for one in contestants}
    own = by_size.get(("native vector form", BAR_ENVS))
    sync = max(one.steps_per_s for one in contestants if one.name.startswith("Sync"))
    if own is not None:
        print(f"bar: {BAR_STEPS_PER_S:,.0f} steps/s at {BAR_ENVS} environments: {_verdict(own >= BAR_STEPS_PER_S)}")
        print(f"bar: {BAR_RATIO:g} times SyncVectorEnv: {own / sync:,.0f} times, {_verdict(own >= BAR_RATIO * sync)}")
    alone = by_size["scalar form", 1]
    print(f"bar: {BAR_SCALAR_STEPS_PER_S:,.0f} steps/s of the scalar form: {_verdict(alone >= BAR_SCALAR_STEPS_PER_S)}")


def report_memory(sizes: Sequence[int], profile: QualityProfile) -> None:
    """Print bytes over the number of environments."""
    print(f"\n{'memory':44s} {'environments':>12s} {'held':>14s} {'most in a step':>15s} {'most, more each':>16s}")
    before: tuple[int, int] | None = None
    for size in sizes:
        held, most = bytes_of(size, profile)
        each = "" if before is None else f"{(most - before[1]) / (size - before[0]):14,.0f} B"
        print(f"{'':44s} {size:12,d} {held / 2**20:10.2f} MiB {most / 2**20:11.2f} MiB {each:>16s}")
        before = size, most


def _verdict(met: bool) -> str:
    return "met" if met else "not met"


def report(options: argparse.Namespace) -> None:
    """Measure and print."""
    if min(*options.sizes, *options.sync_sizes, options.rounds) < 1:
        raise ValueError("sizes and rounds must be 1 or more")
    profile = QualityProfile.load(options.profile)
    report_speed(options.sizes, options.sync_sizes, options.rounds, profile)
    report_memory(options.sizes, profile)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the settings and measure."""
    parser = settings(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 64, 1024, 4096, 65536], help="environments at once")
    parser.add_argument("--sync-sizes", type=int, nargs="+", default=[1, 64, 1024], help="those of SyncVectorEnv")
    parser.add_argument("--rounds", type=int, default=40, help="turns of a fast contestant, default: %(default)s")
    parser.add_argument("--profile", help="a quality profile; the shipped one without it")
    with one_line_errors():
        report(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
