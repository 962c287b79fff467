"""Files that are never half written: a temporary name first, then a rename; and who of several writes which."""

from __future__ import annotations

import csv
import hashlib
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envs import checks


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; it takes its place when the block ends without an error.

    The suffix stays at the end, for writers that look at it; several processes do not meet. Its mode is the usual one.
    """
    path = Path(path)
    partial = path.with_name(f"{path.stem}.{platform.node()}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        usual_modes(partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def usual_modes(path: Path) -> None:
    """Give a file, or those of a folder, the mode that the umask asks for; safetensors' are the owner's alone."""
    umask = os.umask(0)
    os.umask(umask)
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            file.chmod(0o666 & ~umask)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file whole."""
    with whole_file(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV with all their digits; the folder is made where it is missing.

    Raises:
        ValueError: no rows.
    """
    if not rows:
        raise ValueError(f"no numbers for {path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def picture_link(document: Path, pictures: Path) -> str:
    """How a page links to its folder of pictures, which is made where it is missing.

    Raises:
        ValueError: the folder does not lie below the page's.
    """
    if not pictures.resolve().is_relative_to(document.resolve().parent):
        raise ValueError(f"pictures must lie below the page's folder {document.parent}, got {pictures}")
    pictures.mkdir(parents=True, exist_ok=True)
    return pictures.resolve().relative_to(document.resolve().parent).as_posix()


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, from 0 on.

    Raises:
        ValueError: it is not one of them.
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        checks.integer("parts of a shard i/n", self.count, 1)
        checks.integer("index of a shard i/n", self.index, 0, self.count - 1)

    @classmethod
    def from_text(cls, text: str) -> Shard:
        """Of `i/n`, such as 0/8."""
        index, _, count = text.partition("/")
        if not (index.isdigit() and count.isdigit()):
            raise ValueError(f"shard must be i/n, such as 0/8 to 7/8, gather or null, got {text!r}")
        return cls(int(index), int(count))

    def holds(self, file: Path) -> bool:
        """Whether a file is this part's to make: by its name, which says all that the file depends on."""
        return int(hashlib.sha256(file.name.encode()).hexdigest(), 16) % self.count == self.index


WHOLE = Shard(0, 1)
