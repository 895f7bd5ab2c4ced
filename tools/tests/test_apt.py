from sas.apt import debian_source, parse_sources

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
Enabled: no
URIs: http://other.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""

ONE_LINE = """\
# deb http://old.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/security bookworm-security main
deb [arch=amd64 signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian bookworm main # x
deb http://flat.example/ ./
"""


def test_stanzas():
    found = parse_sources(DEB822, deb822=True)
    assert [(uri, suite) for _options, uri, suite, _components in found] == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://mirror.example/debian", "bookworm-updates"),
        ("http://mirror.example/debian-security", "bookworm-security"),
    ]
    assert found[0][3] == ["main", "contrib"]


def test_one_line_format():
    found = parse_sources(ONE_LINE, deb822=False)
    assert len(found) == 3
    assert found[1][0] == [("signed-by", "/usr/share/keyrings/k.gpg")]
    assert found[1][1:] == ("http://mirror.example/debian", "bookworm", ["main"])


def test_the_main_archive_is_chosen():
    for text, deb822 in ((DEB822, True), (ONE_LINE, False)):
        _options, uri, suite = debian_source(parse_sources(text, deb822))
        assert (uri, suite) == ("http://mirror.example/debian", "bookworm")
    assert debian_source([]) is None


def test_a_key_written_into_the_stanza_is_left_out():
    text = DEB822.replace(
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg",
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc",
    )
    assert parse_sources(text, deb822=True)[0][0] == []
