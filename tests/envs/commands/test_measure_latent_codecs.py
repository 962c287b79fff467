from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envs.costs.latent_codecs import TABLE, latent_bits_per_element, latent_codec_curves
from envs.plans.codecs import LATENT_CODECS

Command = Callable[..., int]


def test_a_small_table_is_measured_and_read(
    command: Command, tiny_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "latent_codecs.csv"
    sizes = ["num_requests=2", "num_inference_steps=4", f"transceiver.path={tiny_folder}", f"output={output}"]
    assert command("envs.commands.measure_latent_codecs", *sizes) == 0
    assert "28 rows over 2 latents a step" in capsys.readouterr().out
    curves = latent_codec_curves(output)
    assert {name: shares for name, (shares, _) in curves.items()} == dict.fromkeys(
        LATENT_CODECS, (0.25, 0.5, 0.75, 1.0)
    )
    means = [sum(bits) / len(bits) for _, bits in curves.values()]
    assert means == sorted(means)


def test_the_shipped_table_has_every_codec_and_the_bits_between_its_shares() -> None:
    curves = latent_codec_curves(TABLE)
    assert set(curves) == set(LATENT_CODECS)
    (shares, bits) = curves["u4"]
    between = latent_bits_per_element("u4", (shares[3] + shares[4]) / 2)
    assert between == pytest.approx((bits[3] + bits[4]) / 2)
    with pytest.raises(
        ValueError, match="codec u9 was not measured, only u2, .*: python -m envs measure_latent_codecs"
    ):
        latent_bits_per_element("u9", 0.5)


def test_another_file_is_no_table(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("codec,bits\nu4,3\n")
    with pytest.raises(ValueError, match="is no table of measure_latent_codecs"):
        latent_codec_curves(other)
    other.write_text("codec,share,bits_per_element\nu4,0.5,many\n")
    with pytest.raises(ValueError, match="is no table of measure_latent_codecs"):
        latent_codec_curves(other)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("num_requests=0", "num_requests must be an integer >= 1, got 0"),
        ("transceiver.path=missing", "missing"),
    ],
)
def test_bad_input(command: Command, capsys: pytest.CaptureFixture[str], argument: str, said: str) -> None:
    assert command("envs.commands.measure_latent_codecs", argument) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
