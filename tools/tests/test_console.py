import errno

import pytest
from sas import console, paths


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (119.4, "119 s"), (185.2, "3 min 05 s")],
)
def test_duration(seconds, text):
    assert console.duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "No right"), (errno.EIO, "call again")],
)
def test_an_error_of_the_system_is_one_sentence_with_a_remedy(number, words):
    text = console.explain_os_error(OSError(number, "reason", "somewhere"))
    assert words in text and "somewhere" in text and "\n" not in text


def test_a_failed_program_is_the_given_sentence_and_a_log(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "LOGS", tmp_path / "logs")
    with pytest.raises(console.Problem, match="^Mend it. .*failure.log tells more.") as caught:
        console.run(["sh", "-c", "echo why; exit 3"], "Mend it.")
    assert "\n" not in str(caught.value)
    assert "why" in (tmp_path / "logs" / "failure.log").read_text()


def test_a_missing_program_is_named():
    with pytest.raises(console.Problem, match="no-such-program is missing"):
        console.run(["no-such-program"], "Mend it.")


def test_progress_without_a_terminal_shows_tenths(capsys):
    progress = console.Progress("download", 1000)
    for size in range(0, 1001, 5):
        progress.update(size)
    assert len(capsys.readouterr().out.splitlines()) == 11
