"""What several tests share."""

from __future__ import annotations

import pytest

from envs.transceiver.profile import QualityProfile


@pytest.fixture(scope="session")
def profile() -> QualityProfile:
    """A made-up quality profile: 8 requests, 20 steps, 6 draws of the receiver `finetuned`."""
    return QualityProfile.synthetic()
