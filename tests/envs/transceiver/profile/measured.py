"""A whole profile, measured."""

from __future__ import annotations

from pathlib import Path

from envs.transceiver.profile.files import gather_profile
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams
from envs.transceiver.profile.shards import measure_cells


def measured_profile(params: MeasureParams, folder: Path) -> QualityProfile:
    """All cells of a profile, by one process with one thread."""
    measure_cells(params, folder, workers=1, threads=1)
    return gather_profile(params, folder)
