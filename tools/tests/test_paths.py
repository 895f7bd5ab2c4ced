import subprocess
import sys

import pytest
from sas import paths


def test_a_broken_off_unpacking_leaves_nothing(tmp_path):
    target = tmp_path / "tree"
    with pytest.raises(RuntimeError), paths.unpacking(target) as folder:
        (folder / "half").touch()
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_unpacking_appears_at_once_and_sweeps_up(tmp_path):
    target = tmp_path / "tree"
    (tmp_path / ".tree.killed").mkdir()
    with paths.unpacking(target) as folder:
        (folder / "file").touch()
        assert not target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["tree"]
    assert (target / "file").exists()


def test_a_lock_is_free_when_its_holder_died(tmp_path):
    code = "import fcntl, sys; f = open(sys.argv[1], 'a'); fcntl.flock(f, fcntl.LOCK_EX)"
    lock = tmp_path / "lock"
    subprocess.run([sys.executable, "-c", code, lock], check=True, capture_output=True)
    with paths.locked(lock):
        pass


def test_a_relative_cache_folder_is_ignored(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    monkeypatch.setenv("HOME", "/home-of-a-user")
    assert str(paths._cache()) == "/home-of-a-user/.cache/sale_admin_support"
