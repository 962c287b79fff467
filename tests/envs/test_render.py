from __future__ import annotations

import warnings
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from envs import SplitEnv, SplitVectorEnv, render
from envs.plans import Plan
from envs.render import EDGE, USER, Panel, draw_frame
from envs.transceiver.profile.profile import QualityProfile

STATE = {
    "snr_db": 3.0,
    "bandwidth_hz": 2e6,
    "edge_availability": 0.5,
    "user_availability": 1.0,
    "latency_low_s": 6.0,
    "latency_high_s": 12.0,
}


class FakeTransceiver:
    """Delivers a grey image and remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def with_steps(self, _: int) -> FakeTransceiver:
        return self

    def execute(self, plan: Plan, **request: Any) -> SimpleNamespace:
        self.asked.append({"plan": plan.name, **request})
        return SimpleNamespace(images=np.full((1, 3, 64, 64), 0.5, np.float32))


def test_a_frame_shows_the_delivered_image() -> None:
    image = np.zeros((3, 64, 64), np.float32)
    image[0] = 1.0
    frame = draw_frame(
        Panel(
            "a red apple on a table",
            20,
            STATE,
            image=image,
            plan="semaigc(12)",
            steps_at=("edge",) * 12 + ("user",) * 8,
        )
    )
    assert frame.shape == (360, 640, 3)
    assert frame.dtype == np.uint8
    assert frame[160, 160].tolist() == [255, 0, 0]
    assert not np.array_equal(frame, draw_frame(Panel("a red apple on a table", 20, STATE)))


@pytest.mark.parametrize(("plan", "first", "last"), [("semaigc(12)", EDGE, USER), ("euci(8)", USER, EDGE)])
def test_steps_stand_in_the_order_in_which_they_run(profile: QualityProfile, plan: str, first: str, last: str) -> None:
    env = SplitEnv(profile=profile, plans=[plan], render_mode="rgb_array", transceiver=FakeTransceiver())
    env.reset(seed=3)
    env.step(0)
    frame = env.render()
    assert frame is not None
    for x, colour in ((342, first), (610, last)):
        assert frame[81, x].tolist() == [int(colour[i : i + 2], 16) for i in (1, 3, 5)]


@pytest.mark.parametrize("snr_db", [-20.0, 20.0])
@pytest.mark.parametrize("steps", [1, 50])
def test_frames_of_extreme_states(snr_db: float, steps: int) -> None:
    panel = Panel(
        prompt="x" * 200,
        num_inference_steps=steps,
        state={**STATE, "snr_db": snr_db},
        image=np.zeros((3, 8, 8), np.float32),
        plan="edge_aigc",
        steps_at=("edge",) * steps,
        payload="image",
        latency_parts_s={"edge": 500.0, "link": 0.001, "user": 0.0},
        attempts=3,
        failed=True,
        quality={"alignment": 0.0},
    )
    assert draw_frame(panel).shape == (360, 640, 3)


def test_the_environment_renders_the_last_attempt_of_the_request_it_served(profile: QualityProfile) -> None:
    transceiver = FakeTransceiver()
    env = SplitEnv(profile=profile, render_mode="rgb_array", transceiver=transceiver)
    env.reset(seed=3)
    first = env.render()
    assert first is not None
    assert not transceiver.asked
    draws = env.core.state.draws[:, 0]
    info = env.step(12)[4]
    frame = env.render()
    assert frame is not None
    assert not np.array_equal(first, frame)
    request = profile.part("train").requests[info["state"]["request"]]
    assert transceiver.asked == [
        {
            "plan": "semaigc(12)",
            "prompts": [request.prompt],
            "seeds": [request.seed],
            "snr_db": [info["state"]["snr_db"]],
            "receiver": "finetuned",
            "channel_seeds": [draws[info["attempts"] - 1]],
        }
    ]


def test_any_plan_is_rendered_by_executing_it(profile: QualityProfile) -> None:
    transceiver, chosen = FakeTransceiver(), ["edge_aigc", "euci(8)"]
    env = SplitVectorEnv(2, profile=profile, render_mode="rgb_array", transceiver=transceiver, plans=chosen)
    env.reset(seed=3)
    env.step(np.array([0, 1]))
    frames = env.render()
    assert frames is not None
    assert len(frames) == 2
    assert [asked["plan"] for asked in transceiver.asked] == chosen


def test_a_frame_shows_what_the_cloud_does_and_the_plans_own_steps(
    profile: QualityProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    panels: list[Panel] = []
    monkeypatch.setattr(render, "draw_frame", lambda panel: panels.append(panel) or draw_frame(panel))
    env = SplitEnv(
        profile=profile, render_mode="rgb_array", transceiver=FakeTransceiver(), plans=["cloud_aigc", "euci(8)"]
    )
    env.reset(seed=0)
    env.step(0)
    env.render()
    env.step(1)
    env.render()
    cloud, euci = panels
    assert (cloud.num_inference_steps, cloud.steps_at) == (20, ("cloud",) * 20)
    assert cloud.latency_parts_s["cloud"] > 0.0
    assert euci.steps_at == ("user",) * 8 + ("edge",) * 12
    cloudless = draw_frame(replace(cloud, steps_at=("edge",) * 20))
    assert not np.array_equal(draw_frame(cloud), cloudless)


def test_waiting_is_part_of_the_latency(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile, scenario="queue", render_mode="rgb_array", transceiver=FakeTransceiver())
    env.reset(seed=0)
    assert "waiting" in env.step(12)[4]["latency_parts_s"]
    assert env.render() is not None


def test_gymnasium_checks_rendering_too(profile: QualityProfile) -> None:
    made = gym.make("envs:SemAIGC/Split-v0", profile=profile, render_mode="rgb_array", transceiver=FakeTransceiver())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(made.unwrapped)


def test_without_a_render_mode_there_is_no_frame(profile: QualityProfile) -> None:
    env = SplitEnv(profile=profile)
    env.reset(seed=0)
    assert env.render() is None
