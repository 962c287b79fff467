"""Pictures of a learning agent for TensorBoard: its decisions beside the oracle's, and the images that users get."""

from __future__ import annotations

import numpy as np
from omegaconf import DictConfig
from rich.console import Console
from stable_baselines3.common.base_class import BaseAlgorithm

from agents.policies import load_policy
from agents.policies.trained import TrainedPolicy
from agents.reports.figures import decision_map, draw_decision_maps, to_image
from agents.reports.tensorboard import log_image
from agents.runs.setup import check_weights, matching_transceiver
from envs import SplitEnv, SplitSettings, SplitVectorEnv, observation_to_state

SAMPLE_SIZE = 4096


def log_decision_map(agent: BaseAlgorithm, settings: SplitSettings) -> None:
    """Show the agent's mean split over SNR and compute beside the trained oracle's, on the same sampled states."""
    environment = SplitVectorEnv(SAMPLE_SIZE, settings)
    observations, _ = environment.reset(seed=0)
    state = observation_to_state(observations)
    availability = state["edge_capability_hz"] / settings.edge_device.clock_hz
    steps = environment.model.edge_steps
    learning = TrainedPolicy(agent, environment)  # which tells it the masks
    maps = {}
    for label, policy in (("learning", learning), ("oracle", load_policy("oracle", environment))):
        actions, _ = policy.predict(observations, deterministic=True)
        maps[label] = decision_map(state["snr_db"], availability, steps[actions])
    figure = draw_decision_maps(maps, environment.model.num_inference_steps)
    log_image(agent.logger, "decision_map", to_image(figure), agent.num_timesteps)


class ImageLog:
    """Serve the same few requests with the live transceiver and show what the user sees.

    Where the transceiver cannot run one line says so, once; weights that are not the profile's, before any training:
    whoever named them was refused, so these are the embedded model's beside another model's profile.

    Args:
        agent: the agent, with the run's logger.
        settings: of the environment; `profile` holds a profile.
        transceiver: the configuration's group.
        count: images; 0 for none.
        console: where that line goes.
    """

    def __init__(
        self, agent: BaseAlgorithm, settings: SplitSettings, transceiver: DictConfig, count: int, console: Console
    ) -> None:
        self.agent, self.settings, self.transceiver = agent, settings, transceiver
        self.count, self.console = count, console
        self._env: SplitEnv | None = None
        self._model = SplitVectorEnv(1, settings, fidelity="profile", channel=None).model
        if count:
            try:
                check_weights(transceiver, self._model)
            except ValueError as error:
                self._give_up(error)

    def __call__(self) -> None:
        """Show what the agent delivers now; the transceiver is loaded the first time."""
        if self.count == 0:
            return
        try:
            if self._env is None:
                live = matching_transceiver(self.transceiver, self._model, self.settings.channel)
                self._env = SplitEnv(self.settings, render_mode="rgb_array", transceiver=live)
            env = self._env
            observation, _ = env.reset(seed=0)
            learning = TrainedPolicy(self.agent, env)
            for index in range(self.count):
                action, _ = learning.predict(observation, deterministic=True)
                observation, _, terminated, truncated, _ = env.step(int(action))
                picture = np.asarray(env.render())
                log_image(self.agent.logger, f"delivered/{index}", picture, self.agent.num_timesteps)
                if terminated or truncated:
                    observation, _ = env.reset()
        except (ValueError, OSError, ImportError) as error:
            self._give_up(error)

    def _give_up(self, reason: Exception) -> None:
        self.console.print(f"no delivered images: {reason}", highlight=False, soft_wrap=True)
        self.count = 0
