"""What bits are worth: by hand, from a profile whose coded latents are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.experiments.codecs import Handed, matched_snr_db
from envs.costs import channel_uses
from envs.transceiver.codecs.latents import latent_codec
from envs.transceiver.profile.profile import ProfilePart, QualityProfile
from envs.transceiver.profile.table import TableKey
from tests.profiles import ALIGNMENT, FINGERPRINT, coded_part, synthetic_profile

Command = Callable[..., int]


def good(part: ProfilePart) -> ProfilePart:
    """Every hand-over is acceptable, at any SNR."""
    key = TableKey("finetuned", 20)
    table = part.tables[key]
    measured = np.where(np.isnan(table.measured), np.nan, 0.95).astype(np.float32)
    all_good = replace(table, measured=measured, noise_free=np.full_like(table.noise_free, 0.95))
    return replace(part, tables={**part.tables, key: all_good})


def run(
    command: Command, folder: Path, kept: dict[str, float], *arguments: str
) -> tuple[dict[str, str], list[dict[str, str]]]:
    made_up = synthetic_profile(num_requests=10)
    parts = {key: coded_part(good(part), kept) for key, part in made_up.parts.items()}
    QualityProfile(parts, 20, FINGERPRINT).save(folder / "coded.npz")
    place = [f"env.profile={folder / 'coded.npz'}", ALIGNMENT, f"hydra.run.dir={folder / 'run'}"]
    assert command("evaluate.py", "experiment=codecs", *place, *arguments) == 0
    claims = json.loads((folder / "run" / "comparison.json").read_text(encoding="utf-8"))["claims"]
    with (folder / "run" / "codecs_links.csv").open(encoding="utf-8") as file:
        links = list(csv.DictReader(file))
    return {claim["stated"]: claim["verdict"] for claim in claims}, links


@pytest.mark.parametrize(("share", "verdict"), [(1.0, "yes"), (0.2, "no")])
def test_half_of_the_bits_cost_what_they_cost(command: Command, tmp_path: Path, share: float, verdict: str) -> None:
    """u6 has more than half of the bits: the bar is not about it."""
    verdicts, _ = run(command, tmp_path, {"u4": share, "u6": 1.0 - share})
    for rule in ("similarity", "alignment"):
        assert verdicts[f"half of the bits cost at most 0.01 of the accepted images at split 12 ({rule})"] == verdict
        # Of one of the two, nothing is kept where a link of any SNR keeps everything.
        stated = f"b bits are as good as a link with the SNR of their rounding, at split 12 ({rule})"
        assert verdicts[stated] == "no"


def test_links_get_the_same_channel_uses(command: Command, tmp_path: Path) -> None:
    _, links = run(command, tmp_path, {"u4": 0.5}, "experiment.snr_db=[-6,15]")
    by_name = {(row["rule"], row["link"], float(row["snr_db"])): row for row in links}
    bits = 64 * 64 * 4 * 3.0656
    for snr_db in (-6.0, 15.0):
        expected = channel_uses(bits, snr_db) / 8192
        for name in ("analog, as often as u4", "digital, u4"):
            row = by_name["similarity", name, snr_db]
            assert float(row["channel_uses_over_analog"]) == pytest.approx(expected, rel=1e-3)
        assert float(by_name["similarity", "digital, u4", snr_db]["accepted"]) == 0.5
        assert float(by_name["similarity", "analog, once", snr_db]["accepted"]) == 1.0


def test_rounding_is_noise_of_a_known_snr() -> None:
    """Six decibels a bit; the variance is that of uniform cells while they are small."""
    gaps = np.diff([matched_snr_db(f"u{bits}") for bits in range(4, 9)])
    np.testing.assert_allclose(gaps, 20 * np.log10(2), atol=0.05)
    assert matched_snr_db("u8") == pytest.approx(10 * np.log10(12 / latent_codec("u8").width ** 2), abs=0.05)


def test_shares_between_measured_snrs_are_linear() -> None:
    noisy = np.array([[[0.0, 1.0], [0.0, 1.0]]])
    handed = Handed((0, 1), np.array([0.0, 10.0]), np.ones((1, 2)), noisy, {})
    np.testing.assert_allclose(handed.over_noise(1, 2.5), [0.25])
    np.testing.assert_allclose(handed.over_noise(1, 90.0), [1.0])


def test_a_profile_without_coded_latents_says_which_command_measures_them(
    command: Command, profile_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = [f"env.profile={profile_file}", ALIGNMENT, f"hydra.run.dir={tmp_path}"]
    assert command("evaluate.py", "experiment=codecs", *place) == 2
    assert "measure.receivers.finetuned.codecs=[u3,u4,u6]" in capsys.readouterr().err
