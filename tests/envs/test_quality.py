"""Quality read from a profile of many measured SNRs."""

from __future__ import annotations

import numpy as np
import pytest

from envs.plans import expand
from envs.quality import COUNTABLE, FEW, ProfileQuality
from envs.transceiver.profile.profile import METRICS, QualityProfile


def of_many_snrs(count: int) -> QualityProfile:
    """A profile with as many SNRs, on the lines of one with few."""
    few = QualityProfile.synthetic(num_requests=2, draws=3)
    snr_db = np.linspace(-20.0, 20.0, count)
    request, split, snr, draw = np.ix_(range(2), range(21), snr_db, range(3))
    tables = {"finetuned": np.stack([few.interpolate("finetuned", m, request, split, snr, draw) for m in METRICS])}
    reference = np.stack([few.reference(metric) for metric in METRICS])
    return QualityProfile(few.requests, snr_db, tables, reference, few.fingerprint)


@pytest.mark.parametrize("count", [COUNTABLE, COUNTABLE + 2, COUNTABLE + 3, 300])
def test_any_number_of_snrs_is_found(count: int) -> None:
    profile = of_many_snrs(count)
    quality = ProfileQuality(profile, expand("semaigc(12)"), "finetuned", "alignment", 0.9, 3)
    snr_db = np.random.default_rng(0).uniform(-21.0, 21.0, 2 * FEW)
    low, weight = quality._position(snr_db)
    expected_low, expected_weight = profile.snr_position(snr_db)
    np.testing.assert_array_equal(low, expected_low)
    np.testing.assert_allclose(weight, expected_weight, atol=1e-9)
    one_by_one = [quality._position(snr_db[i : i + 1]) for i in range(len(snr_db))]
    np.testing.assert_array_equal(low, np.concatenate([each[0] for each in one_by_one]))
    np.testing.assert_array_equal(weight, np.concatenate([each[1] for each in one_by_one]))
