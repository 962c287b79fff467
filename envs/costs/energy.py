"""Energy of the processors (EUCI, eq. 2)."""

from __future__ import annotations

from envs.units import Floats


def compute_energy_j(busy_s: Floats, power_w: Floats) -> Floats:
    """Energy in joules that a device takes while a request holds it: seconds times watts.

    A device of which a part is available takes longer and is charged its whole power meanwhile. Radios are
    not counted, as in the paper.

    Deviation: EUCI's eq. 2 counts the text encoder and the VAE in every denoising step,
    `(F_unet + F_te + F_vae) t / C P`. They run once for an image, so here `busy_s` holds them once. The
    energy of a split then lies between those of its two ends, against the paper's claim that it is below both.
    """
    return busy_s * power_w
