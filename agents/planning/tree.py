"""A small decision tree over named quantities, fitted to the rewards of actions rather than to labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatTable = NDArray[np.float64]
Rows = NDArray[np.intp]
EXACT_DEPTH = 2
QUANTILES = 19
"""Places of a quantity where a tree may cut, before they are rounded."""


@dataclass(frozen=True)
class Leaf:
    """One action in all states that arrive here, which are this share of those that the tree was fitted on."""

    action: int
    share: float


@dataclass(frozen=True)
class Cut:
    """Another tree below a threshold on one quantity than from it on."""

    quantity: int
    threshold: float
    below: Tree
    above: Tree


Tree = Leaf | Cut


def leaves(tree: Tree) -> Iterator[Leaf]:
    """The leaves, from the lowest values on."""
    if isinstance(tree, Leaf):
        yield tree
    else:
        yield from leaves(tree.below)
        yield from leaves(tree.above)


def decide(tree: Tree, values: FloatTable) -> NDArray[np.int64]:
    """The actions of N states, int64 [N], from their quantities [N, Q]."""
    if isinstance(tree, Leaf):
        return np.full(len(values), tree.action, dtype=np.int64)
    is_below = values[:, tree.quantity] < tree.threshold
    return np.where(is_below, decide(tree.below, values), decide(tree.above, values))


def renamed(tree: Tree, actions: NDArray[np.int64]) -> Tree:
    """The same tree with action a called `actions[a]`."""
    if isinstance(tree, Leaf):
        return Leaf(int(actions[tree.action]), tree.share)
    return Cut(tree.quantity, tree.threshold, renamed(tree.below, actions), renamed(tree.above, actions))


def round_thresholds(values: FloatTable, digits: int = 2) -> FloatTable:
    """Places for cuts of one quantity [N]: evenly many states between them, rounded to a few digits.

    All lie above its least value and none above its largest, so that there are states on both sides; a quantity that
    does not vary has none.
    """
    shares = np.linspace(0.0, 1.0, QUANTILES + 2)[1:-1]
    rounded = np.unique([float(f"{value:.{digits}g}") for value in np.quantile(values, shares, method="nearest")])
    return rounded[(rounded > values.min()) & (rounded <= values.max())]


def fit_tree(
    values: FloatTable,
    rewards: FloatTable,
    thresholds: Sequence[FloatTable],
    max_leaves: int,
    least_gain: float = 0.0,
) -> Tree:
    """The tree of the largest mean reward that a search from the root finds.

    Down to a depth of two the search is exhaustive, over all pairs of cuts; then each leaf is cut once more where it
    gains most. Cuts that add least for each leaf of theirs are taken back, until there are few enough and each adds
    enough.

    Source: own; the last part is the pruning of Breiman et al., "Classification and Regression Trees", 1984, 3.3.

    Args:
        values: [N, Q], the quantities of N states.
        rewards: [N, A], the expected reward of every action.
        thresholds: of each quantity, where it may be cut.
        max_leaves: of the tree, >= 1.
        least_gain: in the mean reward over all states, what a leaf more must add.
    """
    search = _Search(values, rewards, thresholds)
    rows = np.arange(len(values))
    _, root = search.best(rows, EXACT_DEPTH)
    for end in list(root.ends()):
        _, again = search.best(end.rows, 1)
        end.cut = again.cut
    while (weakest := min(root.cuts(), key=_Node.loss_per_leaf, default=None)) is not None:
        many = sum(1 for _ in root.ends()) > max_leaves
        if not many and weakest.loss_per_leaf() >= max(least_gain * len(values), 1e-12):
            break
        weakest.cut = None
    return root.frozen(len(values))


@dataclass(eq=False)
class _Node:
    """A tree that is still worked on."""

    rows: Rows
    action: int
    total: float
    cut: tuple[int, float, _Node, _Node] | None = None

    def ends(self) -> Iterator[_Node]:
        """The leaves."""
        if self.cut is None:
            yield self
        else:
            for side in self.cut[2:]:
                yield from side.ends()

    def cuts(self) -> Iterator[_Node]:
        """The nodes that are cut."""
        if self.cut is not None:
            yield self
            for side in self.cut[2:]:
                yield from side.cuts()

    def loss_per_leaf(self) -> float:
        """What a leaf less costs where this node becomes one."""
        ends = list(self.ends())
        return (sum(end.total for end in ends) - self.total) / (len(ends) - 1)

    def frozen(self, num_states: int) -> Tree:
        """The tree as it stays; equal actions on both sides of a cut are one leaf."""
        if self.cut is None:
            return Leaf(self.action, len(self.rows) / num_states)
        quantity, threshold, *sides = self.cut
        below, above = (side.frozen(num_states) for side in sides)
        if isinstance(below, Leaf) and isinstance(above, Leaf) and below.action == above.action:
            return Leaf(below.action, below.share + above.share)
        return Cut(quantity, threshold, below, above)


class _Search:
    """Sums of rewards between thresholds, for all quantities in one product of matrices."""

    def __init__(self, values: FloatTable, rewards: FloatTable, thresholds: Sequence[FloatTable]) -> None:
        self.rewards = rewards
        self.places = [(index, float(place)) for index, own in enumerate(thresholds) for place in own]
        columns = [values[:, index] < place for index, place in self.places]
        self.is_below = np.stack(columns, axis=1) if columns else np.empty((len(values), 0), dtype=bool)

    def best(self, rows: Rows, depth: int) -> tuple[float, _Node]:
        """The best tree of at most this depth for some states: the sum of its rewards, and itself."""
        totals = self.rewards[rows].sum(axis=0)
        leaf = _Node(rows, int(totals.argmax()), float(totals.max()))
        is_below = self.is_below[rows]
        counts = is_below.sum(axis=0)
        some = np.flatnonzero((counts > 0) & (counts < len(rows)))
        if not depth or not len(some):
            return leaf.total, leaf
        if depth == 1:
            below = is_below[:, some].T.astype(np.float64) @ self.rewards[rows]
            found = below.max(axis=1) + (totals - below).max(axis=1)
            some = some[[int(found.argmax())]]
        best = leaf.total
        for place in some:
            sides = [self.best(rows[mask], depth - 1) for mask in (is_below[:, place], ~is_below[:, place])]
            total = sides[0][0] + sides[1][0]
            if total > best:
                best, leaf.cut = total, (*self.places[place], sides[0][1], sides[1][1])
        return best, leaf
