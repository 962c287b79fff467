"""Folders of captioned images: what is read, what is skipped, what is refused."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import pytest
import torch
from PIL import Image

from envs.transceiver.finetune_images.captioned_folder import CaptionedFolder

from .conftest import CAPTIONS, write_images


def test_pictures_are_squares_in_the_order_of_the_captions(image_folder: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        folder = CaptionedFolder(image_folder, 32)
    assert [folder.caption(i) for i in range(len(folder))] == list(CAPTIONS)
    picture = folder.picture(4)
    assert picture.shape == (3, 32, 32)
    assert picture.dtype == torch.float32
    assert 0 <= picture.min() < picture.max() <= 1


def test_colours_and_sides_stay_where_they_are(tmp_path: Path) -> None:
    image = Image.new("RGB", (96, 64), (255, 0, 0))
    image.paste((0, 0, 255), (48, 0, 96, 64))
    image.save(tmp_path / "a.png")
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "red and blue"}')
    picture = CaptionedFolder(tmp_path, 16).picture(0)
    assert torch.equal(picture[:, 8, 1], torch.tensor([1.0, 0.0, 0.0]))
    assert torch.equal(picture[:, 8, -2], torch.tensor([0.0, 0.0, 1.0]))


def test_images_that_cannot_be_read_are_named_skipped_and_counted(tmp_path: Path) -> None:
    write_images(tmp_path)
    (tmp_path / "1.png").write_bytes(b"not an image")
    (tmp_path / "2.png").write_bytes((tmp_path / "3.png").read_bytes()[:300])
    (tmp_path / "4.png").unlink()
    with pytest.warns(UserWarning, match=r"skipped 3 of 5 images .*: 1.png \(.*\), 2.png \(.*\), 4.png \(no such file"):
        folder = CaptionedFolder(tmp_path, 16)
    assert [folder.caption(i) for i in range(len(folder))] == [CAPTIONS[0], CAPTIONS[3]]


def test_none_that_can_be_read_is_refused(tmp_path: Path) -> None:
    write_images(tmp_path, CAPTIONS[:1])
    (tmp_path / "0.png").write_bytes(b"")
    with pytest.raises(ValueError, match="none of the 1 images in .* can be read: 0.png"):
        CaptionedFolder(tmp_path, 16)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (None, "has no captions: write metadata.jsonl there, one line an image"),
        ("\n", "has no captions: metadata.jsonl is empty"),
        ('{"file_name": "0.png"}', "line 1 of .* has no file_name and text"),
        ('{"file_name": "0.png", "text": "a"}\n{"file_name"', "line 2 of .* has no file_name and text"),
        ('{"file_name": "0.png", "text": " "}', "line 1 of .* has an empty file_name or caption"),
        ('["0.png", "a"]', "line 1 of .* has no file_name and text"),
    ],
)
def test_a_folder_without_captions_is_refused(metadata: str | None, message: str, tmp_path: Path) -> None:
    write_images(tmp_path, CAPTIONS[:1])
    (tmp_path / "metadata.jsonl").unlink()
    if metadata is not None:
        (tmp_path / "metadata.jsonl").write_text(metadata)
    with pytest.raises(ValueError, match=message):
        CaptionedFolder(tmp_path, 16)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no folder of images at"):
        CaptionedFolder(tmp_path / "absent", 16)


def test_the_digest_follows_the_captions(tmp_path: Path) -> None:
    one, other = write_images(tmp_path / "a"), write_images(tmp_path / "b")
    lines = (other / "metadata.jsonl").read_text().splitlines()
    assert CaptionedFolder(one, 16).digest() == CaptionedFolder(other, 16).digest()
    (other / "metadata.jsonl").write_text("\n".join([json.dumps({"file_name": "0.png", "text": "b"}), *lines[1:]]))
    assert CaptionedFolder(one, 16).digest() != CaptionedFolder(other, 16).digest()
