"""What a network predicts, as noise: networks trained on the velocity or on the clean latent serve all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

PREDICTIONS = ("epsilon", "v_prediction", "sample")


def to_noise(prediction: str, output: Tensor, z: Tensor, alpha_bar: Tensor) -> Tensor:
    """The unit-variance noise in `z` that a network's output stands for.

    With z = sqrt(alpha_bar) z0 + sqrt(1 - alpha_bar) eps and v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) z0
    (Salimans and Ho 2022, appendix D): eps = sqrt(alpha_bar) v + sqrt(1 - alpha_bar) z. The guided prediction may be
    converted as it is, since eps is affine in the output.

    Args:
        prediction: "epsilon", "v_prediction" or "sample" (z0).
        output: of the network, [B, C, h, w].
        z: its input.
        alpha_bar: [B, 1, 1, 1], in (0, 1).

    Raises:
        ValueError: another prediction.
    """
    if prediction == "epsilon":
        return output
    if prediction == "v_prediction":
        return alpha_bar.sqrt() * output + (1 - alpha_bar).sqrt() * z
    if prediction == "sample":
        return (z - alpha_bar.sqrt() * output) / (1 - alpha_bar).sqrt()
    raise ValueError(f"prediction type must be one of {', '.join(PREDICTIONS)}, got {prediction!r}")
