from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import SplitVectorEnv
from envs.rewards import Outcome, QoE, make_reward, weighted_quality
from envs.transceiver.profile.profile import QualityProfile


def outcome(latency_s: float = 12.0, energy_j: float = 3600.0, failed: bool = False) -> Outcome:
    quality = {"psnr_db": np.array([30.0]), "ssim": np.array([0.9]), "mse": np.array([0.001])}
    limits = np.array([6.0]), np.array([12.0])
    return Outcome(np.array([latency_s]), np.array([energy_j]), quality, np.array([failed]), *limits)


def test_weighted_quality_is_equation_9() -> None:
    assert weighted_quality(30.0, 0.9, 0.001, 0.4, 0.5) == pytest.approx(0.4 * 0.5 + 0.5 * 0.9 - 0.1 * 0.001, abs=1e-12)


def test_terms_by_hand() -> None:
    reward = QoE(quality_weight=0.6, latency_weight=0.3, energy_weight=0.1, psnr_weight=0.5, ssim_weight=0.25)
    terms = reward.terms(outcome())
    assert {name: value.item() for name, value in terms.items()} == pytest.approx(
        {
            "quality": 0.6 * (0.5 * 0.5 + 0.25 * 0.9 - 0.25 * 0.001),
            "latency": -0.3 * 12.0 / 60.0,
            "energy": -0.1 * 3600.0 / 18_000.0,
        }
    )
    assert reward.total(terms).item() == pytest.approx(sum(value.item() for value in terms.values()))


def test_a_failed_request_has_no_quality_but_its_costs() -> None:
    kept, lost = (QoE().terms(outcome(failed=failed)) for failed in (False, True))
    assert lost["quality"].item() == 0.0
    assert kept["quality"].item() > 0.0
    assert all(lost[name] == kept[name] for name in ("latency", "energy"))


def test_latency_and_energy_count_up_to_their_largest_values() -> None:
    terms = QoE().terms(outcome(latency_s=1e6, energy_j=1e9))
    assert (terms["latency"].item(), terms["energy"].item()) == (-0.25, -0.25)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("happiness", "unknown reward 'happiness'; allowed: satisfaction, qoe, vector"),
        ({"name": "qoe", "beauty_weight": 1.0}, "beauty_weight; allowed: quality_weight"),
        ({"name": "satisfaction", "quality_weight": 1.0}, "quality_weight; allowed: none"),
        ({"name": "qoe", "quality_weight": 0.9}, "must sum to 1, got 1.4"),
        ({"name": "qoe", "psnr_weight": 0.6}, "must be < 1"),
        ({"name": "vector", "energy_max_j": 0}, "energy_max_j must be a finite number > 0, got 0"),
        ({"name": "qoe", "latency_max_s": float("nan")}, "latency_max_s must be a finite number"),
        ({"name": "qoe", "latency_weight": -0.25}, "latency_weight must be a finite number >= 0"),
        (None, "reward must be a name, or a mapping of name and parameters, got None"),
        ({"quality_weight": 1.0}, "reward must be a name, or a mapping of name"),
    ],
)
def test_bad_rewards_are_refused(bad: Any, message: str, profile: QualityProfile) -> None:
    with pytest.raises(ValueError, match=message):
        SplitVectorEnv(1, profile=profile, reward=bad)


@given(
    st.floats(0.0, 1e9), st.floats(0.0, 1e9), st.floats(0.0, 60.0), st.floats(-1.0, 1.0), st.floats(0.0, 1.0),
    st.booleans(), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 0.99), st.floats(0.0, 1.0),
)  # fmt: skip
def test_rewards_lie_within_their_bounds(
    latency_s: float, energy_j: float, psnr_db: float, ssim: float, mse: float,
    failed: bool, first: float, second: float, inner: float, share: float,
) -> None:  # fmt: skip
    weights = {"psnr_weight": inner * share, "ssim_weight": inner * (1.0 - share)}
    outer = {
        "quality_weight": first,
        "latency_weight": (1 - first) * second,
        "energy_weight": (1 - first) * (1 - second),
    }
    quality = {"psnr_db": np.array(psnr_db), "ssim": np.array(ssim), "mse": np.array(mse)}
    given_ = Outcome(np.array(latency_s), np.array(energy_j), quality, np.array(failed), np.array(5.0), np.array(10.0))
    for name in ("qoe", "vector"):
        reward = make_reward({"name": name, **weights, **outer})
        total = reward.total(reward.terms(given_))
        assert np.all(total >= np.asarray(reward.low) - 1e-9)
        assert np.all(total <= np.asarray(reward.high) + 1e-9)
