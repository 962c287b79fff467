"""Pictures of a learning agent for TensorBoard: its decisions beside the oracle's, and the images that users get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from omegaconf import DictConfig
from rich.console import Console
from stable_baselines3.common.base_class import BaseAlgorithm

from agents.policies import Predictor, load_policy
from agents.reports.decision_map import decision_map, draw_decision_maps, to_image
from agents.reports.tensorboard import log_image
from agents.runs.comparison import transmitter_steps
from agents.runs.transceivers import matching_transceiver
from envs import SplitEnv, SplitVectorEnv, observation_to_state

SAMPLE_SIZE = 4096


def log_decision_map(agent: BaseAlgorithm, keywords: Mapping[str, Any]) -> None:
    """Show the agent's mean split over SNR and compute beside the oracle's, on the same sampled states."""
    environment = SplitVectorEnv(SAMPLE_SIZE, **keywords)
    observations, _ = environment.reset(seed=0)
    state = observation_to_state(observations)
    availability = state["tx_capability_hz"] / keywords["tx_device"].clock_hz
    steps = transmitter_steps(environment.model.plans)
    policies: dict[str, Predictor] = {"learning": agent, "oracle": load_policy("oracle", environment)}
    maps = {}
    for label, policy in policies.items():
        actions, _ = policy.predict(observations, deterministic=True)
        maps[label] = decision_map(state["snr_db"], availability, steps[actions])
    figure = draw_decision_maps(maps, environment.model.profile.num_inference_steps)
    log_image(agent.logger, "decision_map", to_image(figure), agent.num_timesteps)


def log_delivered_images(
    agent: BaseAlgorithm, keywords: Mapping[str, Any], transceiver: DictConfig, count: int, console: Console
) -> None:
    """Serve a few requests with the live transceiver and show what the user sees.

    Where the transceiver cannot run (no weights, or not those of the profile) one line says so.

    Args:
        agent: the trained agent, with the run's logger.
        keywords: constructor keywords of the environment; `profile` holds a profile.
        transceiver: the configuration's group.
        count: images; 0 for none.
        console: where to say it.
    """
    if count == 0:
        return
    try:
        with console.status("Generating images with the trained policy"):
            live = matching_transceiver(transceiver, keywords["profile"], keywords["channel"])
            env = SplitEnv(render_mode="rgb_array", **(dict(keywords) | {"transceiver": live}))
            observation, _ = env.reset(seed=0)
            for index in range(count):
                action, _ = agent.predict(observation, deterministic=True)
                observation, _, terminated, truncated, _ = env.step(int(action))
                log_image(agent.logger, f"delivered/{index}", np.asarray(env.render()), agent.num_timesteps)
                if terminated or truncated:
                    observation, _ = env.reset()
    except (ValueError, OSError, ImportError) as error:
        console.print(f"no delivered images: {error}", highlight=False)
