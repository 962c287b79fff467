"""Time of a decision: `python benchmarks/decisions.py` (the extra `deploy` for ONNX).

Microseconds of processor time a decision, one at a time and in batches, of the shipped ROOT run by stable-baselines3,
by onnxruntime and by numpy, each on one thread; from an observation (stable-baselines3) or physical units (the files).
Median of five rounds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `agents` is a file

from agents.commands.export import random_states
from agents.policies.exported import GreedyNetwork, greedy_network
from agents.policies.loading import ROOT_WEIGHTS
from agents.policies.trained import TrainedPolicy

BATCHES = (1, 64, 4096)
ROUNDS = 5
ROUND_S = 0.2


def microseconds(decide: Callable[[Any], Any], states: Any) -> float:
    """Processor time of one decision of a batch, the median of the rounds."""
    decide(states)
    rounds = []
    for _ in range(ROUNDS):
        calls, start = 0, time.process_time()
        while time.process_time() - start < ROUND_S:
            decide(states)
            calls += 1
        rounds.append((time.process_time() - start) / (calls * len(states)) * 1e6)
    return statistics.median(rounds)


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    agent = TrainedPolicy.load(ROOT_WEIGHTS).agent
    network = greedy_network(agent, [f"semaigc({split})" for split in range(agent.action_space.n)])  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory() as folder:
        network.save(Path(folder) / "root.safetensors")
        numpy_network = GreedyNetwork.load(Path(folder) / "root.safetensors")
        deciders: dict[str, tuple[Callable[[Any], Any], bool]] = {
            "stable-baselines3 predict": (lambda observations: agent.predict(observations, deterministic=True), True),
            "numpy, safetensors": (numpy_network.actions, False),
        }
        if find_spec("onnxruntime") is not None:
            from agents.policies.onnx_file import OnnxNetwork, write_onnx

            write_onnx(network, Path(folder) / "root.onnx")
            deciders["onnxruntime"] = (OnnxNetwork(Path(folder) / "root.onnx").actions, False)
        print(f"{'microseconds a decision':28}" + "".join(f"{f'batch {batch:,}':>14}" for batch in BATCHES))
        for label, (decide, normalised) in deciders.items():
            times = []
            for batch in BATCHES:
                states = random_states(batch)
                times.append(microseconds(decide, network.normalised(states) if normalised else states))
            print(f"{label:28}" + "".join(f"{value:14.2f}" for value in times))


if __name__ == "__main__":
    main()
