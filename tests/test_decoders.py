"""Files are decoded in processes of their own: what one does to its process, it does to nothing else."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rtocr_gui.documents import decoders, scan_file
from rtocr_gui.documents.decoders import DECODERS
from rtocr_gui.documents.loading import open_document
from rtocr_gui.documents.pages import no_check
from rtocr_gui.documents.scan_file import ScanFile
from rtocr_gui.errors import DocumentError
from tests.broken_files import encoded, endless_pdf, long_jpeg, pdf_of_pages, text_pdf, unpacking_pdf
from tests.made_pages import page_image
from tests.opened_files import BLACK, error_of, first_page, written

CHECKOUT = Path(__file__).parents[1]
END_TIMEOUT_S = 20


class Unwanted(BaseException):
    """What a check raises."""


_of_other_tests: set[psutil.Process] = set()


@pytest.fixture(autouse=True)
def no_process() -> Iterator[None]:
    """Each test starts its own."""
    DECODERS.end()
    _of_other_tests.update(psutil.Process().children())
    yield
    DECODERS.end()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A PDF with a black square."""
    return written(tmp_path / "good.pdf", pdf_of_pages())


def running() -> list[psutil.Process]:
    """The processes that decode files for this one."""
    children = (child for child in psutil.Process().children() if child not in _of_other_tests)
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]


def test_a_process_can_be_there_before_the_first_file(good):
    DECODERS.prepare()
    DECODERS.prepare()
    (process,) = running()
    first_page(good)
    DECODERS.prepare()
    assert running() == [process]


def test_a_window_comes_up_where_no_process_can_be_started(monkeypatch, tmp_path):
    monkeypatch.setattr(decoders, "_command", lambda: [str(tmp_path / "missing")])
    DECODERS.prepare()
    assert running() == []


def test_pages_are_rendered_by_one_process_that_stays(good, tmp_path):
    assert running() == []
    first_page(good)
    (process,) = running()
    first_page(written(tmp_path / "other.pdf", pdf_of_pages()))
    assert running() == [process]


@pytest.mark.parametrize("slow", [endless_pdf, long_jpeg])
def test_a_page_that_takes_too_long_is_given_up_and_nothing_else(good, tmp_path, monkeypatch, slow):
    for limit in ("TIME_LIMIT_S", "PREVIEW_TIME_LIMIT_S"):
        monkeypatch.setattr(scan_file, limit, 1.0)
    with open_document(written(tmp_path / "slow", slow())) as document:
        for render in (lambda: document.load_page(0), lambda: document.thumbnail(0, 3000)):
            error = error_of(render)
            assert "given up after 1 s" in str(error)
            assert "far more intricate" in str(error)
            assert running() == []
            assert first_page(good).getpixel((10, 2330)) == BLACK


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not limit the memory of a process")
def test_a_page_that_needs_too_much_memory_is_given_up_and_nothing_else(good, tmp_path, monkeypatch):
    monkeypatch.setattr(decoders, "MEMORY_LIMIT_BYTES", 1 << 30)
    assert "more memory than it may" in str(
        error_of(lambda: first_page(written(tmp_path / "large.pdf", unpacking_pdf())))
    )
    assert first_page(good).getpixel((10, 2330)) == BLACK


def give_up() -> None:
    """A check for what is not wanted any more."""
    raise Unwanted


def test_a_page_that_is_not_wanted_any_more_is_given_up(good, tmp_path):
    with open_document(written(tmp_path / "endless.pdf", endless_pdf())) as document:
        for render in (
            lambda: document.load_page(0, check=give_up),
            lambda: document.thumbnail(0, 100, check=give_up),
        ):
            with pytest.raises(Unwanted):
                render()
            assert running() == []
    assert first_page(good).getpixel((10, 2330)) == BLACK


def test_a_file_that_is_not_wanted_any_more_is_given_up(good, monkeypatch):
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    monkeypatch.setattr(decoders, "_command", lambda: command)
    with pytest.raises(Unwanted):
        open_document(good, check=give_up)
    assert running() == []


def test_the_check_is_not_made_for_an_ordinary_page(good):
    with open_document(good, check=give_up) as document:
        document.load_page(0, check=give_up)


def test_a_process_that_the_system_ended_meanwhile_is_replaced(good):
    first_page(good)
    (process,) = running()
    process.kill()
    process.wait(END_TIMEOUT_S)
    assert first_page(good).getpixel((10, 2330)) == BLACK


@pytest.mark.parametrize(
    "answer",
    [
        "sys.exit()",
        "print('Segmentation fault')",
        "print('[' * 100000)",
        "print('[1, 2]')",
        "print('{}')",
        "print('{\"page\": []}')",
        "print('{\"page\": [2, 2]}')",
        "print('{\"page\": [0, 2, 72]}')",
        "print('{\"page\": [2.5, 2, 72]}')",
        "print('{\"page\": [1, 1, {}]}', 'RGBX', sep='\\n', end='')",
        "print('7')",
        'print(\'{"value": "7"}\')',
        "print('{\"value\": 0}')",
        "print('{\"value\": null}')",
        "print('{\"page\": [1, 1, 72]}', 'RGBX', sep='\\n', end='')",
        "print('{\"page\": [1, 1, NaN]}', 'RGBX', sep='\\n', end='')",
        "print('{\"page\": [1, 199999999, 72]}')",
        'print(\'{"page": ["2", 2, 72]}\')',
        "print('{\"page\": [-2, 2, 72]}')",
        "print('{\"page\": [1000000, 1000000, 72]}')",
        "print('{\"error\": 1}')",
        "print('{\"page\": [2, 2, 72]}', 'too short', sep='\\n', end='')",
        "print('x' * 10_000_000)",
    ],
)
def test_an_answer_that_is_none_counts_as_a_crash(good, monkeypatch, answer):
    program = f"import sys; sys.stdin.readline(); {answer}"
    monkeypatch.setattr(decoders, "_command", lambda: [sys.executable, "-c", program])
    assert "Opening the file failed" in str(error_of(lambda: open_document(good)))
    assert running() == []


def test_a_process_that_cannot_be_started_is_told(good, monkeypatch, tmp_path):
    monkeypatch.setattr(decoders, "_command", lambda: [str(tmp_path / "missing")])
    error = str(error_of(lambda: open_document(good)))
    assert "could not be started (No such file or directory)" in error


def test_an_error_that_is_no_fault_of_the_file_ends_the_process_too(good):
    document = open_document(good)
    with pytest.raises(DocumentError, match="failed"):
        document._source._ask(int, "Looking", 10, no_check, "no_such_method")
    assert running() == []
    document.close()


def test_threads_that_ask_at_once_get_their_own_pages(tmp_path):
    widths = range(100, 500, 100)
    paths = {
        width: written(tmp_path / f"{width}.pdf", pdf_of_pages(media_box=b"0 0 %d 500" % width))
        for width in widths
    }
    found: dict[int, set[int]] = {width: set() for width in widths}

    def render(width: int) -> None:
        with open_document(paths[width]) as document:
            for _ in range(10):
                found[width] |= {document.load_page(0, dpi=72).image.width, document.thumbnail(0, 500).width}

    threads = [threading.Thread(target=render, args=(width,)) for width in widths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {width: {width} for width in widths}
    assert 1 <= len(running()) <= len(widths)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process does not tell its files so easily")
def test_a_closed_document_lets_go_of_its_file(good):
    document = open_document(good)
    document.load_page(0)
    (process,) = running()
    assert str(good) in {file.path for file in process.open_files()}
    document.close()
    assert str(good) not in {file.path for file in process.open_files()}
    assert running() == [process]


@pytest.mark.parametrize("kind", ["PDF", "GIF"])
def test_a_file_that_was_replaced_is_opened_anew_although_the_former_is_still_open(tmp_path, kind):
    def pages(count: int) -> bytes:
        if kind == "PDF":
            return pdf_of_pages(count)
        frames = [page_image(text=str(number)) for number in range(count)]
        return encoded(frames[0], kind, save_all=True, append_images=frames[1:])

    path = written(tmp_path / "scan", pages(2))
    former = open_document(path)
    former.load_page(1)
    written(tmp_path / "other", pages(3)).replace(path)
    with open_document(path) as document:
        assert len(document.pages) == 3
        document.load_page(2)
    former.close()


def test_a_file_is_released_also_where_its_process_is_gone(good):
    document = open_document(good)
    document.load_page(0)
    (process,) = running()
    process.kill()
    process.wait(END_TIMEOUT_S)
    document.close()


def test_nothing_is_imported_from_the_folder_in_which_the_program_was_started(tmp_path, good):
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("json.py", "pypdfium2.py", "re.py"):
        (folder / name).write_text("from pathlib import Path; Path(__file__).with_suffix('.run').touch()")
    program = (
        "import sys; from pathlib import Path; from rtocr_gui.documents.loading import open_document\n"
        "print(open_document(Path(sys.argv[1])).load_page(0).image.size)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", program, good],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("(1653, 2339)\n", "")
    assert not list(folder.glob("*.run"))


@pytest.mark.parametrize("is_busy", [False, True])
@pytest.mark.parametrize("is_killed", [False, True])
def test_the_process_ends_with_the_program_however_that_ends(good, tmp_path, is_killed, is_busy):
    program = (
        "import os, sys, threading; from pathlib import Path\n"
        "from rtocr_gui.documents.loading import open_document\n"
        "document, slow = (open_document(Path(name)) for name in sys.argv[1:3])\n"
        "document.load_page(0)\n"
        "if sys.argv[3] == 'True':\n"
        "    threading.Thread(target=lambda: slow.load_page(0), daemon=True).start()\n"
        "    while not any(thread.name == 'decoder' for thread in threading.enumerate()): pass\n"
        "print(flush=True); sys.stdin.readline(); os._exit(0) if sys.argv[3] == 'True' else None"
    )
    slow = written(tmp_path / "endless.pdf", endless_pdf())
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, good, slow, str(is_busy)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as started:
        started.stdout.readline()
        (process,) = psutil.Process(started.pid).children()
        started.kill() if is_killed else started.stdin.close()
        assert started.stderr.read() == b""
    process.wait(END_TIMEOUT_S)


def test_a_file_that_is_closed_while_its_page_is_decoded_is_let_go_of_afterwards(tmp_path, monkeypatch):
    monkeypatch.setattr(decoders, "CHECK_INTERVAL_S", 0.01)
    path = written(tmp_path / "many.pdf", pdf_of_pages(content=b"0 0 9 9 re f " * 300_000))
    document = open_document(path)
    document.load_page(0, check=document.close)
    (process,) = running()
    assert str(path) not in {file.path for file in process.open_files()}


def test_no_more_processes_stay_than_are_of_use(tmp_path, monkeypatch):
    paths = [written(tmp_path / f"{number}.pdf", pdf_of_pages()) for number in range(5)]
    documents = [open_document(path) for path in paths]
    barrier, ask = threading.Barrier(5), decoders._Process.ask

    def ask_together(process, *question):
        barrier.wait()
        return ask(process, *question)

    monkeypatch.setattr(decoders._Process, "ask", ask_together)
    threads = [threading.Thread(target=document.load_page, args=(0,)) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(running()) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no signal to a process alone")
def test_ctrl_c_ends_the_waiting_and_leaves_no_trace_of_the_process(tmp_path):
    path = written(tmp_path / "endless.pdf", endless_pdf())
    program = (
        "import sys; from pathlib import Path; from rtocr_gui.documents.loading import open_document\n"
        "document = open_document(Path(sys.argv[1]))\n"
        "try: print(flush=True); document.load_page(0)\n"
        "except KeyboardInterrupt: print('interrupted')"
    )
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, path],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as started:
        started.stdout.readline()
        (process,) = psutil.Process(started.pid).children()
        os.killpg(started.pid, signal.SIGINT)
        assert started.communicate(timeout=END_TIMEOUT_S) == (b"interrupted\n", b"")
    assert not process.is_running()


def test_the_bundle_starts_it_with_its_command_line(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    for name, command in (("rtocr-gui", "rtocr"), ("rtocr", "rtocr"), ("rtocr-gui.exe", "rtocr.exe")):
        monkeypatch.setattr(sys, "executable", str(tmp_path / name))
        assert decoders._command() == [str(tmp_path / command), "-m", "rtocr_gui.documents.decoding.worker"]


def test_a_text_is_looked_for_in_the_same_way(tmp_path):
    page = text_pdf(b"BT /F1 24 Tf 72 700 Td (Harbour) Tj ET")
    assert ScanFile(written(tmp_path / "page.pdf", page), None).own_text(0, 0) == "Harbour"
    picture = encoded(page_image(), "PNG")
    assert ScanFile(written(tmp_path / "picture.pdf", picture), None).own_text(0, 0) == ""
