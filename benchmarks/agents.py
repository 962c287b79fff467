"""How soon an agent is good: `python benchmarks/agents.py` (`--help` lists the settings).

Every contestant learns on one core in the shipped environment, several seeds. From time to time its greedy policy is
judged in states that it has not seen, by the exact expected reward over requests and channel draws there. Seconds are
the processor's, of training alone: what the judging takes is not counted, nor is the import of the libraries.

Levels: 95, 98, 99 % of the oracle's satisfaction; half and four fifths of the way from the two-split rule to the
oracle. A level is reached at the first judgement at or above it; judgements are a tenth of a second or 3 % of the time
so far apart, whichever is more. The figure is the median over seeds; nothing is written.

Bars: the fast preset reaches 98 % within 30 s, at least 5 times sooner than stable-baselines3's DQN at its defaults
with the same network, and 99 % within 120 s; D3QN as in the paper reaches 95 % by 350 episodes of 20 requests.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from statistics import median
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from numpy.typing import NDArray
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `agents` is this file

from agents.factory import make_agent
from agents.policies import Predictor, load_policy
from agents.policies.model_based import sample_observations
from agents.runs.learn import learn
from agents.runs.resolvers import register_resolvers
from agents.runs.settings import AgentSettings
from envs import SplitVectorEnv
from envs.command_line import CONFIGS, one_line_errors

JUDGED_STATES, JUDGED_SEED = 4096, 3_000_000
OF_ORACLE, OF_WAY = (0.95, 0.98, 0.99), (0.5, 0.8)
LEVELS = (*(f"{share:.0%}" for share in OF_ORACLE), *(f"{share:.0%} of the way" for share in OF_WAY))
EPISODE = 20


@dataclass(frozen=True)
class Reached:
    """When a level was reached; infinite where it was not."""

    seconds: float = inf
    requests: float = inf


@dataclass(frozen=True)
class Contestant:
    """What learns.

    Attributes:
        title: for the table.
        make: seed -> a new agent with its environment.
        requests: to learn from at most; schedules of learning rate and exploration are stretched over them.
    """

    title: str
    make: Callable[[int], BaseAlgorithm]
    requests: int


class Judge:
    """Unseen states, the exact expected reward of every split in them, and the levels."""

    def __init__(self) -> None:
        env = SplitVectorEnv(1)
        self.observations = sample_observations(env.model, JUDGED_STATES, JUDGED_SEED)
        self.rewards = env.model.expected_rewards(self.observations)
        self.oracle = float(self.rewards.max(axis=1).mean())
        self.two_split = self.satisfaction(load_policy("two_split", env))

    @property
    def levels(self) -> NDArray[np.float64]:
        """Satisfaction at `LEVELS`, increasing or not."""
        way = self.oracle - self.two_split
        return np.array([share * self.oracle for share in OF_ORACLE] + [self.two_split + s * way for s in OF_WAY])

    def satisfaction(self, policy: Predictor) -> float:
        """Mean expected reward of the greedy policy."""
        actions, _ = policy.predict(self.observations, deterministic=True)
        return float(self.rewards[np.arange(len(actions)), actions].mean())


class Watch(BaseCallback):
    """Stops the time, judges now and then, and ends training when every level is reached or time is up.

    Args:
        judge: of the policy.
        limit_s: of training, in seconds of the processor.

    Attributes:
        reached: for each level.
        best: the highest satisfaction so far.
    """

    def __init__(self, judge: Judge, limit_s: float) -> None:
        super().__init__()
        self.judge, self.limit_s = judge, limit_s
        self.reached = [Reached() for _ in LEVELS]
        self.best = 0.0
        self._aside_s = self._next_s = 0.0

    def _on_training_start(self) -> None:
        self._start_s = time.process_time()

    def _on_step(self) -> bool:
        seconds = time.process_time() - self._start_s - self._aside_s
        if seconds < self._next_s:
            return True
        satisfaction = self.judge.satisfaction(self.model)
        self.best = max(self.best, satisfaction)
        for index, level in enumerate(self.judge.levels):
            if satisfaction >= level and self.reached[index].seconds == inf:
                self.reached[index] = Reached(seconds, self.num_timesteps)
        self._next_s = seconds + max(0.1, 0.03 * seconds)
        self._aside_s = time.process_time() - self._start_s - seconds
        return seconds < self.limit_s and any(each.seconds == inf for each in self.reached)


def ours(agent: str, num_envs: int) -> Callable[[int], BaseAlgorithm]:
    """An agent of `configs/agent`, in the native vector environment, or the single one if `num_envs` is 0."""
    register_resolvers()
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        chosen = AgentSettings.from_config(compose("train", overrides=[f"agent={agent}"]).agent)

    def make(seed: int) -> BaseAlgorithm:
        env: Any = SplitVectorEnv(num_envs) if num_envs else gym.make("envs:SemAIGC/Split-v0")
        return make_agent(chosen.name, env, seed, **chosen.hyperparameters)

    return make


def stock_dqn(seed: int) -> BaseAlgorithm:
    """stable-baselines3's DQN at its defaults in the single environment, with the network of the others."""
    env = gym.make("envs:SemAIGC/Split-v0")
    return DQN("MlpPolicy", env, policy_kwargs={"net_arch": [256, 256]}, seed=seed, device="cpu")


def contestants() -> dict[str, Contestant]:
    """All of them, by the name on the command line."""
    return {
        "d3qn_fast": Contestant("D3QN, fast preset", ours("d3qn_fast", 64), 24_000),
        "d3qn_paper": Contestant("D3QN as in the paper", ours("d3qn_paper", 0), 12_000),
        "d3qn": Contestant("D3QN, default (train.py)", ours("d3qn", 256), 800_000),
        "dqn": Contestant("DQN of stable-baselines3, its defaults", stock_dqn, 100_000),
        "ppo": Contestant("PPO", ours("ppo", 64), 200_000),
    }


def watched(contestant: Contestant, seed: int, judge: Judge, limit_s: float) -> Watch:
    """Train once."""
    watch = Watch(judge, limit_s)
    learn(contestant.make(seed), contestant.requests, [watch])
    return watch


def in_table(each: list[Reached]) -> str:
    """Median seconds / requests / episodes over seeds; a dash where half of the seeds or more did not get there."""
    seconds, requests = median(one.seconds for one in each), median(one.requests for one in each)
    if seconds == inf:
        return "–"
    return f"{seconds:.1f} s / {requests:,.0f} / {requests / EPISODE:,.0f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the contestants that are asked for and print when they reached what."""
    known = contestants()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contestants", nargs="+", choices=known, default=list(known), help="default: all")
    parser.add_argument("--seeds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds of training, default: %(default)s")
    options = parser.parse_args(arguments)
    with one_line_errors():
        if options.seeds < 1 or not options.limit > 0:
            raise ValueError(f"seeds must be >= 1 and limit > 0, got {options.seeds} and {options.limit}")
        torch.set_num_threads(1)
        judge = Judge()
        two = judge.two_split / judge.oracle
        print(f"oracle {judge.oracle:.4f}, two-split rule {two:.1%} of it; the levels beyond it are ", end="")
        print(" and ".join(f"{level / judge.oracle:.2%} of the oracle" for level in judge.levels[len(OF_ORACLE) :]))
        print(f"median of {options.seeds} seeds: seconds / requests / episodes; at most {options.limit:g} s each\n")
        print(f"| | {' | '.join(LEVELS)} | best |\n|---|{'---|' * len(LEVELS)}---|")
        found: dict[str, list[list[Reached]]] = {}
        for name in options.contestants:
            watches = [
                watched(known[name], seed, judge, options.limit)
                for seed in tqdm(range(options.seeds), desc=name, unit="seed", leave=False)
            ]
            found[name] = [list(each) for each in zip(*(watch.reached for watch in watches), strict=True)]
            best = median(watch.best for watch in watches) / judge.oracle
            print(f"| {known[name].title} | {' | '.join(map(in_table, found[name]))} | {best:.2%} |", flush=True)
        print_bars(found, options.limit)


def print_bars(found: dict[str, list[list[Reached]]], limit_s: float) -> None:
    """The bars that the contestants of this run allow to judge."""
    seconds = {name: [median(one.seconds for one in each) for each in levels] for name, levels in found.items()}
    print()
    if "d3qn_fast" in found:
        _, near, nearer, *_ = seconds["d3qn_fast"]
        print(f"fast preset, 98 % within 30 s: {near:.1f} s; 99 % within 120 s: {nearer:.1f} s")
        if "dqn" in found:
            stock = seconds["dqn"][1]
            ratio = f"{stock / near:.1f}" if stock < inf else f"more than {limit_s / near:.1f}"
            print(f"98 % at least 5 times sooner than stable-baselines3's DQN: {ratio} times")
    if "d3qn_paper" in found:
        episodes = median(one.requests for one in found["d3qn_paper"][0]) / EPISODE
        print(f"as in the paper, 95 % by 350 episodes: {episodes:.0f}")


if __name__ == "__main__":
    main()
