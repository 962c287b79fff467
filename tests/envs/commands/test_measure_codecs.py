from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from envs.costs.codecs import TABLE, codec_curves
from envs.transceiver.codecs.images import decode, encode, measured, photographs

Command = Callable[..., int]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photographs of other shapes, one of them grey, and a file that is none."""
    place = tmp_path / "photographs"
    place.mkdir()
    rng = np.random.default_rng(0)
    smooth = np.kron(rng.integers(0, 255, (6, 8, 3), np.uint8), np.ones((16, 16, 1), np.uint8))
    Image.fromarray(smooth).save(place / "wide.png")
    Image.fromarray(smooth[..., 0]).save(place / "grey.png")
    (place / "notes.txt").write_text("not an image")
    return place


def test_any_folder_of_images_is_measured(
    command: Command, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "codecs.csv"
    arguments = [f"data={folder}", f"output={output}", "side=32", "qualities=[20,90]"]
    assert command("envs.commands.measure_codecs", *arguments) == 0
    printed = capsys.readouterr().out
    assert f"{output}: 10 rows over 2 images" in printed
    assert "webp75: " in printed
    curves = codec_curves(output)
    assert {name: curve.quality for name, curve in curves.items()} == {
        "png": (0,),
        "jpeg": (20, 75, 90),
        "webp": (20, 75, 90),
        "avif": (20, 60, 90),
    }
    with output.open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["images"], row["side"]) for row in rows} == {("2", "32")}
    images = photographs(folder, 32)
    assert [image.shape for image in images] == [(32, 32, 3)] * 2
    files = [encode(image, "jpeg75") for image in images]
    (row,) = (row for row in rows if (row["codec"], row["quality"]) == ("jpeg", "75"))
    assert float(row["bits_per_pixel"]) == pytest.approx(8 * np.mean([len(file) for file in files]) / 32**2, abs=1e-4)
    mse = [np.mean((decode(f).astype(float) - image) ** 2) / 255**2 for f, image in zip(files, images, strict=True)]
    assert float(row["psnr_db"]) == pytest.approx(np.mean(-10 * np.log10(mse)), abs=1e-4)


def test_the_shipped_table_is_what_the_photographs_give() -> None:
    found = measured(photographs(None, 512), "webp75")
    curve = codec_curves()["webp"]
    at = curve.quality.index(75)
    assert found["bits_per_pixel"] == pytest.approx(curve.bits_per_pixel[at], rel=0.05)  # another libwebp
    assert found["psnr_db"] == pytest.approx(curve.psnr_db[at], abs=0.5)
    assert {row["images"] for row in csv.DictReader(TABLE.open())} == {"4"}


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("data=nowhere", "data must be a folder of images, got 'nowhere'"),
        ("data=EMPTY", "holds no image that Pillow reads"),
        ("output=3", "output must be text, got 3"),
        ("side=8", "side must be an integer >= 16, got 8"),
        ("qualities=[0]", "qualities must be an integer in 1..100, got 0"),
        ("qualities=[]", "qualities must name one or more"),
    ],
)
def test_bad_input_is_one_line(
    argument: str, said: str, command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = argument.replace("EMPTY", str(tmp_path))
    given = [asked] if asked.startswith("output") else [asked, f"output={tmp_path / 'codecs.csv'}"]
    assert command("envs.commands.measure_codecs", *given) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "codecs.csv").exists()


def test_its_help_says_what_is_measured(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("envs.commands.measure_codecs", "--help") == 0
    printed = capsys.readouterr().out
    assert "largest square in the middle" in printed
    assert "qualities:" in printed
