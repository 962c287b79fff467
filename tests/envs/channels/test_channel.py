"""Channels by name, and what all of them refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from envs.channels import CHANNELS, make_channel
from envs.channels.awgn import Awgn


def test_a_channel_is_chosen_by_name_mapping_or_itself() -> None:
    assert make_channel("awgn") == make_channel({"name": "awgn"}) == make_channel(Awgn()) == Awgn()


def test_the_fingerprint_of_awgn_is_that_of_measured_profiles() -> None:
    assert Awgn().fingerprint == "awgn"


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ("telepathy", f"unknown channel 'telepathy'; allowed: {', '.join(CHANNELS)}"),
        ({"snr_db": 3}, "channel must be a name, or a mapping of name and parameters"),
        ({"name": "awgn", "gain": 1}, "unknown keys in channel awgn: gain; allowed: none"),
    ],
)
def test_bad_choices_are_refused(choice: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_channel(choice)


@pytest.mark.parametrize("snr_db", [float("nan"), float("inf"), -float("inf")])
def test_an_snr_that_is_not_finite_is_refused(snr_db: float) -> None:
    with pytest.raises(ValueError, match="snr_db must be finite"):
        Awgn().send(torch.ones(1, 4, 8, 8), np.array([snr_db]), [torch.Generator()])


@pytest.mark.parametrize(("snrs", "generators"), [(2, 3), (3, 1)])
def test_one_snr_and_one_generator_a_latent(snrs: int, generators: int) -> None:
    with pytest.raises(ValueError, match="one SNR and one generator for each latent"):
        Awgn().send(torch.ones(3, 4, 8, 8), np.zeros(snrs), [torch.Generator()] * generators)
