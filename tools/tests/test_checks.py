import pytest
from sas import checks


@pytest.mark.parametrize(
    "line",
    [
        "see https://" + "pypi.example.org/simple",
        "deb http://" + "deb.debian.example/debian sid main",
        "open('/" + "tmp/x')",
        "cd /" + "home/someone/project",
    ],
)
def test_words_of_one_machine(line):
    assert list(checks.check_words("f", line))


@pytest.mark.parametrize("line", ["https://www.odoo.com/x", "a/tmp/x", "~/work/x", "shot.tmp/a"])
def test_other_words(line):
    assert not list(checks.check_words("f", line))


def test_xml():
    def count(text):
        return len(list(checks.check_xml("app/data/x.xml", text.encode())))

    assert count("<odoo><record id='a' model='x'><field name='f'/></record></odoo>") == 0
    assert count("<odoo><record") == 1
    assert count("<odoo><record id='a' model='x'/><record id='a' model='x'/></odoo>") == 1
    assert count("<odoo><record id='app.a' model='x'/></odoo>") == 1
    assert count("<odoo><record id='a'><field name='f'/><field name='f'/></record></odoo>") == 1
    assert count("<odoo><data><record id='a'/></data></odoo>") == 1
    assert count("<odoo><data noupdate='1'><record id='a'/></data></odoo>") == 0


def test_csv():
    assert not list(checks.check_csv("f", "id,name\na,1\nb,2\n"))
    assert len(list(checks.check_csv("f", "id,name\na,1\na,2\n"))) == 1


def test_files_the_manifest_forgot(tmp_path):
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "a.xml").touch()
    (tmp_path / "views" / "b.xml").touch()
    (tmp_path / "__manifest__.py").write_text("{'data': ['views/a.xml']}")
    assert [text.split(":")[0][-5:] for text in checks.check_manifest(tmp_path)] == ["b.xml"]


def test_tests_that_odoos_runner_would_not_see(tmp_path):
    (tmp_path / "__init__.py").write_text("from . import test_a\nfrom .test_b import X\n")
    for name in "abc":
        (tmp_path / f"test_{name}.py").touch()
    assert [text.split(" ")[1] for text in checks.check_test_imports(tmp_path)] == ["test_c"]
