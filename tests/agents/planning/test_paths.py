from __future__ import annotations

import numpy as np
import pytest

from agents.planning.paths import feature_decay, state_features


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_the_mean_one_request_later_is_the_shrunk_feature(correlation: float) -> None:
    """Over 400,000 draws of the next state: 0.03 is more than five standard errors of the widest feature."""
    rng = np.random.default_rng(0)
    now, latency = np.array([1.5, -0.7, 0.3]), 0.8
    noise = rng.standard_normal((3, 400_000))
    later = correlation * now[:, None] + np.sqrt(1.0 - correlation**2) * noise
    drawn = state_features(later, rng.random(400_000)).mean(axis=0)
    known = state_features(now[:, None], np.array([latency]))[0] * feature_decay(3, correlation)
    np.testing.assert_allclose(drawn, known, atol=0.03)


def test_features_are_orthogonal_in_the_stationary_distribution() -> None:
    rng = np.random.default_rng(1)
    features = state_features(rng.standard_normal((2, 200_000)), rng.random(200_000))
    moments = features.T @ features / len(features)
    np.testing.assert_allclose(moments - np.diag(np.diag(moments)), 0.0, atol=0.03)
