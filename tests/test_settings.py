"""Settings survive what happens to files: damage, old versions, odd values."""

import json
import sys
from pathlib import Path

import pytest

from rtocr_gui.errors import SettingsError
from rtocr_gui.settings import Settings, load_settings, save_settings, settings_path


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    settings = Settings(
        model_folder="/models/ümlaut", own_models=("/a", "/b"), retention=0.4, reread_on_release=False
    )
    path = tmp_path / "new" / "folder" / "settings.json"
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_a_first_start_has_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.json") == Settings()


def test_a_file_that_an_editor_marked_as_utf_8_is_understood(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"mode": "base"}', encoding="utf-8-sig")
    assert load_settings(path) == Settings(mode="base")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe\x00", b"null", b"[" * 100_000])
def test_a_damaged_file_is_set_aside_and_the_defaults_are_used(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    told: list[str] = []
    assert load_settings(path, tell=told.append) == Settings()
    assert (tmp_path / "settings.broken.json").read_bytes() == content
    assert not path.exists()
    (sentence,) = told
    assert "renamed to settings.broken.json" in sentence


def test_a_damaged_file_that_cannot_be_set_aside_is_told_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text("{")
    (tmp_path / "settings.broken.json" / "in the way").mkdir(parents=True)
    with pytest.raises(SettingsError, match="are damaged and could not be set aside"):
        load_settings(path)
    assert path.read_text() == "{"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention", 0),
        ("retention", 1.5),
        ("retention", True),
        ("retention", "much"),
        ("text_zoom", -6),
        ("text_zoom", 31),
        ("most_tiles", 1),
        ("most_tiles", 10),
        ("unload_after_min", 1441),
        ("unload_after_min", -1),
        ("overlay_opacity", 2),
        ("overlay_opacity", -0.5),
        ("overlay_opacity", "1"),
        ("model_folder", 7),
        ("own_models", ["/a", 7]),
        ("own_models", "/a"),
        ("recent_files", "/a"),
        ("recent_files", ["/a", "b"]),
        ("recent_files", [f"/{number}" for number in range(11)]),
        ("reread_on_release", "yes"),
        ("unheard_of", 1),
    ],
)
def test_a_value_that_does_not_fit_costs_only_itself(tmp_path: Path, name: str, value: object) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"mode": "base", name: value}), encoding="utf-8")
    assert load_settings(path) == Settings(mode="base")


@pytest.mark.parametrize("name", ["retention", "overlay_opacity"])
def test_a_share_may_be_written_as_a_whole_number(tmp_path: Path, name: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({name: 1}), encoding="utf-8")
    assert getattr(load_settings(path), name) == 1


@pytest.mark.parametrize(("name", "value"), [("retention", 1.5), ("model_folder", 7)])
def test_a_dropped_value_is_logged(
    tmp_path: Path, name: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({name: value}), encoding="utf-8")
    load_settings(path)
    assert f"setting {name} ignored" in caplog.text


def test_half_a_character_is_saved_with_all_the_rest(tmp_path: Path) -> None:
    settings = Settings(task_words="\ud800", model_folder="/models/\udcfcmlaut")
    path = tmp_path / "settings.json"
    save_settings(settings, path)
    assert load_settings(path) == settings


def test_a_file_that_may_not_be_opened_is_told_and_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    save_settings(Settings(mode="base"), tmp_path / "settings.json")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(SettingsError, match="could not be opened: Permission denied"):
            load_settings(tmp_path / "settings.json")
    assert load_settings(tmp_path / "settings.json") == Settings(mode="base")


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(SettingsError, match="could not be saved"):
        save_settings(Settings(), tmp_path / "file" / "settings.json")


def test_the_place_of_the_settings_can_be_chosen(settings_folder: Path) -> None:
    assert settings_path() == settings_folder / "settings.json"


@pytest.mark.parametrize("said", ["", None], ids=["empty", "not set"])
def test_a_place_of_settings_that_the_environment_leaves_open_is_that_of_the_home_folder(
    said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("RTOCR_CONFIG_DIR")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    if said is not None:
        monkeypatch.setenv("XDG_CONFIG_HOME", said)
    assert settings_path() == tmp_path / ".config" / "rtocr" / "settings.json"


def test_a_user_without_a_home_folder_is_told_what_to_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Path, "home", no_home)
    monkeypatch.delenv("RTOCR_CONFIG_DIR")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(SettingsError, match="RTOCR_CONFIG_DIR"):
        settings_path()
