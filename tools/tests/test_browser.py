import pytest
from sas import apt, browser
from sas.console import Problem


@pytest.fixture
def powerless(monkeypatch):
    monkeypatch.setattr(apt, "privilege", lambda: None)
    monkeypatch.setattr(browser, "missing", lambda: ["chromium", "wkhtmltopdf"])


def test_without_rights_and_browser_the_remedy_is_told(powerless, monkeypatch):
    monkeypatch.setattr(browser, "find", lambda: None)
    with pytest.raises(Problem, match="run `sudo apt-get install chromium wkhtmltopdf` once"):
        browser.ensure()


def test_without_rights_the_rest_is_done_without(powerless, monkeypatch, capsys):
    monkeypatch.setattr(browser, "find", lambda: "a browser")
    browser.ensure()
    assert "No right to install" in capsys.readouterr().out
    monkeypatch.setattr(browser, "find", lambda: None)
    browser.ensure(needed=False)
    assert "No right to install" in capsys.readouterr().out
