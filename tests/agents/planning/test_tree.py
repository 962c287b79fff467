"""Trees that decide: against brute force, and what makes them small and readable."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from agents.planning.tree import Cut, Leaf, decide, fit_tree, leaves, renamed, round_thresholds


def earned(tree: Cut | Leaf, values: np.ndarray, rewards: np.ndarray) -> float:
    return float(rewards[np.arange(len(values)), decide(tree, values)].mean())


def test_what_no_single_cut_gains_is_found() -> None:
    values = np.random.default_rng(0).uniform(size=(400, 2))
    same_side = (values[:, 0] < 0.5) == (values[:, 1] < 0.5)
    rewards = np.stack([same_side, ~same_side], axis=1).astype(float)
    tree = fit_tree(values, rewards, [np.array([0.25, 0.5])] * 2, max_leaves=4)
    assert earned(tree, values, rewards) == 1.0
    assert sum(leaf.share for leaf in leaves(tree)) == pytest.approx(1.0)


def test_the_best_of_two_cuts_on_either_side_is_that_of_brute_force() -> None:
    rng = np.random.default_rng(1)
    values, rewards = rng.uniform(size=(60, 2)), rng.uniform(size=(60, 3))
    places = [np.array([0.3, 0.6]), np.array([0.2, 0.5, 0.8])]
    cuts = [None, *((quantity, place) for quantity in (0, 1) for place in places[quantity])]

    def best(rows: np.ndarray) -> float:
        return float(rewards[rows].sum(axis=0).max())

    def of_side(rows: np.ndarray, cut: tuple[int, float] | None) -> float:
        below = np.ones(len(values), bool) if cut is None else values[:, cut[0]] < cut[1]
        return best(rows & below) + best(rows & ~below)

    found = max(
        of_side(values[:, first[0]] < first[1], low) + of_side(values[:, first[0]] >= first[1], high)
        for first, low, high in product(cuts[1:], cuts, cuts)
        if first is not None
    )
    tree = fit_tree(values, rewards, places, max_leaves=8)
    assert earned(tree, values, rewards) >= found / 60 - 1e-12
    four = fit_tree(values, rewards, places, max_leaves=4)
    assert earned(four, values, rewards) <= found / 60 + 1e-12


@pytest.mark.parametrize("most", [1, 2, 3, 5])
def test_no_more_leaves_than_allowed(most: int) -> None:
    rng = np.random.default_rng(2)
    values, rewards = rng.uniform(size=(200, 3)), rng.uniform(size=(200, 4))
    tree = fit_tree(values, rewards, [np.linspace(0.1, 0.9, 9)] * 3, most)
    assert 1 <= len(list(leaves(tree))) <= most


def test_a_cut_that_adds_little_is_not_made() -> None:
    values = np.linspace(0.0, 1.0, 100)[:, None]
    rewards = np.stack([np.full(100, 0.5), 0.5 + 0.02 * (values[:, 0] >= 0.5) - 0.01], axis=1)
    places = [np.array([0.5])]
    assert fit_tree(values, rewards, places, 6, least_gain=0.01) == Leaf(0, 1.0)
    assert fit_tree(values, rewards, places, 6, least_gain=0.001) == Cut(0, 0.5, Leaf(0, 0.5), Leaf(1, 0.5))


def test_thresholds_are_round_and_leave_states_on_both_sides() -> None:
    values = np.random.default_rng(3).uniform(0.1234, 0.9876, 500)
    places = round_thresholds(values)
    assert len(places) > 10
    assert all(float(f"{place:.2g}") == place and values.min() < place <= values.max() for place in places)
    assert round_thresholds(np.full(500, 3.25)).size == 0
    assert round_thresholds(np.arange(100) % 2.0).tolist() == [1.0]  # a flag


def test_other_names_for_the_actions() -> None:
    tree = Cut(0, 0.5, Leaf(0, 0.4), Leaf(1, 0.6))
    assert renamed(tree, np.array([7, 3])) == Cut(0, 0.5, Leaf(7, 0.4), Leaf(3, 0.6))
