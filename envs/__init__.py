"""Split diffusion over a wireless link, as Gymnasium environments.

`gymnasium.make("envs:SemAIGC/Split-v0")` and `gymnasium.make_vec("envs:SemAIGC/Split-v0", num_envs=...)`.
"""

from gymnasium.envs.registration import register

from envs import costs, plans
from envs.observation import OBSERVATION_BOUNDS, OBSERVATION_NAMES, observation_to_state
from envs.split_env import SplitEnv
from envs.vector_env import SplitVectorEnv

__all__ = [
    "OBSERVATION_BOUNDS",
    "OBSERVATION_NAMES",
    "SplitEnv",
    "SplitVectorEnv",
    "costs",
    "observation_to_state",
    "plans",
]

register(
    id="SemAIGC/Split-v0",
    entry_point="envs.split_env:SplitEnv",
    vector_entry_point="envs.vector_env:SplitVectorEnv",
)
register(
    id="SemAIGC/Protocols-v0",
    entry_point="envs.split_env:SplitEnv",
    vector_entry_point="envs.vector_env:SplitVectorEnv",
    kwargs={"plans": list(plans.PROTOCOLS)},
)
