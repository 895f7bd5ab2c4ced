"""make i18n: export the terms and bring every translation file in line."""

import subprocess

from . import addons
from .console import Problem, step
from .context import failed, prepared
from .databases import Installed
from .paths import ADDON, PROJECT, TOOLS, local


def main(_arguments):
    with prepared() as context:
        for module in [ADDON, *addons.bridges()]:
            modules = [ADDON] if module == ADDON else [ADDON, *addons.bridges()]
            ready = Installed(context, "ready" if module == ADDON else "ready_all", modules=modules)
            with ready.in_use():
                _export(context, ready.database, module)


def _export(context, database, module):
    exported = local("run") / f"{module}.pot"
    with step(f"Exporting the terms of {module}"):
        code, log = context.run_odoo(
            *("i18n", "export", "-d", database, module, "-o", exported), log="i18n.log"
        )
        if code:
            raise failed("Exporting the terms", "i18n.log", log)
        command = [context.python.python, "-m", "sas.translations"]
        command += [exported, PROJECT / module / "i18n", module]
        if subprocess.run(command, cwd=TOOLS, check=False).returncode:
            raise Problem(f"A translation file of {module} cannot be read: correct it (see above).")
