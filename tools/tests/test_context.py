from sas.context import complaints

LOG = """\
2026-01-05 10:00:00,000 12 INFO db odoo.modules.loading: an ERROR in a sentence
2026-01-05 10:00:00,000 12 WARNING db odoo.fields: a label is given twice
Traceback (most recent call last):
2026-01-05 10:00:00,000 12 ERROR ? odoo.addons.base: broken
<string>:3: (ERROR/3) Unexpected indentation.
"""


def test_complaints():
    assert [line.split(": ")[-1] for line in complaints(LOG)] == [
        "a label is given twice",
        "broken",
        "(ERROR/3) Unexpected indentation.",
    ]
