"""What holds for every scenario, setting and action; hypothesis looks for an exception."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from envs import SplitVectorEnv
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=3, draws=3)
PLANS = ["semaigc", "edge_aigc", "local_aigc"]


def span(low: float, high: float) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(lambda ends: (min(ends), max(ends)))


SCENARIOS = st.fixed_dictionaries(
    {
        "snr_db": span(-20.0, 20.0),
        "edge_availability": span(0.01, 1.0),
        "user_availability": span(0.01, 1.0),
        "bandwidth_hz": span(1e5, 1e8),
        "density_factor": span(0.5, 2.0),
        "latency_low_s": span(0.1, 20.0),
        "latency_high_ratio": st.floats(1.01, 10.0),
        "correlation": st.floats(0.0, 1.0),
    }
)
SETTINGS = st.fixed_dictionaries(
    {
        "scenario": SCENARIOS,
        "acceptance": st.sampled_from(["ssim", "alignment"]).flatmap(
            lambda metric: st.fixed_dictionaries({"metric": st.just(metric), "least": st.floats(-0.5, 1.5)})
        ),
        "max_attempts": st.integers(1, 3),
        "deadline_s": st.floats(0.1, 1e3),
        "episode_length": st.integers(1, 4),
        "reward": st.sampled_from(["satisfaction", "qoe", "vector"]),
        "link": st.sampled_from(["paper", "analog", "digital"]),
    }
)


def leaves(value: Any) -> list[np.ndarray]:
    return [leaf for v in value.values() for leaf in leaves(v)] if isinstance(value, dict) else [np.asarray(value)]


@settings(max_examples=60)
@given(SETTINGS, st.integers(0, 2**32), st.lists(st.lists(st.integers(0, 22), min_size=4, max_size=4), max_size=5))
def test_steps_stay_within_their_bounds(given_: dict[str, Any], seed: int, actions: list[list[int]]) -> None:
    env = SplitVectorEnv(4, profile=PROFILE, plans=PLANS, **given_)
    obs, info = env.reset(seed=seed)
    assert obs in env.observation_space
    for action in actions:
        expected = env.model.expected_rewards(obs)
        obs, reward, _, _, info = env.step(np.array(action))
        assert obs in env.observation_space
        assert all(np.isfinite(leaf).all() for leaf in leaves(info))
        low, high = env.model.reward.low, env.model.reward.high
        for rewards in (reward, expected):
            assert np.all((rewards >= np.asarray(low) - 1e-9) & (rewards <= np.asarray(high) + 1e-9))
        np.testing.assert_allclose(sum(info["latency_parts_s"].values()), info["latency_s"], rtol=1e-12)
        assert np.all((info["attempts"] >= 1) & (info["attempts"] <= given_["max_attempts"]))
        assert np.all(info["energy_j"] >= 0.0)
        if given_["reward"] == "satisfaction":
            assert np.all((reward >= 0.0) & (reward <= 1.0))
            assert np.all(reward[info["failed"]] == 0.0)


@settings(max_examples=60)
@given(
    SCENARIOS,
    st.integers(0, 2**32),
    st.sampled_from(["bandwidth_hz", "edge_availability", "user_availability"]),
    st.floats(1.0, 100.0),
    st.integers(0, 22),
    st.sampled_from(["paper", "analog", "digital"]),
)
def test_more_bandwidth_or_compute_is_never_slower(
    scenario: dict[str, Any], seed: int, what: str, factor: float, action: int, link: str
) -> None:
    env = SplitVectorEnv(4, profile=PROFILE, plans=PLANS, scenario=scenario, link=link)
    env.reset(seed=seed)
    state, plan = env.core.state, np.full(4, action)
    more = getattr(state, what) * factor
    better = state._replace(**{what: more if what == "bandwidth_hz" else np.minimum(more, 1.0)})
    (before, slow, *_), (after, fast, *_) = (env.model.serve(plan, s, env.model.quality) for s in (state, better))
    assert np.all(fast["latency_s"] <= slow["latency_s"] * (1 + 1e-12))
    assert np.all(after >= before - 1e-12)
