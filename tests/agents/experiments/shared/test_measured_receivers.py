"""What the profile says of receivers: only of what was really measured, on the test requests."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agents.experiments.shared.measured_receivers import profile_claims
from envs.transceiver import ReceiverStudy
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.table import METRICS, TableKey
from tests.profiles import synthetic_profile

SNR_DB = (-6.0, 3.0)


def profile_with_gaps(gain_db: float = 0.0) -> QualityProfile:
    """Each draw of `ignore` and `rematch` was measured at 3 dB, of -6 dB only the first request's; what lies between is
    nonsense to whoever takes it for measured."""
    whole = synthetic_profile(num_requests=6)
    parts = {}
    for place, part in whole.parts.items():
        tables = {}
        for name in ("ignore", "rematch"):
            key = TableKey(name, 20)
            table = part.table(key)
            measured = table.measured.copy()
            if name == "rematch":
                base = part.table(TableKey("ignore", 20)).measured[METRICS.index("psnr_db")]
                measured[METRICS.index("psnr_db")] = base + gain_db
            measured[:, 1:, :, table.snr_db != 3.0] = np.nan
            measured[:, :, :, ~np.isin(table.snr_db, SNR_DB)] = np.nan
            tables[key] = replace(table, measured=measured)
        parts[place] = replace(part, tables=tables)
    return QualityProfile(parts, 20, whole.fingerprint)


def study_of(profile: QualityProfile) -> Any:
    notes: list[str] = []
    return SimpleNamespace(profile=profile, num_inference_steps=20, notes=notes, note=notes.append)


def measured_like(profile: QualityProfile, part: str = "test", count: int = 4, off: float = 0.0) -> ReceiverStudy:
    """What the live transceiver would deliver, were it what the profile says; at what was not measured, anything."""
    held = profile.part(part)
    tables = {}
    for name in ("ignore", "rematch"):
        table = held.table(TableKey(name, 20))
        columns = [table.snr_db.tolist().index(level) for level in SNR_DB]
        own = table.measured[:, :count][:, :, :, columns, 0]
        tables[name] = np.where(np.isnan(own), 1e3, own + off)
    return ReceiverStudy(
        held.requests[:count], SNR_DB, tables, np.ones((len(METRICS), count)), {"ignore": 1, "rematch": 1}
    )


@pytest.mark.parametrize(("off", "verdict"), [(0.0, "yes"), (0.5, "no")])
def test_only_cells_that_were_measured_are_compared(off: float, verdict: str) -> None:
    profile = profile_with_gaps()
    claims = profile_claims(study_of(profile), measured_like(profile, off=off))
    (held,) = [claim for claim in claims if claim.stated.startswith("the profile holds")]
    assert held.verdict == verdict
    assert f"mean difference {off:.4f} in alignment" in held.measured


def test_the_profile_is_compared_on_its_test_requests() -> None:
    profile = profile_with_gaps()
    study = study_of(profile)
    assert profile_claims(study, measured_like(profile, "train")) == []
    assert "other test requests" in study.notes[0]


@pytest.mark.parametrize(("gain_db", "verdict"), [(0.0, "yes"), (-0.2, "no")])
def test_the_floor_of_rematch_is_taken_where_all_was_measured(gain_db: float, verdict: str) -> None:
    profile = profile_with_gaps(gain_db)
    claims = profile_claims(study_of(profile), measured_like(profile))
    (floor,) = [claim for claim in claims if claim.stated.startswith("rematch is nowhere")]
    assert floor.verdict == verdict
    assert "6 test requests x 3 draws of the profile at 1 SNRs" in floor.measured
    (gain,) = [claim for claim in claims if claim.stated.startswith("PSNR of rematch")]
    assert f"{gain_db:+.2f}" in gain.measured
