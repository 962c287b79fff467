"""What is shipped: the embedded model, its measured profile, and ROOT. Each bar is the project's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from agents import evaluate, load_policy, paired_difference
from envs import SplitSettings, SplitVectorEnv
from envs.fidelity import check_measured_with
from envs.model import SplitModel
from envs.transceiver import ACCEPTANCE_RULES, METRICS, NOISE_FREE, SHIPPED_PROFILE, QualityProfile, load_transceiver
from envs.transceiver.profile.measurement import SharedRuns
from envs.transceiver.profile.table import TableKey
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


def test_the_profile_was_measured_with_the_shipped_model() -> None:
    for requests in ("train", "test"):
        plans = ["semaigc", "euci", "edge_aigc"]
        check_measured_with(SplitModel(SplitSettings(requests=requests, plans=plans)))
        for receiver in ("ignore", "finetuned_light"):
            check_measured_with(SplitModel(SplitSettings(requests=requests, receiver=receiver)))
        for steps in (5, 8, 12):
            check_measured_with(SplitModel(SplitSettings(requests=requests, num_inference_steps=steps)))


def test_the_profile_has_the_axes_of_the_design(profile: QualityProfile) -> None:
    assert profile.num_inference_steps == 20
    train, test = profile.part("train"), profile.part("test")
    assert (len(train.requests), len(test.requests)) == (96, 400)
    assert not {*train.requests} & {*test.requests}
    for part in (train, test):
        assert {*part.references} == {5, 8, 12, 20}
        for key, table in part.tables.items():
            if key.is_coded or (key.receiver == "finetuned_light" and key.num_inference_steps != 20):
                continue  # no channel, or everything at the user alone
            assert table.splits == tuple(range(key.num_inference_steps + 1))
            assert (table.snr_db[0], table.snr_db[-1], table.draws) == (-20.0, 30.0, 3)
            inner = table.snr_db[(table.snr_db >= -6) & (table.snr_db <= 15)]
            assert np.diff(inner).max() <= 1.5
        for steps in (5, 8, 12, 20):
            assert len(part.table(TableKey("finetuned", steps)).rows) == len(part.requests)
            assert len(part.table(TableKey("finetuned", steps, "u4")).rows) == len(part.requests)
            for codec in ("webp75", "jpeg75", "avif60"):
                assert len(part.table(TableKey(NOISE_FREE, steps, codec)).rows) == len(part.requests)
        for steps in (5, 8, 12):
            assert len(part.table(TableKey("finetuned_light", steps)).rows) == len(part.requests)
        for receiver in ("rematch", "ignore", "finetuned_light"):
            assert len(part.table(TableKey(receiver, 20)).rows) >= 96
    assert SHIPPED_PROFILE.stat().st_size <= 8 * 2**20


@pytest.mark.parametrize("receiver", ["finetuned", "finetuned_light", "rematch", "ignore"])
def test_cells_measured_again_live_agree(receiver: str, transceiver: Transceiver, profile: QualityProfile) -> None:
    """Tolerances: half precision of the table, and rounding that depends on the batch."""
    rng = np.random.default_rng(7)
    for requests in ("train", "test"):
        part = profile.part(requests)
        table = part.table(TableKey(receiver, 20))
        known = np.argwhere(~np.isnan(table.measured[0]))
        for request, split, snr, draw in rng.choice(known, 2, replace=False):
            asked = part.requests[request]
            out = transceiver.generate(
                [asked.prompt], [asked.seed], int(split), float(table.snr_db[snr]), receiver, channel_seeds=[int(draw)]
            )
            assert out.alignment is not None
            assert out.alignment.item() == pytest.approx(table.values[0, request, split, snr, draw], abs=0.02)


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
def test_fine_tuning_makes_the_light_receiver_better(snr_db: float, split: int, runs: SharedRuns) -> None:
    """The model card has more requests."""
    names = ("finetuned_light", "rematch_light")
    tuned, light = (runs.deliver(name, split, snr_db)["alignment"].mean() for name in names)
    assert tuned >= light


@pytest.mark.parametrize(
    ("snr_db", "split", "least_db"), [(-6.0, 12, -0.5), (-6.0, 18, 0.0), (0.0, 12, -0.5), (15.0, 12, -5.0)]
)
def test_the_fine_tuned_receiver_keeps_the_image(snr_db: float, split: int, least_db: float, runs: SharedRuns) -> None:
    """PSNR against `rematch`, which takes two forwards a step."""
    tuned, guided = (runs.deliver(name, split, snr_db)["psnr_db"] for name in ("finetuned", "rematch"))
    assert (tuned - guided).mean() >= least_db


def test_as_many_images_keep_a_similarity_of_0_8(profile: QualityProfile) -> None:
    """Bars over the test requests that both receivers were measured on, three draws each.

    The difference in one of the 285 cells has a standard error of about 0.02: one in a hundred may be below the bar of
    0.05 by chance, and none by more than four standard errors.
    """
    part = profile.part("test")
    accepted = []
    for receiver in ("finetuned", "rematch"):
        table = part.table(TableKey(receiver, 20))
        inner = (table.snr_db >= -6) & (table.snr_db <= 15)
        accepted.append((table.values[METRICS.index("ssim"), :96, 1:20][:, :, inner] >= 0.8).mean(axis=-1))
    gaps = accepted[0] - accepted[1]  # [R, splits, SNRs]
    error = gaps.std(axis=0, ddof=1) / np.sqrt(len(gaps))
    assert gaps.mean() >= -0.01
    assert (gaps.mean(axis=0) < -0.05).mean() <= 0.01
    assert (gaps.mean(axis=0) + 4 * error).min() >= -0.05


def test_the_fine_tuned_receiver_keeps_the_alignment_at_minus_6_db(runs: SharedRuns) -> None:
    """The bar is 0.9 over many requests; 48 have a standard error of 0.03."""
    assert runs.deliver("finetuned", 12, -6.0)["alignment"].mean() >= 0.87


@pytest.mark.parametrize("rule", ACCEPTANCE_RULES)
def test_root_is_near_the_bound_on_unseen_requests_and_above_the_rule_of_two_splits(rule: str) -> None:
    env = SplitVectorEnv(64, requests="test", acceptance=rule)
    names = ("oracle_bound", "root", "two_split", "best_fixed")
    rows = {name: evaluate(load_policy(name, env), env, 20480, seed=5) for name in names}
    reward = {name: row["reward"] for name, row in rows.items()}
    assert reward["root"].mean() >= 0.98 * reward["oracle_bound"].mean()
    for opponent in ("two_split", "best_fixed"):
        gain = paired_difference(reward["root"], reward[opponent], rows["root"]["episode"])
        assert gain.low > 0
