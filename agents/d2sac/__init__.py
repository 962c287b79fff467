"""D2SAC: a discrete soft actor-critic whose actor is a denoising diffusion chain."""

from agents.d2sac.algorithm import D2SAC
from agents.d2sac.policy import D2SACPolicy

__all__ = ["D2SAC", "D2SACPolicy"]
