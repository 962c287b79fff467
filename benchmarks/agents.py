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

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from omegaconf import OmegaConf
from stable_baselines3 import DQN
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `agents` is this file

from agents.factory import make_agent
from agents.policies import Predictor, load_policy
from agents.policies.model_based import sample_observations
from agents.runs.learn import learn
from benchmarks.harness import settings
from envs import SplitVectorEnv
from envs.command_line import CONFIGS, one_line_errors, plain

JUDGED_STATES, JUDGED_SEED = 4096, 3_000_000
OF_ORACLE, OF_WAY = (0.95, 0.98, 0.99), (0.5, 0.8)
LEVELS = (*(f"{share:.0%}" for share in OF_ORACLE), *(f"{share:.0%} of the way" for share in OF_WAY))
EPISODE = 20


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
    """Unseen states, the exact expected reward of every split in them, and the satisfaction at `LEVELS`."""

    def __init__(self) -> None:
        env = SplitVectorEnv(1)
        self.observations = sample_observations(env.model, JUDGED_STATES, JUDGED_SEED)
        self.rewards = env.model.expected_rewards(self.observations)
        self.oracle = float(self.rewards.max(axis=1).mean())
        self.two_split = self.satisfaction(load_policy("two_split", env))
        beyond = [self.two_split + share * (self.oracle - self.two_split) for share in OF_WAY]
        self.levels = np.array([share * self.oracle for share in OF_ORACLE] + beyond)

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
        reached: float64 [L, 2], seconds and requests at which each level was reached; infinite where it was not.
        best: the highest satisfaction so far.
    """

    def __init__(self, judge: Judge, limit_s: float) -> None:
        super().__init__()
        self.judge, self.limit_s = judge, limit_s
        self.reached = np.full((len(LEVELS), 2), inf)
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
        self.reached[(satisfaction >= self.judge.levels) & np.isinf(self.reached[:, 0])] = seconds, self.num_timesteps
        self._next_s = seconds + max(0.1, 0.03 * seconds)
        self._aside_s = time.process_time() - self._start_s - seconds
        return seconds < self.limit_s and bool(np.isinf(self.reached).any())


def ours(agent: str, num_envs: int, **changes: Any) -> Callable[[int], BaseAlgorithm]:
    """An agent of `configs/agent`, in the native vector environment, or the single one if `num_envs` is 0."""
    chosen = plain(OmegaConf.merge(OmegaConf.load(CONFIGS / "agent" / f"{agent}.yaml"), changes))  # type: ignore[arg-type]

    def make(seed: int) -> BaseAlgorithm:
        env: Any = SplitVectorEnv(num_envs) if num_envs else gym.make("envs:SemAIGC/Split-v0")
        return make_agent(env=env, seed=seed, **chosen)

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
        "maskable_ppo": Contestant("Maskable PPO", ours("maskable_ppo", 64), 100_000),
        "qrdqn": Contestant("QR-DQN", ours("qrdqn", 64), 40_000),
        "d2sac": Contestant("D2SAC", ours("d2sac", 64), 30_000),
        "d2sac_1": Contestant("D2SAC, temperature 1", ours("d2sac", 64, policy_kwargs={"temperature": 1.0}), 30_000),
        "linucb": Contestant("LinUCB", ours("linucb", 64), 50_000),
    }


def in_table(seconds: float, requests: float) -> str:
    """When a level was reached; a dash where half of the seeds or more did not get there."""
    return f"{seconds:.1f} s / {requests:,.0f} / {requests / EPISODE:,.0f}" if seconds < inf else "–"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the contestants that are asked for and print when they reached what."""
    known = contestants()
    parser = settings(__doc__)
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
        found: dict[str, NDArray[np.float64]] = {}
        for name in options.contestants:
            watches = [Watch(judge, options.limit) for _ in range(options.seeds)]
            for seed, watch in enumerate(tqdm(watches, desc=name, unit="seed", leave=False)):
                learn(known[name].make(seed), known[name].requests, [watch])
            found[name] = np.median([watch.reached for watch in watches], axis=0)
            best = np.median([watch.best for watch in watches]) / judge.oracle
            cells = " | ".join(in_table(*level) for level in found[name])
            print(f"| {known[name].title} | {cells} | {best:.2%} |", flush=True)
        print_bars(found, options.limit)


def print_bars(found: dict[str, NDArray[np.float64]], limit_s: float) -> None:
    """The bars that the contestants of this run allow to judge: name -> seconds and requests at each level, [L, 2]."""
    print()
    if "d3qn_fast" in found:
        _, near, nearer, *_ = found["d3qn_fast"][:, 0]
        print(f"fast preset, 98 % within 30 s: {near:.1f} s; 99 % within 120 s: {nearer:.1f} s")
        if "dqn" in found:
            stock = found["dqn"][1, 0]
            ratio = f"{stock / near:.1f}" if stock < inf else f"more than {limit_s / near:.1f}"
            print(f"98 % at least 5 times sooner than stable-baselines3's DQN: {ratio} times")
    if "d3qn_paper" in found:
        print(f"as in the paper, 95 % by 350 episodes: {found['d3qn_paper'][0, 1] / EPISODE:.0f}")


if __name__ == "__main__":
    main()
