from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agents.d3qn.prioritized_replay import SumTree

WEIGHTS = st.lists(st.integers(0, 9), min_size=1, max_size=70).filter(any)


@given(WEIGHTS)
def test_every_unit_of_mass_finds_its_entry(weights: list[int]) -> None:
    tree = SumTree(len(weights))
    tree.set(np.arange(len(weights)), np.array(weights, dtype=float))
    assert tree.total == sum(weights)
    found = tree.find(np.arange(sum(weights)) + 0.5)
    assert found.tolist() == np.repeat(np.arange(len(weights)), weights).tolist()


@given(WEIGHTS, st.data())
def test_changing_some_weights_changes_the_sums(weights: list[int], data: st.DataObject) -> None:
    tree = SumTree(len(weights))
    tree.set(np.arange(len(weights)), np.array(weights, dtype=float))
    entries = data.draw(st.lists(st.integers(0, len(weights) - 1), min_size=1, unique=True))
    tree.set(np.array(entries), 3.0)
    after = np.array(weights, dtype=float)
    after[entries] = 3.0
    assert tree.total == after.sum()
    assert tree.get(np.arange(len(weights))).tolist() == after.tolist()


def test_a_mass_at_the_very_end_finds_an_entry_with_weight() -> None:
    tree = SumTree(5)
    tree.set(np.array([1, 2]), np.array([0.1, 0.2]))
    assert tree.find(np.array([0.0, np.nextafter(tree.total, 0), tree.total])).tolist() == [1, 2, 2]
