"""What the receivers' processes are to each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from torch import Tensor

from envs.transceiver import steps
from envs.transceiver.receivers import PROCESSES, RECEIVERS, rematch_grid
from envs.transceiver.schedule import Schedule

from .conftest import SCHEDULER

SCHEDULE = Schedule.from_scheduler(DDIMScheduler(**SCHEDULER), 20)


def predict(z: Tensor, t: Tensor) -> Tensor:
    """A prediction that depends on latent and timestep."""
    return torch.tanh(z) * (0.5 + t[:, None, None, None] / 1000)


@pytest.mark.parametrize("split", [2, 12, 18, 19])
def test_rematching_is_the_noise_aware_step_with_the_variances_of_its_grid(split: int) -> None:
    received = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    variance = np.array([0.01, 0.5, 4.0])
    grid = rematch_grid(SCHEDULE, split, variance)
    plain, aimed = SCHEDULE.alpha_bars(SCHEDULE.timesteps[split:]), SCHEDULE.alpha_bars(grid)
    z = received
    for k in range(20 - split):
        bar, bar_after = (torch.full((3, 1, 1, 1), float(bars[k]), dtype=torch.float64) for bars in plain)
        aim, aim_after = (torch.from_numpy(bars[:, k])[:, None, None, None] for bars in aimed)
        var, var_after = bar / aim - 1, bar_after / aim_after - 1
        eps = predict(z / (1 + var).sqrt(), torch.from_numpy(grid[:, k]))
        z = steps.noise_aware_step(z, eps, bar, bar_after, 1 - bar + var, 1 - bar_after + var_after)
    got = PROCESSES["rematch"](predict, SCHEDULE, received, variance, split, ())
    inside = grid[:, 0] < 999  # beyond the last trained timestep it is clamped
    assert torch.allclose(got[inside], z[inside], atol=1e-4)


@pytest.mark.parametrize("name", sorted(set(RECEIVERS) - {"ancestral", "printed"}))
def test_without_noise_every_deterministic_receiver_is_plain_ddim(name: str) -> None:
    received = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    plain = PROCESSES["ignore"](predict, SCHEDULE, received, np.zeros(2), 12, ())
    assert torch.equal(PROCESSES[RECEIVERS[name].process](predict, SCHEDULE, received, np.zeros(2), 12, ()), plain)
