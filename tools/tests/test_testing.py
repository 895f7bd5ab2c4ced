import os

import pytest
from sas import addons, databases, testing
from sas.console import Problem
from sas.paths import ADDON, PROJECT


def test_parts():
    file = PROJECT / "tools" / "tests" / "test_testing.py"
    assert testing.split_part("tools/tests/test_testing.py") == (file, [str(file)])
    assert testing.split_part("tools/tests/test_testing.py::test_x") == (file, [f"{file}::test_x"])
    assert testing.split_part("late and not waived") == (None, ["-k", "late and not waived"])
    with pytest.raises(Problem, match="There is no"):
        testing.split_part("tests/test_forgotten.py")


def test_fingerprint_follows_the_loaded_files_only(tmp_path, monkeypatch):
    monkeypatch.setattr(addons, "PROJECT", tmp_path)
    for name in ("models/a.py", "tests/test_a.py"):
        path = tmp_path / ADDON / name
        path.parent.mkdir(parents=True)
        path.write_text("1")
    before = addons.fingerprint([ADDON])
    (tmp_path / ADDON / "tests" / "test_a.py").write_text("2")
    assert addons.fingerprint([ADDON]) == before
    (tmp_path / ADDON / "models" / "a.py").write_text("2")
    assert addons.fingerprint([ADDON]) != before


def test_what_a_killed_run_left_is_swept():
    class Server:
        prefix = "sas_ab_"

        def databases(self):
            own = ["demo", "ready", f"test_{os.getpid()}", "test_99999999", "x99999999_race"]
            return [self.prefix + name for name in own] + ["test_99999998"]

        def drop(self, name):
            dropped.append(name)

    dropped = []
    databases.sweep(Server())
    assert dropped == ["test_99999999", "x99999999_race"]
