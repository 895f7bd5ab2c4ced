import pytest
from sas import odoo_source
from sas.console import Problem


def test_the_pinned_version_is_taken_else_the_newest_of_the_series():
    pinned = odoo_source.VERSION
    assert odoo_source.choose_version(["20.0.0-1", "19.0.1-1", pinned]) == pinned
    assert odoo_source.choose_version(["20.0.0-1", "19.0.2-1", "19.0.1-1"]) == "19.0.2-1"
    assert odoo_source.choose_version(["20.0.0-1"]) is None


def make_tree(folder, version):
    (folder / "odoo").mkdir(parents=True)
    (folder / "odoo" / "release.py").write_text(f"version_info = {version}\n")


def test_a_tree_of_ones_own(tmp_path):
    make_tree(tmp_path, "(19, 0, 0, FINAL, 0, '')")
    with pytest.raises(Problem, match="no addons folder"):
        odoo_source._from_home(tmp_path)
    (tmp_path / "addons" / "sale").mkdir(parents=True)
    assert odoo_source._from_home(tmp_path).addons == [tmp_path / "addons"]


def test_another_version_is_refused(tmp_path):
    make_tree(tmp_path, "(18, 0, 0, FINAL, 0, '')")
    with pytest.raises(Problem, match="is not an Odoo 19.0 source tree"):
        odoo_source._from_home(tmp_path)
