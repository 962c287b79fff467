from __future__ import annotations

import numpy as np
import pytest

from agents.evaluation.statistics import margins_of
from agents.experiments.semaigc.fig8 import Grid, _draw
from agents.experiments.shared.states import FRAMEWORKS


def test_cells_that_differ_by_a_tenth_of_a_per_cent_look_different() -> None:
    below = 0.8 * np.array([[1.0, 0.9995], [0.999, 0.995]])
    cells = dict.fromkeys(FRAMEWORKS, below) | {"oracle_bound": np.full((2, 2), 0.8)}
    rewards = {name: margins_of(np.broadcast_to(each[..., None, None], (2, 2, 3, 4))) for name, each in cells.items()}
    grid = Grid([-6.0, 0.0], [0.1, 1.0], rewards, {})
    assert grid.lost_percent() == pytest.approx(np.array([[0.0, 0.05], [0.1, 0.5]]), abs=1e-9)
    panel = _draw({"finetuned": grid}).axes[1]
    assert panel.get_title() == "ROOT below the bound (%)"
    assert [text.get_text() for text in panel.texts] == ["0.00", "0.05", "0.10", "0.50"]
