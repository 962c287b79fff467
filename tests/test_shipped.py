"""What is shipped: the embedded model, its measured profile, and ROOT. Each bar is the project's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agents import evaluate, load_policy, paired_difference
from envs import SplitVectorEnv
from envs.transceiver import METRICS, QualityProfile, load_transceiver
from envs.transceiver.profile.measurement import SharedRuns
from envs.transceiver.scenes.scenes import ALL_SCENES, HELD_OUT_SCENES, SEEN_SCENES
from envs.transceiver.train_embedded.card import draw_requests
from envs.transceiver.transceiver import Transceiver


@pytest.fixture(scope="module")
def transceiver() -> Transceiver:
    torch.set_num_threads(1)
    return load_transceiver()


@pytest.fixture(scope="module")
def profile() -> QualityProfile:
    return QualityProfile.load()


def test_the_profile_was_measured_with_the_shipped_model(transceiver: Transceiver, profile: QualityProfile) -> None:
    profile.check_measured_with(transceiver.fingerprint)


def test_the_profile_has_the_axes_of_the_design(profile: QualityProfile) -> None:
    assert profile.num_inference_steps == 20
    assert len(profile.requests) >= 48
    assert (profile.snr_db[0], profile.snr_db[-1]) == (-20.0, 20.0)
    inner = profile.snr_db[(profile.snr_db >= -6) & (profile.snr_db <= 15)]
    assert (inner[0], inner[-1]) == (-6.0, 15.0)
    assert np.diff(inner).max() <= 1.5
    for receiver, draws in (("finetuned", 6), ("rematch", 3), ("ignore", 3)):
        assert profile.draws(receiver) >= draws


@pytest.mark.parametrize("receiver", ["finetuned", "rematch", "ignore"])
def test_cells_measured_again_live_agree(receiver: str, transceiver: Transceiver, profile: QualityProfile) -> None:
    """Tolerances: half precision of the table, and rounding that depends on the batch."""
    rng = np.random.default_rng(7)
    for _ in range(4):
        request, split = int(rng.integers(len(profile.requests))), int(rng.integers(8, 21))
        snr, draw = int(rng.integers(len(profile.snr_db))), int(rng.integers(profile.draws(receiver)))
        asked = profile.requests[request]
        out = transceiver.generate(
            [asked.prompt], [asked.seed], split, float(profile.snr_db[snr]), receiver, channel_seeds=[draw]
        )
        assert out.alignment is not None
        cell = profile.values(receiver, "alignment")[request, split, snr, draw]
        assert out.alignment.item() == pytest.approx(cell, abs=0.02)


def test_noise_free_images_show_what_they_should(transceiver: Transceiver) -> None:
    """The bars are 0.97 and 0.92 over many requests (the model card); 40 each have a standard error of 0.02."""
    for scenes, least in ((SEEN_SCENES, 0.92), (HELD_OUT_SCENES, 0.86)):
        clean = SharedRuns(transceiver, draw_requests(scenes, 40, seed=3)).reference()
        assert clean[METRICS.index("alignment")].mean() >= least


def test_rematching_pays_at_minus_6_db(transceiver: Transceiver) -> None:
    run = SharedRuns(transceiver, draw_requests(ALL_SCENES, 32, seed=4))
    for split, gain_db, gain in ((12, 4.0, 0.25), (16, 6.0, 0.5)):
        rematch, ignore = run.deliver("rematch", split, -6.0), run.deliver("ignore", split, -6.0)
        assert (rematch["psnr_db"] - ignore["psnr_db"]).mean() >= gain_db
        assert (rematch["alignment"] - ignore["alignment"]).mean() >= gain


@pytest.fixture(scope="module")
def runs(transceiver: Transceiver) -> SharedRuns:
    return SharedRuns(transceiver, draw_requests(ALL_SCENES, 48, seed=5))


@pytest.mark.parametrize(("snr_db", "split"), [(-6.0, 12), (-6.0, 18), (0.0, 16)])
def test_the_fine_tuned_receiver_is_better_than_the_light_one(snr_db: float, split: int, runs: SharedRuns) -> None:
    """The model card has more requests."""
    tuned, light = (runs.deliver(name, split, snr_db)["alignment"].mean() for name in ("finetuned", "rematch_light"))
    assert tuned >= light


def test_the_fine_tuned_receiver_keeps_the_alignment_at_minus_6_db(runs: SharedRuns) -> None:
    """The bar is 0.9 over many requests; 48 have a standard error of 0.03."""
    assert runs.deliver("finetuned", 12, -6.0)["alignment"].mean() >= 0.87


def test_root_is_near_the_oracle_and_above_the_best_fixed_split() -> None:
    env = SplitVectorEnv(64)
    rows = {name: evaluate(load_policy(name, env), env, 20480, seed=5) for name in ("oracle", "root", "best_fixed")}
    reward = {name: row["reward"] for name, row in rows.items()}
    assert reward["root"].mean() >= 0.98 * reward["oracle"].mean()
    gain = paired_difference(reward["root"], reward["best_fixed"], rows["root"]["episode"])
    assert gain.low > 0
