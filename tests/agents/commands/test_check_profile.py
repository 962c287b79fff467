from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agents.commands.check_profile import ReceiverCells, report, report_fresh, report_receivers
from envs.fidelity import ComparedRewards, fresh_requests
from envs.transceiver import ModelOptions, Request, networks_fingerprint
from envs.transceiver.profile.profile import QualityProfile
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.receivers import receiver_named
from envs.transceiver.scenes.scenes import ALL_SCENES
from tests.envs.transceiver.conftest import tiny_folder
from tests.profiles import synthetic_part, synthetic_profile

__all__ = ["tiny_folder"]


def compared(gap: float, spread: float, count: int = 2000) -> ComparedRewards:
    rng = np.random.default_rng(0)
    profile = rng.random(count)
    live = profile + gap + spread * rng.standard_normal(count)
    request = np.arange(count) % 48
    return ComparedRewards(request, request, profile, profile, live, profile, profile)


@pytest.mark.parametrize(("gap", "spread", "verdict"), [(0.0, 0.05, "yes"), (0.02, 0.05, "no"), (0.0, 2.0, "no")])
def test_the_bar_is_a_narrow_interval_around_zero(gap: float, spread: float, verdict: str) -> None:
    line = report([compared(gap, spread)])[1]
    assert line.startswith("the profile's own channel draws")
    assert f"half-width of 0.01 or less: {verdict} (" in line


def test_batches_are_joined_and_equal_rewards_counted() -> None:
    same = compared(0.0, 0.0, 100)
    other = replace(same, live=same.profile + 0.5)
    lines = report([same, other])
    assert lines[0] == "200 requests of 48 prompts and seeds"
    assert lines[-1] == "equal rewards with the profile's own draws: 50.0%"


def fresh(gap: float, spread: float, count: int, requests: int = 400) -> dict[str, np.ndarray]:
    """Live rewards of fresh requests, and the profile's of `requests` others, whose luck has a deviation of 0.07."""
    rng = np.random.default_rng(1)
    states = rng.random(count)
    luck = rng.normal(0.0, 0.07, requests)
    luck -= luck.mean()
    return {"live": states + gap + spread * rng.standard_normal(count), "profile": states + luck[:, None]}


@pytest.mark.parametrize(
    ("gap", "count", "requests", "verdict"),
    [(0.0, 2500, 400, "yes"), (0.02, 2500, 400, "no"), (0.0, 250, 400, "no"), (0.0, 2500, 48, "no")],
)
def test_fresh_requests_are_compared_as_two_samples(gap: float, count: int, requests: int, verdict: str) -> None:
    """Few live requests, or few of the profile, leave the interval too wide."""
    line = report_fresh([fresh(gap, 0.1, count, requests)], "test")
    assert line.startswith(f"{count:,} fresh requests against the profile's {requests} test requests: live 0.")
    assert f"half-width of 0.01 or less: {verdict} (" in line


def test_receivers_are_compared_request_by_request() -> None:
    cells = ReceiverCells(["finetuned", "rematch"], [6, 12], [-6.0, 0.0])
    batch = {name: np.zeros((2, 2, 2, 10)) for name in ("psnr_db", "ssim", "alignment")}
    batch["psnr_db"][0, 1, 0] = 3.0
    batch["ssim"][0, 1, 0, :5] = 0.8
    lines = report_receivers([batch, batch], cells)
    assert lines[0] == "finetuned less rematch on 20 fresh requests (95 % over requests):"
    assert lines[1].startswith("  split 6, -6 dB: PSNR +0.000 (+0.000 to +0.000)")
    assert lines[3].startswith("  split 12, -6 dB: PSNR +3.000 (+3.000 to +3.000), SSIM ≥ 0.8 +0.500 (+0.")


def test_the_whole_check_on_a_tiny_model_goes_on_from_its_batches(
    command: Callable[..., int], tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tiny random model with a made-up profile: no numbers, but the whole road."""
    profile = tmp_path / "tiny.npz"
    profile_of(tiny_folder, known_requests(2)).save(profile)
    arguments = [f"env.profile={profile}", f"transceiver.path={tiny_folder}", "env.plans=['semaigc(1)','semaigc(3)']"]
    arguments += [
        "batch_size=2",
        "num_batches=1",
        "fresh_batches=1",
        "receiver_batches=1",
        f"folder={tmp_path / 'check'}",
    ]
    arguments += ["receivers.splits=[1,3]", "receivers.snr_db=[-6,6]", "env.max_attempts=1"]
    assert command("agents.commands.check_profile", *arguments) == 0
    said = capsys.readouterr().out
    assert "2 test requests, 3 draws, T = 4" in said
    assert "2 fresh requests against the profile's 2 test requests: live " in said
    assert "finetuned less rematch on 2 fresh requests" in said
    files = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "check").glob("*.npz")}
    assert set(files) == {"batch-0.npz", "fresh-0.npz", "receivers-0.npz"}
    assert command("agents.commands.check_profile", *arguments, "fresh_batches=2") == 0
    assert "4 fresh requests" in capsys.readouterr().out
    assert files.items() < {path.name: path.stat().st_mtime_ns for path in (tmp_path / "check").glob("*.npz")}.items()
    assert command("agents.commands.check_profile", *arguments, "requests=train") == 2
    assert "holds batches of other settings" in capsys.readouterr().err


def known_requests(count: int) -> dict[str, tuple[Request, ...]]:
    params = MeasureParams(None, {"ignore": ReceiverAxes((4,))}, {"train": count, "test": count}, (-6.0, 6.0))
    return {part: params.requests_of(part) for part in ("train", "test")}


def profile_of(folder: Path, requests: dict[str, tuple[Request, ...]]) -> QualityProfile:
    parts = {}
    for name, own in requests.items():
        part = synthetic_part(name, len(own), 4, 3, seed=0)
        tables = {
            key: replace(
                table,
                fingerprint=networks_fingerprint(folder, ModelOptions(), 4, None, receiver_named(key.receiver).network)
                | {"channel": "awgn"},
            )
            for key, table in part.tables.items()
        }
        parts["prompt", name] = replace(part, requests=own, tables=tables)
    return QualityProfile(parts, 4, {"weights": "tiny", "channel": "awgn"})


def test_fresh_requests_are_of_neither_part() -> None:
    requests = known_requests(300)
    profile = QualityProfile(
        {("prompt", name): replace(synthetic_part(name, 300, 4, 3, 0), requests=own) for name, own in requests.items()},
        4,
        {},
    )
    drawn = [fresh_requests(profile, 500, np.random.default_rng(seed)) for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert not set(drawn[0]) & {request for own in requests.values() for request in own}
    scenes = {scene.caption for scene in ALL_SCENES}
    assert {request.prompt for request in drawn[0]} <= scenes
    assert len({request.prompt for request in drawn[0]}) > 200  # of 480
    own = synthetic_profile(num_requests=2)
    assert {request.prompt for request in fresh_requests(own, 50, np.random.default_rng(0))} == {
        request.prompt for part in own.parts.values() for request in part.requests
    }
