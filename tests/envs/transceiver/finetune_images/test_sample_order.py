"""Order and randomness of samples follow from seed and position alone."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.channels.noise import stream
from envs.transceiver.finetune_images.sample_order import image_at, shares


@settings(deadline=None)
@given(images=st.integers(1, 40), seed=st.integers(0, 99), epoch=st.integers(0, 5))
def test_every_image_comes_once_an_epoch(images: int, seed: int, epoch: int) -> None:
    positions = range(epoch * images, (epoch + 1) * images)
    assert sorted(image_at(position, images, seed) for position in positions) == list(range(images))


def test_seeds_and_positions_have_streams_of_their_own() -> None:
    def first(seed: int, position: int) -> float:
        return torch.rand((), generator=stream(seed, position)).item()

    assert first(0, 5) == first(0, 5)
    assert len({first(seed, position) for seed in range(5) for position in range(20)}) == 100
    assert [image_at(i, 9, 0) for i in range(9)] != [image_at(i, 9, 1) for i in range(9)]


@settings(deadline=None)
@given(
    start=st.integers(0, 4),
    steps=st.integers(0, 4),
    batch_size=st.integers(1, 4),
    accumulation=st.integers(1, 3),
    processes=st.integers(1, 3),
)
def test_a_step_sees_the_same_samples_however_they_are_dealt_out(
    start: int, steps: int, batch_size: int, accumulation: int, processes: int
) -> None:
    every = range(start, start + steps)
    dealt = [
        position
        for process in range(processes)
        for part in shares(every, batch_size, accumulation, process, processes)
        for position in part
    ]
    size = batch_size * accumulation * processes
    assert sorted(dealt) == list(range(start * size, (start + steps) * size))
