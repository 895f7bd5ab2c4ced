"""The project's own checks; runs with the environment's Python: python -m sas.checks PROJECT."""

import ast
import csv
import io
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

from lxml import etree

from . import translations

# An address of a package index or of a distribution's archive belongs to the machine's
# configuration, and a folder outside the project to one machine only.
ADDRESS = re.compile(
    r"https?://[\w.-]*(py[p]i|pythonhosted|npm[j]s|artifact|registry|debian)[\w.-]*\.\w+"
)
FOREIGN_PATH = re.compile(r"(?<![\w.:/}~)-])/(root|work|home/\w+|tmp)/\w")
TEXT = {
    ".py",
    ".toml",
    ".md",
    ".rst",
    ".txt",
    ".xml",
    ".js",
    ".csv",
    ".cfg",
    ".sh",
    ".in",
    ".scss",
    "",
}


def files(project):
    """The project's files as git sees them, ignored ones left out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    paths = (project / name for name in listed.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def check_words(name, text):
    """Complaints about addresses and paths that belong to one machine."""
    for number, line in enumerate(text.splitlines(), 1):
        if ADDRESS.search(line):
            yield f"{name}:{number}: address of a package index or archive"
        if FOREIGN_PATH.search(line):
            yield f"{name}:{number}: absolute path outside the project"


def check_xml(name, data):
    """Complaints about XML that cannot be read, or that says something twice or the old way."""
    try:
        root = etree.fromstring(data)
    except etree.XMLSyntaxError as error:
        yield f"{name}: {error}"
        return
    if (
        root.tag == "openerp"
        or root.find("data[@noupdate]") is None
        and root.find("data") is not None
    ):
        yield f"{name}:{root.sourceline}: use <odoo>, and <data> only for noupdate"
    if root.tag != "odoo":
        return
    records = list(root.iter("record", "template", "menuitem"))
    ids = Counter(element.get("id") for element in records if element.get("id"))
    for xml_id in (xml_id for xml_id, count in ids.items() if count > 1):
        yield f"{name}: the id {xml_id} is given {ids[xml_id]} times"
    for record in records:
        if (record.get("id") or "").startswith(f"{_module(name)}."):
            yield f"{name}:{record.sourceline}: the id repeats the module's name"
        fields = Counter(field.get("name") for field in record.findall("field"))
        for field in (field for field, count in fields.items() if count > 1):
            yield f"{name}:{record.sourceline}: the field {field} is given twice"


def _module(name):
    return Path(name).parts[0]


def check_csv(name, text):
    """Complaints about ids given twice."""
    ids = Counter(row[0] for row in csv.reader(io.StringIO(text)) if row)
    for xml_id in (xml_id for xml_id, count in ids.items() if count > 1):
        yield f"{name}: the id {xml_id} is given {ids[xml_id]} times"


def check_manifest(folder):
    """Complaints about data files that the manifest does not name."""
    manifest = ast.literal_eval((folder / "__manifest__.py").read_text())
    named = {*manifest.get("data", []), *manifest.get("demo", [])}
    for path in sorted([*folder.rglob("*.xml"), *folder.rglob("*.csv")]):
        name = path.relative_to(folder)
        if name.parts[0] not in ("static", "tests", "migrations") and str(name) not in named:
            yield f"{path}: the manifest does not name it"


def check_test_imports(folder):
    """Complaints about test files that Odoo's own runner would never see."""
    package = folder / "__init__.py"
    imported = set()
    if package.exists():
        for node in ast.walk(ast.parse(package.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                imported.update([node.module] if node.module else [a.name for a in node.names])
    for path in sorted(folder.glob("test_*.py")):
        if path.stem not in imported:
            yield f"{package}: {path.stem} is not imported"


def check_translations(folder):
    """Complaints about the addon's translations, against its template."""
    templates = list(folder.glob("*.pot"))
    for path in sorted(folder.glob("*.po")):
        if not templates:
            yield f"{path}: there is no template: `make i18n`"
            return
        for complaint in translations.complaints(path, templates[0]):
            yield f"{path}: {complaint}"


def all_complaints(project):
    for path in files(project):
        name = path.relative_to(project)
        if path.suffix in TEXT:
            yield from check_words(name, path.read_text(errors="replace"))
            if path.stat().st_size and not path.read_bytes().endswith(b"\n"):
                yield f"{name}: no newline at the end"
        if path.suffix == ".xml":
            yield from check_xml(name, path.read_bytes())
        if path.suffix == ".csv":
            yield from check_csv(name, path.read_text())
    for manifest in sorted(project.glob("*/__manifest__.py")):
        yield from check_manifest(manifest.parent)
        yield from check_test_imports(manifest.parent / "tests")
        yield from check_translations(manifest.parent / "i18n")


def main(project):
    found = list(all_complaints(project))
    for complaint in found:
        print(complaint.replace(f"{project}/", ""))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
