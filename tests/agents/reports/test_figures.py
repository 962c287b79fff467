from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from agents.evaluation.entries import Outcomes
from agents.reports.drawing import edges_around
from agents.reports.figures import decision_map, draw_decision_maps, draw_measure, state_figures, to_image
from agents.reports.style import line_style, save_figure


@pytest.fixture
def results() -> dict[str, Outcomes]:
    rng = np.random.default_rng(0)
    states = {"snr_db": rng.uniform(-6, 15, 400), "edge_availability": rng.uniform(0.1, 1, 400)}
    shared = states | {"reward": rng.random(400), "latency_s": rng.random(400), "episode": np.arange(400) // 20}
    shared["request"] = rng.integers(8, size=400)
    deciding = (18 * (states["edge_availability"] > 0.5)).astype(int)
    return {"oracle": shared | {"split": deciding}, "non_root": shared | {"split": np.full(400, 10)}}


def test_decision_map_is_the_mean_in_each_cell() -> None:
    snr_db, availability = np.array([0.0, 0.1, 9.9, 10.0]), np.array([0.0, 0.1, 0.0, 1.0])
    map_ = decision_map(snr_db, availability, np.array([4, 6, 10, 20]), cells=2)
    np.testing.assert_allclose(map_.mean_split, [[5, 10], [np.nan, 20]])
    np.testing.assert_allclose(map_.snr_db, [0, 5, 10])


@pytest.mark.parametrize("lengths", [(0, 0, 0), (2, 2, 1)])
def test_decision_map_of_bad_arrays(lengths: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="arrays of one length"):
        decision_map(*(np.zeros(n) for n in lengths))


def test_figures_name_their_units(results: dict[str, Outcomes]) -> None:
    figure = draw_measure(results, "latency", bins=3)
    assert [axis.get_xlabel() for axis in figure.axes] == ["SNR (dB)", "Edge availability (PACR)"]
    assert figure.axes[0].get_ylabel() == "Latency (s)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["Oracle", "Non-ROOT"]


def test_there_are_figures_of_all_measures_and_maps_of_who_decides(results: dict[str, Outcomes]) -> None:
    figures = dict(state_figures(results, num_inference_steps=20, bins=3))
    assert list(figures) == ["satisfaction", "latency", "split", "decision_map"]
    assert [axis.get_title() for axis in figures["decision_map"].axes] == ["Oracle", ""]  # its map and the colours
    idle = {"non_root": results["non_root"], "random": results["oracle"]}
    assert "decision_map" not in dict(state_figures(idle, num_inference_steps=20, bins=3))


def test_the_same_numbers_give_the_same_files(results: dict[str, Outcomes], tmp_path: Path) -> None:
    for folder in "ab":
        for name, figure in state_figures(results, 20, bins=3):
            save_figure(figure, tmp_path / folder / name)
    first, second = (sorted((tmp_path / folder).iterdir()) for folder in "ab")
    assert len(first) == 8
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(first, second, strict=True))
    with Image.open(first[-1]) as image:
        assert image.width > 1000


def test_image_of_a_figure(results: dict[str, Outcomes]) -> None:
    oracle = results["oracle"]
    map_ = decision_map(oracle["snr_db"], oracle["edge_availability"], oracle["split"])
    image = to_image(draw_decision_maps({"oracle": map_}, 20))
    assert image.dtype == np.uint8
    assert image.shape[2] == 3
    assert image.std() > 10


def test_a_policy_looks_the_same_everywhere_and_strangers_differ() -> None:
    assert line_style("root", 0) == line_style("root", 5)
    assert line_style("mine", 0) != line_style("yours", 1)


def test_edges_lie_halfway() -> None:
    np.testing.assert_allclose(edges_around([0.0, 1.0, 3.0]), [-0.5, 0.5, 2.0, 4.0])
    assert edges_around([0.1, 0.2])[1] == pytest.approx(0.15)
