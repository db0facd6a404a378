"""What a server sends that is not what it listed, or is no model, is told in a sentence and not kept."""

import gzip
from pathlib import Path

import pytest

from rtocr_gui.errors import CheckpointError, DownloadError
from rtocr_gui.ocr.library.download import Patience
from tests.download.steps import assert_whole, parts, run
from tests.hub_server import INFO, HubServer, Trouble
from tests.published_model import WEIGHTS

pytestmark = pytest.mark.usefixtures("own_session")


# --- what is not what was listed -----------------------------------------------------------------


@pytest.mark.parametrize("name", [WEIGHTS, "config.json"])
def test_wrong_bytes_are_told_and_removed(name: str, hub: HubServer, folder: Path) -> None:
    hub.troubles[name] = [Trouble(content=bytes(len(hub.files[name])))]
    with pytest.raises(DownloadError, match=rf"“{name}” arrived damaged: its checksum.*It was removed"):
        run(hub, folder)
    assert not (folder / name).exists()
    assert parts(folder) == []
    run(hub, folder)
    assert_whole(hub, folder)


def test_a_beginning_that_was_damaged_on_disk_is_found_out(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(cut_after=1000)
    with pytest.raises(DownloadError):
        run(hub, folder, patience=Patience(waits_s=()))
    parts(folder)[0].write_bytes(bytes(1000))
    hub.always.clear()
    with pytest.raises(DownloadError, match="arrived damaged"):
        run(hub, folder)
    run(hub, folder)
    assert_whole(hub, folder)


@pytest.mark.parametrize("shift", [-10, 10])
def test_a_file_of_another_length_is_refused(shift: int, hub: HubServer, folder: Path) -> None:
    size = len(hub.files[WEIGHTS])
    hub.always[WEIGHTS] = Trouble(content=bytes(size + shift))
    with pytest.raises(
        DownloadError, match=rf"offers {size + shift:,} bytes of “{WEIGHTS}”, which has {size:,}"
    ):
        run(hub, folder)


def test_more_bytes_than_listed_are_not_kept(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(content=hub.files[WEIGHTS] + bytes(5_000_000), chunked=True)
    with pytest.raises(DownloadError, match="arrived damaged"):
        run(hub, folder)
    assert parts(folder) == []


def test_a_rest_of_another_file_is_refused(hub: HubServer, folder: Path) -> None:
    size = len(hub.files[WEIGHTS])
    hub.troubles[WEIGHTS] = [
        Trouble(cut_after=50_000),
        Trouble(headers={"Content-Range": f"bytes 40000-{size - 1}/{size}"}),
    ]
    with pytest.raises(DownloadError, match="Something on the way changes downloads"):
        run(hub, folder)


@pytest.mark.parametrize("extent", ["9" * 5000 + "-1/2", "0-1/" + "9" * 5000])
def test_a_rest_of_absurd_extent_is_refused(extent: str, hub: HubServer, folder: Path) -> None:
    hub.troubles[WEIGHTS] = [
        Trouble(cut_after=50_000),
        Trouble(headers={"Content-Range": f"bytes {extent}"}),
    ]
    with pytest.raises(DownloadError, match="Something on the way changes downloads"):
        run(hub, folder)


@pytest.mark.parametrize("headers", [{"X-Linked-Size": "7"}, {"X-Linked-ETag": f'"{"0" * 64}"'}])
def test_a_server_that_contradicts_its_own_listing_is_refused(
    headers: dict[str, str], hub: HubServer, folder: Path
) -> None:
    hub.always[WEIGHTS] = Trouble(headers=headers)
    with pytest.raises(DownloadError, match=f"contradicts itself about “{WEIGHTS}”"):
        run(hub, folder)


def test_a_model_that_cannot_be_used_is_told_after_it_arrived(hub: HubServer, folder: Path) -> None:
    hub.files["config.json"] = hub.files["config.json"].replace(b"deepseek_vl_v2", b"deepseek_vl_v9")
    with pytest.raises(CheckpointError, match="model_type"):
        run(hub, folder)


# --- what a server answers instead ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (401, r"asks for a login \(401\).*no account"),
        (403, r"does not allow the download \(403\)"),
        (404, r"has no deepseek-ai/DeepSeek-OCR at revision 9f30c71 \(404\)"),
        (407, r"proxy asks for a user name and password \(407\).*HTTPS_PROXY"),
        (418, r"answered with the error 418"),
        (429, r"received too many requests \(429\)"),
        (500, r"has an internal error \(500\).*try again later"),
        (503, r"has an internal error \(503\)"),
    ],
)
@pytest.mark.parametrize("name", [INFO, WEIGHTS])
def test_a_refusal_is_told_in_words(
    status: int, sentence: str, name: str, hub: HubServer, folder: Path
) -> None:
    hub.always[name] = Trouble(status=status)
    with pytest.raises(DownloadError, match=sentence):
        run(hub, folder)


def test_a_file_shorter_than_the_server_said_is_told(hub: HubServer, folder: Path) -> None:
    hub.always[WEIGHTS] = Trouble(status=416)
    with pytest.raises(DownloadError, match=r"is shorter than its listing says \(416\)"):
        run(hub, folder)


@pytest.mark.parametrize(
    "page", ["<html>Welcome to the hotel</html>", "[]", '{"sha": 5}', "null", "[" * 200_000]
)
def test_a_login_page_is_not_taken_for_a_server(page: str, hub: HubServer, folder: Path) -> None:
    hub.always[INFO] = Trouble(pages=page)
    with pytest.raises(DownloadError, match="login page of the network"):
        run(hub, folder)


@pytest.mark.parametrize(
    "entry",
    [{"size": -1}, {"size": "7"}, {"size": 2**60}, {"lfs": {"sha256": "../x"}}, {"lfs": {}}, {"size": True}],
)
def test_a_listing_of_nonsense_is_refused(entry: dict[str, object], hub: HubServer, folder: Path) -> None:
    hub.listing[WEIGHTS] = entry
    with pytest.raises(DownloadError, match="did not answer like a model server"):
        run(hub, folder)
    assert parts(folder) == []


@pytest.mark.parametrize("name", ["../a.safetensors", "a" * 201 + ".safetensors"])
def test_a_name_that_no_disk_can_take_is_refused(name: str, hub: HubServer, folder: Path) -> None:
    hub.listing[WEIGHTS] = {"rfilename": name}
    with pytest.raises(DownloadError):
        run(hub, folder)
    assert parts(folder) == []


def test_a_listing_without_end_is_not_read_to_the_end(hub: HubServer, folder: Path) -> None:
    hub.always[INFO] = Trouble(endless=True)
    with pytest.raises(DownloadError, match="did not answer like a model server"):
        run(hub, folder)


def test_a_listing_is_never_unpacked(hub: HubServer, folder: Path) -> None:
    """A small answer may unpack to more than memory holds."""
    packed = gzip.compress(b" " * 2**20)
    hub.always[INFO] = Trouble(content=packed, headers={"Content-Encoding": "gzip"})
    with pytest.raises(DownloadError, match="did not answer like a model server"):
        run(hub, folder)
    assert hub.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("name", [INFO, WEIGHTS])
def test_what_a_server_sends_along_with_a_refusal_is_not_read(
    name: str, hub: HubServer, folder: Path
) -> None:
    hub.always[name] = Trouble(status=404, endless=True)
    with pytest.raises(DownloadError, match=r"\(404\)"):
        run(hub, folder)


def test_another_revision_than_the_pinned_one_is_refused(hub: HubServer, folder: Path) -> None:
    hub.always[INFO] = Trouble(pages='{"sha": "%s", "siblings": []}' % ("0" * 40))
    with pytest.raises(DownloadError, match=r"offers revision 000000000000"):
        run(hub, folder)


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", WEIGHTS])
def test_a_model_without_safetensors_is_refused_before_anything_is_downloaded(
    missing: str, hub: HubServer, folder: Path
) -> None:
    del hub.files[missing]
    with pytest.raises(DownloadError, match="is not a model in safetensors files"):
        run(hub, folder)
    assert hub.downloads == []


def test_a_listing_without_measure_is_refused_before_anything_is_downloaded(
    hub: HubServer, folder: Path
) -> None:
    hub.files |= {f"more-{number}.safetensors": b"x" for number in range(1001)}
    with pytest.raises(DownloadError, match="not a model in safetensors files"):
        run(hub, folder)
    assert hub.downloads == []
