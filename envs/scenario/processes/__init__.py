"""Stationary random processes of N environments at once, each with its closed-form moments."""

from envs.scenario.processes.gaussian_ar1 import GaussianAR1
from envs.scenario.processes.interface import Process
from envs.scenario.processes.rayleigh_fading import RayleighFading
from envs.scenario.processes.two_state_chain import TwoStateChain
from envs.scenario.processes.uniform import SessionUniform, Uniform
from envs.scenario.processes.workload import Workload

__all__ = ["GaussianAR1", "Process", "RayleighFading", "SessionUniform", "TwoStateChain", "Uniform", "Workload"]
