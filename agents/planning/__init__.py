"""Planning where decisions reach later requests: what a level is worth, and a bound that no policy passes."""

from agents.planning.bound import bound_rewards
from agents.planning.levels import Levels, levels_of
from agents.planning.paths import Path, present_moment, record_path, some_sessions
from agents.planning.values import Values, choices_at, fit_values

__all__ = [
    "Levels",
    "Path",
    "Values",
    "bound_rewards",
    "choices_at",
    "fit_values",
    "levels_of",
    "present_moment",
    "record_path",
    "some_sessions",
]
