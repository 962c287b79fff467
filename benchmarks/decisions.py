"""Time of a decision: `python benchmarks/decisions.py` (`--help` lists the settings; the extra `deploy` for ONNX).

Microseconds of processor time a decision, one at a time and in batches, of the shipped ROOT run by stable-baselines3,
by onnxruntime and by numpy, each on one thread; from an observation (stable-baselines3) or physical units (the files).
Median of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `agents` is a file

from agents.commands.export import random_states
from agents.policies.exported import READERS, greedy_network
from agents.policies.loading import ROOT_WEIGHTS
from agents.policies.trained import TrainedPolicy
from benchmarks.harness import settings
from envs.command_line import one_line_errors


def microseconds(decide: Callable[[Any], Any], states: Any, rounds: int, round_s: float) -> float:
    """Processor time of one decision of a batch, the median of the rounds."""
    decide(states)
    taken = []
    for _ in range(rounds):
        calls, start = 0, time.process_time()
        while time.process_time() - start < round_s:
            decide(states)
            calls += 1
        taken.append((time.process_time() - start) / (calls * len(states)) * 1e6)
    return statistics.median(taken)


def report(options: argparse.Namespace) -> None:
    """Time every decider and print it."""
    if min(*options.batches, options.rounds) < 1 or not options.seconds > 0:
        raise ValueError("batches and rounds must be 1 or more, and seconds > 0")
    torch.set_num_threads(1)
    agent = TrainedPolicy.load(ROOT_WEIGHTS["root_alignment"]).agent
    network = greedy_network(agent, [f"semaigc({split})" for split in range(agent.action_space.n)])  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        deciders: dict[str, tuple[Callable[[Any], Any], bool]] = {
            "stable-baselines3 predict": (lambda observations: agent.predict(observations, deterministic=True), True)
        }
        for label, suffix in (("numpy, safetensors", ".safetensors"), ("onnxruntime", ".onnx")):
            if suffix == ".safetensors" or find_spec("onnxruntime") is not None:
                path = Path(folder) / f"root{suffix}"
                network.save(path)
                deciders[label] = READERS[suffix](path).decide, False
        print(f"{'microseconds a decision':28}" + "".join(f"{f'batch {batch:,}':>14}" for batch in options.batches))
        for label, (decide, normalised) in deciders.items():
            times = []
            for batch in options.batches:
                states = random_states(batch)
                given = network.normalised(states) if normalised else states
                times.append(microseconds(decide, given, options.rounds, options.seconds))
            print(f"{label:28}" + "".join(f"{value:14.2f}" for value in times))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the settings and measure."""
    parser = settings(__doc__)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64, 4096], help="states at once")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=0.2, help="of a round, default: %(default)s")
    with one_line_errors():
        report(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
