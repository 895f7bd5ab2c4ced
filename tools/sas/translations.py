"""Translation files: cleaned, merged and judged. Runs with the environment's Python (polib)."""

import re
import sys
from collections import Counter
from pathlib import Path

import polib

PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[-+#0]*[\d.]*[sdifrx](?!\w)|%%|\$\{[^}]*\}", re.ASCII)
# Fields of the header that change although no term does.
VOLATILE = ("POT-Creation-Date", "PO-Revision-Date", "Last-Translator", "Language-Team")


def _by_key(catalogue):
    return {(entry.msgctxt, entry.msgid): entry for entry in catalogue if not entry.obsolete}


def clean(template):
    """Make what Odoo exports depend on the terms alone."""
    for name in VOLATILE:
        template.metadata.pop(name, None)
    for entry in template:
        entry.occurrences = sorted(set(entry.occurrences))
        entry.msgstr = ""
    template.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))


def merge(catalogue, template):
    """The template's terms with the catalogue's translations; what the template lost is dropped."""
    merged = polib.POFile(wrapwidth=78)
    merged.header = catalogue.header
    merged.metadata = {
        name: value for name, value in catalogue.metadata.items() if name not in VOLATILE
    }
    known = _by_key(catalogue)
    for term in template:
        old = known.get((term.msgctxt, term.msgid))
        merged.append(
            polib.POEntry(
                msgid=term.msgid,
                msgctxt=term.msgctxt,
                msgstr=old.msgstr if old else "",
                occurrences=term.occurrences,
                comment=term.comment,
                flags=list(old.flags) if old else [],
                tcomment=old.tcomment if old else "",
            )
        )
    return merged


def complaints(path, template_path):
    """What is wrong with a translation file, one sentence each."""
    try:
        catalogue = polib.pofile(str(path), check_for_duplicates=True)
        template = polib.pofile(str(template_path))
    except (OSError, ValueError) as error:
        return [str(error)]
    known, wanted = _by_key(catalogue), _by_key(template)
    found = []
    missing = [term for term in wanted if not (known.get(term) and known[term].msgstr)]
    if missing:
        found.append(
            f"{len(missing)} of {len(wanted)} terms are not translated, e.g. {missing[0][1]!r}"
        )
    if stale := known.keys() - wanted.keys():
        found.append(f"{len(stale)} terms are no longer in the template: `make i18n`")
    for entry in known.values():
        if entry.fuzzy:
            found.append(f"fuzzy: {entry.msgid!r}")
        if entry.msgstr and not same_placeholders(entry.msgid, entry.msgstr):
            found.append(f"other placeholders than the source: {entry.msgid!r}")
    return found


def same_placeholders(source, translation):
    return Counter(PLACEHOLDER.findall(source)) == Counter(PLACEHOLDER.findall(translation))


def main(exported, folder, name):
    """Bring the template and every translation of an addon in line with what Odoo exported."""
    template = polib.pofile(exported, wrapwidth=78)
    clean(template)
    folder.mkdir(exist_ok=True)
    template.save(str(folder / f"{name}.pot"))
    print(f"   {name}.pot: {len(template)} terms")
    for path in sorted(folder.glob("*.po")):
        merged = merge(polib.pofile(str(path)), template)
        merged.save(str(path))
        open_terms = sum(not entry.msgstr for entry in merged)
        print(
            f"   {path.name}: {open_terms} to translate"
            if open_terms
            else f"   {path.name}: complete"
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
