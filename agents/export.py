"""Export a trained policy for the edge: `python -m agents.export policy=root format=onnx output=root.onnx`.

The file takes the state in physical units (`envs.OBSERVATION_NAMES`, in that order, float64) and gives an action.
"""

from __future__ import annotations

from pathlib import Path

import hydra
import numpy as np
from numpy.typing import NDArray
from omegaconf import DictConfig

from envs.command_line import CONFIGS, one_line_errors

FORMATS = {"onnx": ".onnx", "safetensors": ".safetensors"}
SEED = 0


def random_states(count: int, seed: int = SEED) -> NDArray[np.float64]:
    """States within the observation's bounds, float64 [count, 7] in physical units, uniform as the agent sees them."""
    from agents.policies.exported import physical_state

    observations = np.random.default_rng(seed).random((count, 7), dtype=np.float32)
    return physical_state(observations)


@hydra.main(config_path=str(CONFIGS), config_name="export", version_base="1.3")
def main(config: DictConfig) -> None:
    """Write the file, then read it and compare its decisions with the agent's."""
    with one_line_errors():
        form, output, states = str(config.format), Path(config.output), config.check_states
        if form not in FORMATS:
            raise ValueError(f"unknown format {form!r}; allowed: {', '.join(FORMATS)}")
        if output.suffix != FORMATS[form]:
            raise ValueError(f"output of format {form} must end in {FORMATS[form]}, got {output}")
        if not output.parent.is_dir():
            raise ValueError(f"there is no folder {output.parent} to write {output.name} to")
        if isinstance(states, bool) or not isinstance(states, int) or states < 0:
            raise ValueError(f"check_states must be an integer >= 0, got {states!r}")
        from agents.deployment.agreement import compare_decisions
        from agents.deployment.network import greedy_network
        from agents.deployment.onnx_file import write_onnx
        from agents.plan_names import check_plan_names, told_plan_names
        from agents.policies.exported import ExportedPolicy
        from agents.policies.loading import policy_file
        from agents.policies.trained import TrainedPolicy
        from agents.runs.settings import plain
        from envs import SplitVectorEnv

        agent = TrainedPolicy.load(policy_file(str(config.policy))).agent
        plans = SplitVectorEnv(1, plans=plain(config)["plans"]).model.plan_names
        check_plan_names(str(config.policy), told_plan_names(agent), plans)
        network = greedy_network(agent, plans)
        if form == "onnx":
            write_onnx(network, output)
        else:
            network.save(output)
        print(f"wrote {output}: {', '.join(network.names)} (physical units) -> one of {len(plans)} plans")
        if states:
            print(compare_decisions(agent, ExportedPolicy.load(output).network, network, random_states(states)))


if __name__ == "__main__":
    with one_line_errors():
        main()
