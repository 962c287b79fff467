"""What several tests share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from envs.transceiver.profile import QualityProfile

settings.register_profile("any_machine", deadline=None)  # speed is never asserted, and machines may be busy
settings.load_profile("any_machine")


@pytest.fixture(scope="session")
def profile() -> QualityProfile:
    """A made-up quality profile: 8 requests, 20 steps, 6 draws of the receiver `finetuned`."""
    return QualityProfile.synthetic()
