import polib
import pytest
from sas import translations


def catalogue(*entries, **metadata):
    made = polib.POFile()
    made.metadata = metadata
    for msgid, msgstr in entries:
        made.append(polib.POEntry(msgid=msgid, msgstr=msgstr))
    return made


@pytest.fixture
def judge(tmp_path):
    def judge(template, translated):
        catalogue(*template).save(str(tmp_path / "t.pot"))
        catalogue(*translated).save(str(tmp_path / "vi.po"))
        return translations.complaints(tmp_path / "vi.po", tmp_path / "t.pot")

    return judge


def test_complete(judge):
    assert judge([("A %s", ""), ("B", "")], [("A %s", "a %s"), ("B", "b")]) == []


def test_what_is_wrong_is_told(judge):
    template = [("A", ""), ("B %(x)s", ""), ("C", "")]
    found = judge(template, [("A", ""), ("B %(x)s", "b %(y)s"), ("old", "o"), ("C", "c")])
    assert [text.split(":")[0] for text in found] == [
        "1 of 3 terms are not translated, e.g. 'A'",
        "1 terms are no longer in the template",
        "other placeholders than the source",
    ]


def test_a_percent_sign_in_a_sentence_is_no_placeholder():
    assert translations.same_placeholders("30 % deposit", "đặt cọc 30 %")
    assert not translations.same_placeholders("%s of %s", "%s")


def test_merging_keeps_translations_drops_the_lost_and_follows_the_template():
    template = catalogue(("B", ""), ("A", ""))
    translations.clean(template)
    merged = translations.merge(catalogue(("gone", "g"), ("B", "b"), Language="vi"), template)
    assert [(entry.msgid, entry.msgstr) for entry in merged] == [("A", ""), ("B", "b")]
    assert merged.metadata == {"Language": "vi"}


def test_the_template_holds_no_date():
    template = catalogue(("A", ""), **{"POT-Creation-Date": "2026", "Content-Type": "text/plain"})
    translations.clean(template)
    assert list(template.metadata) == ["Content-Type"]
