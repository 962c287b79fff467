from __future__ import annotations

import numpy as np
import pytest

from agents.planning.levels import net_work_cdf
from envs.scenario.processes import Workload


@pytest.mark.parametrize(("interval_s", "load", "job_s"), [(4.0, 0.2, 2.0), (3.0, 0.0, 1.0), (2.0, 1.0, 6.0)])
def test_it_is_the_distribution_that_the_queue_draws(interval_s: float, load: float, job_s: float) -> None:
    """At most 0.005 off: the Kolmogorov distance of 400,000 draws passes 0.0034 with a chance of 1 in 10,000."""
    workload = Workload(interval_s, load, job_s)
    workload.reset(400_000, np.random.default_rng(0))
    elapsed_s, work_s = workload.values
    seconds = np.linspace(-20.0, 30.0, 101)
    drawn = np.searchsorted(np.sort(work_s - elapsed_s), seconds, side="right") / 400_000
    np.testing.assert_allclose(net_work_cdf(seconds, interval_s, load, job_s), drawn, atol=0.005)


def test_its_ends_are_0_and_1() -> None:
    np.testing.assert_allclose(net_work_cdf([-1e4, 1e4], 4.0, 0.2, 2.0), [0.0, 1.0], atol=1e-12)
