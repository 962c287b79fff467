"""What is kept in `envs/costs/operations.json` is what the published architectures take."""

from __future__ import annotations

import pytest
import torch

from envs.costs import counted_operations
from envs.transceiver.model.flops import count
from envs.transceiver.model.published import COUNTERS


def test_a_linear_layer_takes_two_operations_a_weight() -> None:
    counted = count(lambda: torch.nn.Linear(30, 50), lambda layer: layer(torch.zeros(7, 30)))
    assert (counted.flops, counted.parameters) == (2 * 7 * 30 * 50, 30 * 50 + 50)


def test_the_file_holds_what_is_counted() -> None:
    assert set(counted_operations()) == set(COUNTERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(COUNTERS))
def test_recount(name: str) -> None:
    assert COUNTERS[name]() == counted_operations()[name]
