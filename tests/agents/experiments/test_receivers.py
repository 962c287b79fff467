"""Proposition 1 as printed, beside the right form of it, which is as stochastic."""

from __future__ import annotations

import numpy as np
import pytest

from agents.experiments.receivers import _printed_claims
from envs.transceiver import METRICS, ReceiverStudy, Request

SNR_DB = (-6.0, 0.0, 15.0)
REQUESTS = tuple(Request(f"request {index}", index) for index in range(20))
PSNR_DB = {  # what issue and trials found, at -6, 0 and 15 dB
    "ignore": (15.0, 22.0, 30.0),
    "rematch": (18.0, 24.0, 31.0),
    "ancestral": (17.0, 21.5, 26.1),
    "printed": (9.0, 12.5, 26.2),
}


def study_of(*receivers: str, printed_db: tuple[float, ...] = PSNR_DB["printed"]) -> ReceiverStudy:
    rng, tables = np.random.default_rng(0), {}
    luck = np.linspace(-1, 1, len(REQUESTS))[:, None, None]
    for name in receivers:
        values = rng.normal(0, 0.05, (len(METRICS), len(REQUESTS), 5, len(SNR_DB)))
        values[METRICS.index("psnr_db")] += luck + np.array(printed_db if name == "printed" else PSNR_DB[name])
        tables[name] = values.astype(np.float32)
    return ReceiverStudy(REQUESTS, SNR_DB, tables, np.zeros((len(METRICS), len(REQUESTS))), dict.fromkeys(receivers, 1))


def test_the_printed_step_is_compared_with_the_stochastic_right_one() -> None:
    same, removes = _printed_claims(study_of("ignore", "rematch", "ancestral", "printed"))
    assert (same.source, same.verdict) == ("paper", "no")
    assert "15 dB 26.2 and 26.1 dB" in same.measured
    assert "0 dB 12.5 and 21.5 dB" in same.measured
    assert removes.verdict == "no"
    assert "the right process (ancestral) is" in removes.why


@pytest.mark.parametrize(("at_0_db", "verdict"), [(21.4, "yes"), (21.0, "undecided"), (20.0, "no")])
def test_level_means_within_half_a_decibel_everywhere(at_0_db: float, verdict: str) -> None:
    receivers = study_of("ancestral", "printed", printed_db=(17.0, at_0_db, 26.1))
    (same,) = _printed_claims(receivers)
    assert same.verdict == verdict


def test_without_the_right_one_only_noise_is_asked_for() -> None:
    (removes,) = _printed_claims(study_of("ignore", "printed"))
    assert removes.stated.endswith("removes channel noise")
    assert _printed_claims(study_of("ignore", "rematch")) == []
