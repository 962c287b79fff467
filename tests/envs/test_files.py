"""Files that are never half written."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from envs.files import picture_link, whole_file, write_rows, write_text


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    write_text(path, "old")

    def stop_half_way() -> None:
        with whole_file(path) as partial:
            partial.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        stop_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_name_keeps_the_suffix_and_lies_beside(tmp_path: Path) -> None:
    with whole_file(str(tmp_path / "table.npz")) as partial:
        assert partial.parent == tmp_path
        assert partial.suffix == ".npz"
        assert str(os.getpid()) in partial.name
        partial.touch()
    assert [file.name for file in tmp_path.iterdir()] == ["table.npz"]


@pytest.mark.parametrize(("umask", "mode"), [(0o027, 0o640), (0o002, 0o664)])
def test_a_file_gets_the_mode_that_the_umask_asks_for(umask: int, mode: int, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        with whole_file(tmp_path / "weights.safetensors") as partial:
            save_file({"x": np.zeros(2)}, partial)  # the owner's alone
    finally:
        os.umask(before)
    assert (tmp_path / "weights.safetensors").stat().st_mode & 0o777 == mode


def test_text_is_utf_8_whatever_the_machine_speaks(tmp_path: Path) -> None:
    write_text(str(tmp_path / "page.md"), "π ≈ 3\n")
    assert (tmp_path / "page.md").read_bytes() == "π ≈ 3\n".encode()


def test_rows_keep_all_their_digits(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "rows.csv"
    write_rows(path, [{"name": "a, b", "x": 1 / 3}, {"name": "c", "x": 1e-300}])
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["name", "x"]
    assert [(row["name"], float(row["x"])) for row in rows] == [("a, b", 1 / 3), ("c", 1e-300)]
    write_rows(path, [{"y": 1}])
    assert path.read_text() == "y\n1\n"


def test_rows_of_other_columns_leave_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_rows(path, [{"x": 1}])
    with pytest.raises(ValueError, match="fields not in fieldnames"):
        write_rows(path, [{"x": 2}, {"x": 3, "y": 4}])
    assert path.read_text() == "x\n1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no numbers for rows\.csv"):
        write_rows(tmp_path / "new" / "rows.csv", [])
    assert not list(tmp_path.iterdir())


def test_a_page_links_to_the_pictures_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert picture_link(tmp_path / "page.md", tmp_path / "a" / "b") == "a/b"
    assert (tmp_path / "a" / "b").is_dir()
    assert picture_link(tmp_path / "page.md", tmp_path) == "."
    monkeypatch.chdir(tmp_path)
    assert picture_link(Path("page.md"), Path("a") / ".." / "c") == "c"


def test_pictures_elsewhere_are_refused_and_not_made(tmp_path: Path) -> None:
    elsewhere = tmp_path / "pictures"
    with pytest.raises(ValueError, match="pictures must lie below the page's folder .*docs, got .*pictures"):
        picture_link(tmp_path / "docs" / "page.md", elsewhere)
    assert not elsewhere.exists()
