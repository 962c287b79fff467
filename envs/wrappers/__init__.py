"""Other views of the observation, as wrappers of `SplitEnv`."""

from envs.wrappers.discretised import DiscretisedObservation
from envs.wrappers.physical import PhysicalObservation

__all__ = ["DiscretisedObservation", "PhysicalObservation"]
