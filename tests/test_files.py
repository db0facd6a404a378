"""A file is replaced whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from rtocr_gui.export.figures import scan_in_the_way
from rtocr_gui.files import first_also_in, is_same_path, resolved, write_atomically


def test_a_new_file_holds_the_data_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new.md", b"text")
    assert (tmp_path / "new.md").read_bytes() == b"text"
    assert [path.name for path in tmp_path.iterdir()] == ["new.md"]


def test_all_of_a_file_is_on_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, bool]] = []

    def fsync(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_size, (tmp_path / "new.md").exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "new.md", b"text")
    assert synced == [(len(b"text"), False)]


def test_a_file_keeps_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "old.md"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_is_replaced_also_where_permissions_cannot_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    path = tmp_path / "old.md"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "chmod", refuse)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.md").write_bytes(b"old")
    (tmp_path / "link.md").symlink_to("real.md")
    write_atomically(tmp_path / "link.md", b"new")
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real.md").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.md"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["old.md"]


def test_the_new_file_is_made_whole_beside_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename within a folder is one step; from elsewhere it is a copy, which can break off."""
    renamed: list[tuple[Path, Path]] = []
    replace = Path.replace

    def record(source: Path, target: Path) -> Path:
        assert source.read_bytes() == b"new"
        renamed.append((source.parent, target))
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", record)
    path = tmp_path / "old.md"
    path.write_bytes(b"old")
    write_atomically(path, b"new")
    assert renamed == [(tmp_path.resolve(), tmp_path.resolve() / "old.md")]


def test_nothing_that_waits_under_the_temporary_name_is_written_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "urandom", bytes)
    victim, trap = tmp_path / "victim", tmp_path / ".new.md.00000000.part"
    victim.write_bytes(b"mine")
    trap.symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_atomically(tmp_path / "new.md", b"text")
    assert victim.read_bytes() == b"mine"
    assert trap.is_symlink()
    assert not (tmp_path / "new.md").exists()


@pytest.mark.parametrize("name", ["a" * 252 + ".md", "é" * 120 + ".md"])
def test_a_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path, name: str) -> None:
    write_atomically(tmp_path / name, b"text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_is_protected_from_writing_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.md"
    path.write_bytes(b"old")
    monkeypatch.setattr(
        os, "access", lambda *asked: asked != (path.resolve(), os.W_OK)
    )  # root may do anything
    with pytest.raises(PermissionError):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_the_same_by_any_name(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.touch()
    other.hardlink_to(one)  # as two spellings are where case does not matter
    (tmp_path / "link").symlink_to("later")
    assert is_same_path(one, other)
    assert is_same_path(tmp_path / "link", tmp_path / "later")
    assert not is_same_path(one, tmp_path / "later")
    assert not is_same_path(one, Path("a\0b"))


def test_files_are_told_apart_by_their_paths_where_the_file_system_numbers_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on some network drives."""
    stat_of = Path.stat

    def unnumbered(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        found = stat_of(path, follow_symlinks=follow_symlinks)
        return os.stat_result((found.st_mode, 0, *found[2:]))

    monkeypatch.setattr(Path, "stat", unnumbered)
    (tmp_path / "scans.assets").mkdir()
    scan, link, text = tmp_path / "scans.assets" / "scan.png", tmp_path / "link.png", tmp_path / "old.md"
    scan.touch()
    text.touch()
    link.symlink_to(scan)
    assert not is_same_path(scan, text)
    assert first_also_in([text, link], [scan]) == link
    assert scan_in_the_way([text], [scan]) is None
    assert scan_in_the_way([tmp_path / "scans.md"], [scan]) == scan


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path, b"text")


def test_a_pipe_is_written_into_under_the_name_of_its_open_end() -> None:
    reading_end, writing_end = os.pipe()
    try:
        write_atomically(Path(f"/dev/fd/{writing_end}"), b"text")
        assert os.read(reading_end, 100) == b"text"
    finally:
        os.close(reading_end)
        os.close(writing_end)


def test_a_path_is_followed_as_far_as_it_leads(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert resolved(tmp_path / "link" / "gone") == tmp_path.resolve() / "folder" / "gone"
    assert resolved(Path("a\0b")) == Path("a\0b")
