"""The captioned scenes: deterministic, exact captions, combinations kept apart."""

from __future__ import annotations

import numpy as np
import pytest

from envs.transceiver.scenes.scenes import (
    ALL_SCENES,
    COLOURS,
    HELD_OUT_SCENES,
    NOUNS,
    PLACES,
    SEEN_SCENES,
    Scene,
    caption,
    draw_scenes,
    render_scene,
)


def test_the_words_of_the_papers_are_there() -> None:
    assert len(NOUNS) >= 12
    assert len(COLOURS) >= 8
    assert len(PLACES) >= 5
    assert {"apple", "lemon", "cat"} <= set(NOUNS)
    assert "on a table" in PLACES


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("apple", "red", "on a table"), "a red apple on a table"),
        (("cat", "orange", "on snow"), "an orange cat on snow"),
        (("apple", None, "on a table"), "an apple on a table"),
        (("lemon", "yellow", None), "a yellow lemon"),
    ],
)
def test_captions_are_exact(words: tuple[str, str | None, str | None], expected: str) -> None:
    assert caption(*words) == expected


def test_held_out_combinations_share_no_scene_with_the_seen_and_leave_no_word_out() -> None:
    assert set(SEEN_SCENES).isdisjoint(HELD_OUT_SCENES)
    assert len(SEEN_SCENES) + len(HELD_OUT_SCENES) == len(ALL_SCENES)
    assert len(HELD_OUT_SCENES) == len(ALL_SCENES) // 10
    for scenes in (SEEN_SCENES, HELD_OUT_SCENES):
        assert {scene.noun for scene in scenes} == set(NOUNS)
        assert {scene.colour for scene in scenes} == set(COLOURS)
        assert {scene.place for scene in scenes} == set(PLACES)


def test_a_picture_follows_from_its_seed() -> None:
    scene = Scene("apple", "red", "on a table")
    assert np.array_equal(render_scene(scene, 5), render_scene(scene, 5))
    assert not np.array_equal(render_scene(scene, 5), render_scene(scene, 6))
    assert render_scene(scene, 5).shape == (64, 64, 3)
    assert render_scene(scene, 5).dtype == np.uint8


def test_a_red_object_is_red_and_the_night_is_dark() -> None:
    ball = [
        render_scene(Scene("ball", "red", "on snow"), seed)[28:44, 24:40].reshape(-1, 3).mean(0) for seed in range(20)
    ]
    red, green, blue = np.mean(ball, axis=0)
    assert red > green + 30
    assert red > blue + 30
    night, day = (
        np.mean([render_scene(Scene("cup", "blue", place), s) for s in range(5)]) for place in ("at night", "on snow")
    )
    assert night < 0.6 * day


def test_drawn_scenes_carry_their_labels() -> None:
    images, labels = draw_scenes(SEEN_SCENES, 7, seed=3)
    again, _ = draw_scenes(SEEN_SCENES, 7, seed=3)
    assert images.shape == (7, 64, 64, 3)
    assert np.array_equal(images, again)
    seen = {scene.labels for scene in SEEN_SCENES}
    assert all(tuple(row) in seen for row in labels)
