"""The benchmark of the profile's search, with tiny parts, and its arithmetic by hand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.profile_search import DRAWS, FIRST, SNR_DB, forwards, main, searched
from envs.transceiver.profile.table import METRICS, QualityTable


def table_with(accepted_from: int | None) -> QualityTable:
    """One request with T = 2, whose images are accepted from an SNR on; of splits 1 and 2."""
    measured = np.zeros((len(METRICS), 1, 3, len(SNR_DB), 6), np.float32)
    measured[:, :, 0] = np.nan
    if accepted_from is not None:
        measured[METRICS.index("alignment"), :, 1, accepted_from:] = 1.0
    noise_free = np.zeros((len(METRICS), 1, 3), np.float32)
    return QualityTable((0, 1, 2), np.array(SNR_DB, dtype=float), measured, noise_free, {}, np.arange(1))


def test_what_is_searched_is_what_the_rule_needs() -> None:
    never = searched(table_with(None))
    known = ~np.isnan(never.measured[0])
    assert never.draws == DRAWS
    assert known[:, 0].sum() == 0
    assert np.array_equal(np.flatnonzero(known[0, 1, :, 0]), [SNR_DB.index(snr) for snr in FIRST])
    once = searched(table_with(9))
    for index in (8, 9):
        assert not np.isnan(once.measured[0, 0, 1, index]).any()
    np.testing.assert_array_equal(once.values[0, 0, 1, :, 0] >= 0.9, np.arange(len(SNR_DB)) >= 9)
    assert forwards(never) == len(FIRST) * DRAWS  # one step is left behind split 1, none behind split 2


def test_the_smallest_run(tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["--steps", "3", "--requests", "4", "--states", "64", "--workers", "1"]
    main(["--model", str(tiny_folder), *sizes, "--folder", str(tmp_path)])
    said = capsys.readouterr().out
    assert "finetuned, T = 3, 4 requests, 20 SNRs, 6 draws: 1,440 forwards" in said
    share = re.search(r"search: [\d.]+ SNRs a draw, 3 draws: ([\d,]+) forwards, ([\d.]+) of all", said)
    assert share
    assert float(share[2]) == pytest.approx(int(share[1].replace(",", "")) / 1440, abs=1e-3)
    assert len(re.findall(r"(?:alignment|ssim): regret against the full profile's oracle", said)) == 2


def test_bad_input_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--requests", "1"])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "error: requests and steps must be 2 or more, and states 1 or more\n"
