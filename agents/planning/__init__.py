"""Planning where decisions reach later requests: a policy that looks ahead, and a bound that no policy passes."""

from agents.planning.bound import bound_rewards
from agents.planning.levels import Levels, levels_of
from agents.planning.paths import Path, record_path
from agents.planning.values import Planner, Values, fit_values

__all__ = ["Levels", "Path", "Planner", "Values", "bound_rewards", "fit_values", "levels_of", "record_path"]
