import socket

import pytest
from sas import demo
from sas.console import Problem


@pytest.fixture
def taken():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_taken_port_that_was_asked_for_is_refused(taken):
    with pytest.raises(Problem, match=f"Port {taken} is taken"):
        demo.choose_port(str(taken))


def test_the_next_free_port_is_chosen_and_told(taken, monkeypatch, capsys):
    monkeypatch.setattr(demo, "DEFAULT_PORT", taken)
    assert demo.choose_port(None) > taken
    assert f"port {taken} is taken" in capsys.readouterr().out


@pytest.mark.parametrize("given", ["http", "80", "70000"])
def test_what_is_no_port(given):
    with pytest.raises(Problem, match="is no port"):
        demo.choose_port(given)
