"""Split diffusion over a wireless link, as Gymnasium environments.

`gymnasium.make("envs:SemAIGC/Split-v0")` and `gymnasium.make_vec("envs:SemAIGC/Split-v0", num_envs=...)`; the
scenarios have ids of their own, `SemAIGC/Queue-v0` for instance, see `SCENARIO_IDS`.
"""

from typing import Any

from gymnasium.envs.registration import register

from envs import costs, plans
from envs.observation import OBSERVATION_BOUNDS, OBSERVATION_NAMES, observation_to_state
from envs.settings import SplitSettings
from envs.split_env import SplitEnv
from envs.vector_env import SplitVectorEnv

__all__ = [
    "OBSERVATION_BOUNDS",
    "OBSERVATION_NAMES",
    "SCENARIO_IDS",
    "SplitEnv",
    "SplitSettings",
    "SplitVectorEnv",
    "costs",
    "observation_to_state",
    "plans",
]

SCENARIO_IDS: dict[str, dict[str, Any]] = {
    "SemAIGC/Split-v0": {},
    "SemAIGC/UrbanFading-v0": {"scenario": "urban_fading"},
    "SemAIGC/BurstyEdge-v0": {"scenario": "bursty_edge"},
    "SemAIGC/Queue-v0": {"scenario": "queue"},
    "SemAIGC/Battery-v0": {"scenario": "battery", "plans": ["semaigc", "edge_aigc"]},
    "SemAIGC/Cache-v0": {"scenario": "cache"},
    "SemAIGC/IoT-v0": {"scenario": "iot"},
}
"""Ids of environments, and the settings that each fixes; `gymnasium.make` may change them."""

PROTOCOLS_ID = "SemAIGC/Protocols-v0"
"""Id of the environment whose actions are the plans of all four papers that have a measured quality."""

for _id, _settings in {**SCENARIO_IDS, PROTOCOLS_ID: {"plans": list(plans.PROTOCOLS)}}.items():
    register(
        id=_id,
        entry_point="envs.split_env:SplitEnv",
        vector_entry_point="envs.vector_env:SplitVectorEnv",
        kwargs=_settings,
    )
