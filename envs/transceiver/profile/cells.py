"""Which cell of a profile a plan reads: it follows from the plan's stages. Light to import.

Quality depends on the steps that are done when the latent crosses its noisy link, and on what takes over then; not on
which end does what, nor on images, which are sent without error: raw, as PNG, or by a codec that loses something and
then has a table of its own. So plans that differ in these alone share cells.

| stages after the text encoder | cell | of the plans |
|---|---|---|
| generator, decoder | the noise-free image | `edge_aigc`, `local_aigc`, `uieg_text` |
| generator, latent sent, decoder | split T of the configured receiver | `semaigc(T)`, `ciag_text` |
| generator, latent sent, fine-tuning network, decoder | split k of the configured receiver | `semaigc(k)` |
| fine-tuning network, decoder | split 0 of the configured receiver | `semaigc(0)` |
| generator, latent sent, generator again, decoder | split k of the receiver `rematch` | `euci(k)` |
| generator, decoder, image sent by a codec | the codec's own table | `edge_aigc_webp`, `cloud_aigc_webp` |
| light fine-tuned network, decoder | split 0 of the receiver `finetuned_light` | `local_light_aigc` |

A latent with a codec reads the table of its codec, over a perfect link: what is coded arrives as it was sent.
EUCI's paper has no channel noise and so no receiver of its own: see `envs.transceiver.modules.GENERATOR_GOES_ON`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.plans import LOSSLESS_CODECS, Plan, Transmit
from envs.transceiver.execute import refusal
from envs.transceiver.modules import GENERATOR_GOES_ON, LIGHT_RECEIVER
from envs.transceiver.profile.profile import ProfilePart
from envs.transceiver.profile.table import METRICS, NOISE_FREE, UNCODED, TableKey
from envs.units import FloatArray


@dataclass(frozen=True)
class ProfileCell:
    """Where the quality of a plan stands in a profile.

    Attributes:
        receiver: name of the receiver, or `NOISE_FREE` for noise-free images that are sent by a codec.
        split: steps before the hand-over; None for the noise-free image, which is every receiver's.
        codec: of the latent that is handed over, or of the image.
    """

    receiver: str
    split: int | None
    codec: str = UNCODED


def measured_cell(plan: Plan, receiver: str) -> ProfileCell:
    """The cell of a plan.

    Args:
        plan: of one request.
        receiver: name of the configured receiver, the fine-tuning network's part.

    Raises:
        ValueError: a plan whose quality was not measured, with the reason.
    """
    if reason := refusal(plan):
        raise _unmeasured(plan, reason)
    split, done, goes_on, codec, picture = None, 0, receiver, UNCODED, UNCODED
    for stage in plan.stages:
        if isinstance(stage, Transmit):
            if stage.payload != "latent":
                picture = picture if stage.codec in (None, *LOSSLESS_CODECS) else stage.codec
                continue
            if split is not None:
                raise _unmeasured(plan, "a latent crosses a link again, or behind a receiver")
            split, codec = done, stage.codec or UNCODED
        elif stage.denoises:
            if stage.module == "unet" and split is not None:
                goes_on = GENERATOR_GOES_ON
            if stage.module != "unet" and split is None:
                if done:
                    raise _unmeasured(plan, "its fine-tuning network goes on with a latent that crossed no link")
                split = 0
            if stage.module == "finetune_light_unet":
                goes_on = LIGHT_RECEIVER
            done += stage.steps
    if picture == UNCODED:
        return ProfileCell(goes_on, split, codec)
    if split is not None:
        raise _unmeasured(plan, f"codec {picture} was measured on the generator's noise-free images alone")
    return ProfileCell(NOISE_FREE, done, picture)


def measured_requests(part: ProfilePart, plan: Plan, receiver: str) -> int:
    """How many of a part's requests the quality of a plan was measured on.

    Raises:
        ValueError: none, with the reason.
    """
    cell = measured_cell(plan, receiver)
    if cell.split is None:
        try:
            return int(part.reference(plan.num_inference_steps, METRICS[0]).size)
        except ValueError as error:
            raise _unmeasured(plan, str(error)) from error
    key = TableKey(cell.receiver, plan.num_inference_steps, cell.codec)
    if key not in part.tables or cell.split not in part.table(key).splits:
        raise _unmeasured(plan, _lacking(part, key, cell.split))
    return len(part.table(key).rows)


class PlanTables(NamedTuple):
    """Quality by plan, on the requests `rows` of a part: values float32 [M, P, R, D, S] at SNRs [S] in dB."""

    values: NDArray[np.float32]
    snr_db: FloatArray
    rows: NDArray[np.int64]


def plan_tables(
    part: ProfilePart, plans: Sequence[Plan], receiver: str, max_attempts: int, is_noisy: bool = True
) -> tuple[tuple[TableKey, ...], PlanTables]:
    """The tables that plans read, arranged by plan: the two SNRs that an attempt reads lie together.

    The configured receiver's table decides on requests and draws too where no plan reads it: environments that differ
    in their plans, or in their link, then serve the same ones. What is coded has no SNR and no draws; nor has anything
    where latents meet no noise.
    """
    cells = [measured_cell(plan, receiver) for plan in plans]
    keys = [
        None if cell.split is None else TableKey(cell.receiver, plan.num_inference_steps, cell.codec)
        for cell, plan in zip(cells, plans, strict=True)
    ]
    for plan, cell, key in zip(plans, cells, keys, strict=True):
        if key and (key not in part.tables or cell.split not in part.table(key).splits):
            raise _unmeasured(plan, _lacking(part, key, cell.split))
    usual = [TableKey(receiver, steps) for steps in dict.fromkeys(plan.num_inference_steps for plan in plans)]
    used = {key: part.tables[key] for key in (*usual, *keys) if key and key in part.tables}
    uncoded = [table for key, table in used.items() if not key.is_coded]
    rows, draws = np.arange(len(part.requests)), min((table.draws for table in uncoded), default=max_attempts)
    for table in used.values():
        rows = np.intersect1d(rows, table.rows)
    axes = [table.snr_db for table in uncoded if is_noisy] or [np.array([-20.0, 30.0])]
    snr_db = np.unique(np.concatenate(axes))
    values = np.empty((len(METRICS), len(plans), len(rows), draws, len(snr_db)), dtype=np.float32)
    read = {
        key: table.at(snr_db)[:, np.searchsorted(table.rows, rows), ..., :draws].swapaxes(-1, -2)
        if is_noisy and not key.is_coded
        else table.noise_free[:, np.searchsorted(table.rows, rows), :, None, None]
        for key, table in used.items()
    }
    for index, (plan, cell, key) in enumerate(zip(plans, cells, keys, strict=True)):
        if key is None or cell.split is None:
            whole = [part.reference(plan.num_inference_steps, metric)[rows] for metric in METRICS]
            values[:, index] = np.stack(whole)[..., None, None]
        else:
            values[:, index] = read[key][:, :, used[key].splits.index(cell.split)]
    return tuple(used), PlanTables(values, snr_db, rows)


def _lacking(part: ProfilePart, key: TableKey, split: int | None) -> str:
    """Why a plan cannot be read."""
    try:
        return f"the table of {key} has no split {split}, only {', '.join(map(str, part.table(key).splits))}"
    except ValueError as error:
        return str(error)


def _unmeasured(plan: Plan, reason: str) -> ValueError:
    return ValueError(f"the quality of plan {plan.name} was not measured: {reason}")
